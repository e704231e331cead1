"""Tests of how sessions come in."""
