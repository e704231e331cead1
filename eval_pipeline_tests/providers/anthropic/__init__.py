"""Tests of what is made of Anthropic's answers."""
