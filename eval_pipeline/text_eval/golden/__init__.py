"""Golden files: questions with the answers that are expected, read row by row."""
