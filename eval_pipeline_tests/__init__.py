"""Tests of eval_pipeline, in the order of its tree."""
