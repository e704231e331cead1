"""OpenAI Responses, Embeddings, Batches and transcriptions, and whatever speaks their protocol."""
