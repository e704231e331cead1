"""What is told of all runs of sessions together."""
