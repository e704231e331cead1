"""Tests of Chat Completions."""
