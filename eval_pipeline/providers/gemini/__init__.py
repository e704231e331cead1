"""Gemini's API for developers: answers, transcripts, embeddings, files and batches."""
