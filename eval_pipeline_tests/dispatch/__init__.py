"""Tests of what brings items to a provider and back."""
