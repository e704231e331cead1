"""The OpenAI stand-in."""
