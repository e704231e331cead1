"""Traces, datasets and scores in Langfuse."""
