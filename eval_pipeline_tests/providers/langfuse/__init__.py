"""The Langfuse adapter."""
