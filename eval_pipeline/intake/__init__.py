"""Reads the text files that people hand in, whatever they are for: encodings, CSV records, JSON Lines."""
