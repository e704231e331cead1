"""Tests of the construction of adapters and of what the verbs stand on."""
