"""Tests of the Gemini stand-in."""
