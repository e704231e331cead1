"""``make chaos``: everything is killed at random moments, and at the end all is there and was paid once."""
