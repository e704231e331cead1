"""Makes the assets, checks and job of a flow from its declaration. One partition of its set is one run.

An asset reads its task off Dagster and calls ``make`` of the module of its name; all that is particular lies there.
"""

from collections.abc import Callable, Iterator, Mapping

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from eval_pipeline.core.checks import Severity, check_in
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.defs.executor import named_in_process_executor
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.forms import Form, PaidForm, form_of
from eval_pipeline.defs.io_managers import OPTIONAL
from eval_pipeline.defs.partitions import RUNS
from eval_pipeline.defs.pools import slot, static_pool
from eval_pipeline.defs.tasks import task_of
from eval_pipeline.runs.flow import Check, FlowPlan, Stage, stage_module
from eval_pipeline.runs.specs import RUN_NOT_SPECIFIED

_RESOURCES = {"deployment", "progress"}
_WINDOWS = "No batch is open for longer than its window, no results are about to expire, and the account can be asked."
SPECIFIED = "specified"
WAITING_TAG = "eval_pipeline/waiting_for"
_Made = Iterator[dg.Output[StageReader] | dg.AssetCheckResult]


def assets_of(plan: FlowPlan) -> list[dg.AssetsDefinition]:
    """Make the asset of every stage."""
    return [_asset(plan, stage) for stage in plan.stages]


def _asset(plan: FlowPlan, stage: Stage) -> dg.AssetsDefinition:
    decorate: Callable[[Callable[..., _Made]], dg.AssetsDefinition] = dg.asset(
        name=stage.name,
        key_prefix=str(plan.flow),
        group_name=str(plan.flow),
        description=stage.says,
        ins={name: _input(plan, name, optional=name in stage.optional) for name in stage.inputs},
        partitions_def=RUNS[plan.flow],
        owners=["team:evaluation"],
        kinds=set(stage.kinds),
        pool=static_pool(stage),
        required_resource_keys=_RESOURCES,
        io_manager_key="stages",
        output_required=not (stage.may_yield_nothing or _claims(plan, stage)),
        check_specs=[_specified(plan, stage)] if _claims(plan, stage) else None,
    )
    form = form_of(stage)
    if form is None:

        def plain(context: dg.AssetExecutionContext, **inputs: StageReader | None) -> _Made:
            yield from _make(context, plan, stage, form=None, inputs=inputs)

        return decorate(plain)

    def formed(
        context: dg.AssetExecutionContext,
        config: form,  # type: ignore[valid-type]  # made from the declaration; Dagster reads it
        **inputs: StageReader | None,
    ) -> _Made:
        yield from _make(context, plan, stage, form=config, inputs=inputs)

    return decorate(formed)


def _claims(plan: FlowPlan, stage: Stage) -> bool:
    """Whether a run begins with the stage."""
    return stage is plan.stages[0]


def _specified(plan: FlowPlan, stage: Stage) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SPECIFIED,
        asset=[str(plan.flow), stage.name],
        description="Somebody has said what the run is to evaluate.",
        partitions_def=RUNS[plan.flow],
    )


def _input(plan: FlowPlan, name: str, *, optional: bool) -> dg.AssetIn:
    return dg.AssetIn(
        key=[str(plan.flow), name],
        metadata={OPTIONAL: True} if optional else None,
        dagster_type=StageReader | None if optional else StageReader,  # type: ignore[arg-type]  # any type that it knows
    )


