"""Scores of answers, what they come to, and two runs held against each other."""
