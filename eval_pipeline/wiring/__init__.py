"""Settings and the construction of adapters; without dagster, so that light commands stay light."""
