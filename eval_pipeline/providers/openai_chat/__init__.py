"""Chat Completions, live and in batches: of Ollama, vLLM, LM Studio, llama.cpp, LiteLLM, OpenRouter, Groq, Mistral."""
