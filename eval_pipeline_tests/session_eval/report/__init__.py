"""Tests of the report of sessions."""
