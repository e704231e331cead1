"""Puts assets, checks, jobs and resources together into what Dagster loads."""

import warnings
from collections.abc import Callable

import dagster as dg

from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.defs.executor import named_in_process_executor
from eval_pipeline.defs.io_managers import stage_io_manager
from eval_pipeline.defs.progress import log_progress
from eval_pipeline.defs.resources import deployment_resource, open_deployment
from eval_pipeline.wiring.deployment import Deployment

# Partitioned checks and owners are previews of Dagster; both are used on purpose.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from eval_pipeline.defs.collectors import COLLECTORS  # noqa: E402 - after the filter
from eval_pipeline.defs.sensors import JOBS, SENSORS  # noqa: E402 - after the filter
from eval_pipeline.defs.stt_eval import STT_ASSETS, STT_CHECKS  # noqa: E402 - after the filter
from eval_pipeline.defs.text_eval import TEXT_ASSETS, TEXT_CHECKS  # noqa: E402 - after the filter


def build_definitions(
    *, open_it: Callable[[], Deployment] = open_deployment, progress: Progress | None = None
) -> dg.Definitions:
    """Build the code location.

    Args:
        open_it: opens the deployment; from the environment by default.
        progress: where running stages tell how far they are; the run's log by default.
    """
    return dg.Definitions(
        assets=[*TEXT_ASSETS, *STT_ASSETS, *COLLECTORS.values()],
        asset_checks=[*TEXT_CHECKS, *STT_CHECKS],
        jobs=JOBS,
        sensors=SENSORS,
        executor=named_in_process_executor,
        resources={
            "deployment": deployment_resource(open_it),
            "stages": stage_io_manager,
            "progress": log_progress if progress is None else dg.ResourceDefinition.hardcoded_resource(progress),
        },
    )
