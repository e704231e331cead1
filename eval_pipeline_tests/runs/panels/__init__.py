"""Panels of judges at work, against servers on 127.0.0.1."""
