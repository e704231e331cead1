"""Tests of stage files and facts."""
