"""What the assets and checks of every flow share: how a stage becomes an asset, yields nothing, is judged."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.io_managers import OPTIONAL
from eval_pipeline.defs.partitions import RUNS
from eval_pipeline.defs.tasks import task_of
from eval_pipeline.runs.task import Task

_RESOURCES = {"deployment", "progress"}
Decorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def stages_of(flow: Flow) -> Callable[..., Decorator]:
    """Return the decorator that makes a function the asset of a stage of the flow."""

    def stage(**options: Any) -> Decorator:  # noqa: ANN401 - as dg.asset takes them
        decorate: Decorator = dg.asset(
            key_prefix=str(flow),
            group_name=str(flow),
            partitions_def=RUNS[flow],
            owners=["team:evaluation"],
            required_resource_keys=_RESOURCES,
            io_manager_key="stages",
            **options,
        )
        return decorate

    return stage


class SpecForm(dg.Config):
    """What a flow's ``spec`` is given in the Launchpad."""

    def given(self) -> dict[str, Any]:
        """Return what a person filled in; nothing when the form was left as it was."""
        if self == type(self)():
            return {}
        return {name: value for name, value in self.model_dump().items() if value not in (None, "", [], {})}


class PaidConfig(dg.Config):
    """How a stage that pays is made again."""

    refresh: bool = Field(
        default=False, description="Start over and pay again, instead of asking only what is missing."
    )
    resend_lost: bool = Field(
        default=False, description="Send items again whose batch result is gone; they may be charged a second time."
    )
    endpoint_changed: bool = Field(
        default=False,
        description="Accept that another endpoint is asked than the run was specified for; every row then says which.",
    )


def optional(flow: Flow, name: str) -> dg.AssetIn:
    """Name an upstream stage that a stage can do without."""
    return dg.AssetIn(key=[str(flow), name], metadata={OPTIONAL: True})


def made(make: Callable[[], StageReader]) -> dg.Output[StageReader]:
    """Make a stage and describe it; what goes wrong is explained."""
    from eval_pipeline.defs.metadata import describe  # noqa: PLC0415 - not when this loads

    with explained():
        stored = make()
    return dg.Output(stored, metadata=describe(stored))


def made_if_any(make: Callable[[], StageReader | None]) -> Iterator[dg.Output[StageReader]]:
    """Make a stage that a run can do without, or yield nothing."""
    from eval_pipeline.defs.metadata import describe  # noqa: PLC0415 - not when this loads

    with explained():
        stored = make()
    if stored is not None:
        yield dg.Output(stored, metadata=describe(stored))


def made_when_ready(task: Task, make: Callable[[], StageReader | None]) -> Iterator[dg.Output[StageReader]]:
    """Make a stage, or yield nothing while it waits or another process makes it: all that depends on it is skipped."""
    from eval_pipeline.defs.metadata import describe  # noqa: PLC0415 - the same
    from eval_pipeline.runs.batches import leaving_to_holder  # noqa: PLC0415 - not when this loads

    stored = None
    with explained(), leaving_to_holder(task):
        stored = make()
    if stored is not None:
        yield dg.Output(stored, metadata=describe(stored))


def threshold_check(stage: dg.AssetsDefinition, *, about: str) -> dg.AssetChecksDefinition:
    """Make the blocking check that compares a paid stage's failures with the run's threshold."""
    flow = Flow(stage.key.path[0])

    @dg.asset_check(
        asset=stage,
        name="failure_threshold",
        blocking=True,
        partitions_def=RUNS[flow],
        required_resource_keys=_RESOURCES,
        description=about,
    )
    def failure_threshold(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs import breach  # noqa: PLC0415 - not when this loads

        with explained():
            return breach.judge(context, task_of(context, flow=flow), stage=stage.key)

    return failure_threshold


def freshness_check(stage: dg.AssetsDefinition, *, collected_by: str) -> dg.AssetChecksDefinition:
    """Make the check that says whether a stage's batches are within their window; the sensor reports it, too."""
    flow = Flow(stage.key.path[0])

    @dg.asset_check(
        asset=stage,
        name="batch_freshness",
        partitions_def=RUNS[flow],
        required_resource_keys=_RESOURCES,
        description="No batch is open for longer than its window, no results are about to expire, and the account can "
        "be asked.",
    )
    def batch_freshness(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs.batch_sensors import judge_freshness  # noqa: PLC0415 - not when this loads

        with explained():
            return judge_freshness(task_of(context, flow=flow), collected_by=collected_by)

    return batch_freshness
