"""Tests of recorded sessions and their judgement."""
