"""Tests of everything of Dagster: the real instance, the real job, the stand-in as provider."""
