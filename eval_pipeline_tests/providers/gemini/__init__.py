"""Tests of what speaks Gemini's protocol."""
