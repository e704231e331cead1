"""The Gemini stand-in: ``app`` serves it; what serves the others too lies one folder up."""
