"""Tests of the OpenAI stand-in."""
