"""Text evaluation."""
