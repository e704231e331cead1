"""Tests of the stages of the speech flow."""
