"""Tests of what every report is made of."""
