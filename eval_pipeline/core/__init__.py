"""Shared vocabulary and pure decisions; standard library only."""
