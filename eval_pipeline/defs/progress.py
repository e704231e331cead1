"""Progress of a running stage in the log of its run."""

import logging

import dagster as dg

from eval_pipeline.core.progress import ProgressLines

LINE_EVERY_S = 10.0


@dg.resource(description="Where running stages tell how far they are.")
def log_progress(context: dg.InitResourceContext) -> ProgressLines:
    """Tell progress in the run's log."""
    log = context.log or logging.getLogger(__name__)
    return ProgressLines(log.info, every_s=LINE_EVERY_S, at_start=True)
