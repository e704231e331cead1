"""What a text run is: the frozen specification and its hash."""
