"""Tests of the life of runs."""
