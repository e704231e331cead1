"""The sensors: they start what was requested, and look after the batches of each family; they serve every flow."""

import dagster as dg

from eval_pipeline.defs.flows import job_of
from eval_pipeline.defs.run_sensors import start_requested_runs
from eval_pipeline.runs.flow import plans
from eval_pipeline.wiring.protocols import FAMILIES, protocols_of

EVERY_S = 1
"""Less than the five seconds in which the daemon goes round its sensors: with the same five, a tick that came a moment
late in one round would not be due in the next, and half of all rounds would pass without a look."""
JOBS = tuple(job_of(plan) for plan in plans())


@dg.sensor(
    name="requested_runs",
    jobs=JOBS,
    minimum_interval_seconds=EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"deployment"},
    description="Starts the runs that the command line requested without waiting.",
)
def requested_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Turn waiting requests into partitions and runs."""
    return start_requested_runs(context.resources.deployment, context.instance)


def batch_sensor(family: str) -> dg.SensorDefinition:
    """Make the sensor that looks after the batches of every endpoint of a family of protocols."""

    @dg.sensor(
        name=f"{family}_batches",
        jobs=JOBS,
        minimum_interval_seconds=EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"deployment"},
        description=f"Asks endpoints that speak {' or '.join(protocols_of(family))} about open batches, and starts the "
        "runs that collect what has ended.",
    )
    def batches(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Poll the open batches of all projects."""
        from eval_pipeline.defs.batch_sensors import look_after_batches  # noqa: PLC0415 - only where it ticks

        return look_after_batches(context, context.resources.deployment, family=family)

    return batches


SENSORS = (requested_runs, *(batch_sensor(family) for family in FAMILIES))
