"""The Langfuse stand-in."""
