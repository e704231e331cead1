"""Tests of bots behind HTTP."""
