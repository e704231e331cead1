"""Tests of the Langfuse stand-in."""
