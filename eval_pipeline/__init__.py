"""Evaluate LLM systems as partitioned Dagster data assets."""
