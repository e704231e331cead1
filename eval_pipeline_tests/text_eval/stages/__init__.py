"""Tests of the stages of the text flow."""
