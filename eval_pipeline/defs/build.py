"""Puts assets, checks, jobs and resources together into what Dagster loads."""

import warnings
from collections.abc import Callable

import dagster as dg

from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.defs.executor import named_in_process_executor
from eval_pipeline.defs.io_managers import stage_io_manager
from eval_pipeline.defs.progress import log_progress
from eval_pipeline.defs.resources import deployment_resource, open_deployment
from eval_pipeline.runs.flow import plans
from eval_pipeline.wiring.deployment import Deployment

# Partitioned checks and owners are previews of Dagster; both are used on purpose.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from eval_pipeline.defs.collectors import COLLECTORS  # noqa: E402 - after the filter
from eval_pipeline.defs.flows import assets_of, checks_of  # noqa: E402 - after the filter
from eval_pipeline.defs.sensors import JOBS, SENSORS  # noqa: E402 - after the filter
from eval_pipeline.defs.views import views_of  # noqa: E402 - after the filter

ASSETS = [asset for plan in plans() for asset in (*assets_of(plan), *views_of(plan))]
CHECKS = [check for plan in plans() for check in checks_of(plan)]


def build_definitions(
    *, open_it: Callable[[], Deployment] = open_deployment, progress: Progress | None = None
) -> dg.Definitions:
    """Build the code location.

    Args:
        open_it: opens the deployment; from the environment by default.
        progress: where running stages tell how far they are; the run's log by default.
    """
    return dg.Definitions(
        assets=[*ASSETS, *COLLECTORS.values()],
        asset_checks=CHECKS,
        jobs=JOBS,
        sensors=SENSORS,
        executor=named_in_process_executor,
        resources={
            "deployment": deployment_resource(open_it),
            "stages": stage_io_manager,
            "progress": log_progress if progress is None else dg.ResourceDefinition.hardcoded_resource(progress),
        },
    )
