"""The Gemini stand-in."""
