"""The command line, on the same functions as the Dagster UI."""
