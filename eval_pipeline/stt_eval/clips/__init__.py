"""Clips as they come in: what a file is, how long it sounds, which samples a manifest makes of them."""
