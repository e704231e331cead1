"""Tests of scores and statistics of sessions."""
