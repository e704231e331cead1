"""Tests of the speech flow."""
