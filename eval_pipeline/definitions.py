"""The code location: what ``dagster dev`` and code servers load."""
