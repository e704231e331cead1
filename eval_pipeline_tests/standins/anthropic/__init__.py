"""Tests of the Anthropic stand-in."""
