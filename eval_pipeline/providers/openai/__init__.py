"""OpenAI Responses and Embeddings, and whatever speaks their protocol."""
