"""Tests of agreement, ranks and resampling."""
