"""The code location: what ``dagster dev`` and code servers load."""

from eval_pipeline.defs.build import build_definitions

defs = build_definitions()