def _make(
    context: dg.AssetExecutionContext,
    plan: FlowPlan,
    stage: Stage,
    *,
    form: Form | None,
    inputs: Mapping[str, StageReader | None],
) -> _Made:
    """Make a stage and describe it, or yield nothing where there is none now: all that depends on it is skipped."""
    from eval_pipeline.defs.metadata import describe  # noqa: PLC0415 - not when this loads
    from eval_pipeline.runs.batches import is_left_to_holder  # noqa: PLC0415 - the same

    again = form.again() if isinstance(form, PaidForm) else {}
    task = task_of(context, flow=plan.flow, given=form.given() if form else {}, **again)
    stored, unspecified = None, None
    with explained(), slot(context, task, stage):
        try:
            stored = stage_module(plan.flow, stage.name).make(task, **inputs)
        except UsageError as error:
            if error.code != RUN_NOT_SPECIFIED:
                raise
            unspecified = f"{error.message}: {error.hint}"
        except ConflictError as error:
            if stage.paid is None or not is_left_to_holder(task, error):
                raise
    if unspecified is not None:  # a failed run would mark every stage of the partition as failed
        context.log.error(unspecified)
        yield dg.AssetCheckResult(check_name=SPECIFIED, passed=False, description=unspecified)
    elif stored is not None:
        yield dg.Output(stored, metadata=describe(stored))
        if _claims(plan, stage):
            yield dg.AssetCheckResult(check_name=SPECIFIED, passed=True)
    _tell_waiting(context, plan, stage, waits=stored is None and (stage.paid is not None or unspecified is not None))


def _tell_waiting(context: dg.AssetExecutionContext, plan: FlowPlan, stage: Stage, *, waits: bool) -> None:
    """Say in the run's tags what it waits for: its Dagster run succeeds. Dagster copies tags to runs that follow."""
    for_what = "its configuration" if _claims(plan, stage) else f"the provider ({stage.name})"
    if waits:
        context.instance.add_run_tags(context.run.run_id, {WAITING_TAG: for_what})
    elif context.run.tags.get(WAITING_TAG) == for_what:
        context.instance.add_run_tags(context.run.run_id, {WAITING_TAG: "no more"})


def checks_of(plan: FlowPlan) -> list[dg.AssetChecksDefinition]:
    """Make the checks: of what paid stages failed at, of the batches that are out for them, and what stages declare."""
    thresholds = [_threshold(plan, stage, about=stage.paid.threshold) for stage in plan.stages if stage.paid]
    batches = [_freshness(plan, stage, of=stage.submits_for) for stage in plan.stages if stage.submits_for]
    return [*thresholds, *batches, *(_declared(plan, stage, check) for stage in plan.stages for check in stage.checks)]


def _threshold(plan: FlowPlan, stage: Stage, *, about: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([str(plan.flow), stage.name]),
        name="failure_threshold",
        blocking=True,
        partitions_def=RUNS[plan.flow],
        required_resource_keys=_RESOURCES,
        description=about,
    )
    def failure_threshold(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs import breach  # noqa: PLC0415 - not when this loads

        with explained():
            return breach.judge(context, task_of(context, flow=plan.flow), stage=stage.name)

    return failure_threshold


def _freshness(plan: FlowPlan, stage: Stage, *, of: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([str(plan.flow), stage.name]),
        name="batch_freshness",
        partitions_def=RUNS[plan.flow],
        required_resource_keys=_RESOURCES,
        description=_WINDOWS,
    )
    def batch_freshness(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs.batch_sensors import judge_freshness  # noqa: PLC0415 - not when this loads

        with explained():
            return judge_freshness(task_of(context, flow=plan.flow), collected_by=of)

    return batch_freshness


def _declared(plan: FlowPlan, stage: Stage, check: Check) -> dg.AssetChecksDefinition:
    def judged(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with explained():
            task = task_of(context, flow=plan.flow)
            found = check_in(task.deployment.stages.open(task.ref(stage.name)).manifest.summary, check.name)
        return dg.AssetCheckResult(
            passed=found.passed,
            severity=SEVERITIES[found.severity],
            description=found.words,
            metadata=dict(found.facts),
        )

    return dg.asset_check(
        asset=dg.AssetKey([str(plan.flow), stage.name]),
        name=check.name,
        partitions_def=RUNS[plan.flow],
        required_resource_keys=_RESOURCES,
        description=check.says,
    )(judged)


SEVERITIES = {Severity.WARN: dg.AssetCheckSeverity.WARN, Severity.ERROR: dg.AssetCheckSeverity.ERROR}


def job_of(plan: FlowPlan) -> UnresolvedAssetJobDefinition:
    """Make the job that makes all stages of a run."""
    return dg.define_asset_job(
        str(plan.flow),
        selection=dg.AssetSelection.assets(*([str(plan.flow), name] for name in plan.stage_names)),
        description=plan.says,
        executor_def=named_in_process_executor,
    )
