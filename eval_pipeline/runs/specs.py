"""How ``spec`` begins a run, whatever its flow: the name is claimed with what was given, or what is frozen is read.

Then the frozen specification is stored as a stage.
"""

import json
from collections.abc import Callable
from typing import Final, TypeVar

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import same_but_for_endpoints
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.claims import CLAIMED_AT, FrozenSpec, Pinned, Prepared, claim
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.task import Task

RUN_NOT_SPECIFIED: Final = "run_not_specified"
SpecT = TypeVar("SpecT", bound=FrozenSpec)
PinnedT = TypeVar("PinnedT", bound=Pinned)


def claim_or_find(
    task: Task,
    *,
    prepare: Callable[[Json], Prepared[SpecT, PinnedT]],
    estimate: Callable[[Prepared[SpecT, PinnedT]], JsonDict],
) -> tuple[RunRecord, JsonDict | None]:
    """Return the run, and what it may cost when it was claimed just now.

    Args:
        task: of ``spec``; where nothing was filled in, the stage is made again as the run was specified.
        prepare: checks the form.
        estimate: says what the run may cost.

    Raises:
        UsageError: ``run_not_specified``, for a run that was never specified.
        ConflictError: ``run_name_already_exists``, when it was specified otherwise.
    """
    deployment, key = task.deployment, task.key
    run = deployment.ledger.find_run(flow=task.flow, key=key)
    if not task.given:
        if run is None:
            raise UsageError(
                f"run {key.partition} has no specification yet",
                code=RUN_NOT_SPECIFIED,
                hint=f"give spec its configuration (at least {plan_of(task.flow).options[0].name}) in the Launchpad: "
                "Shift+click on Materialize",
            )
        return run, None
    prepared = prepare(task.given)
    if run is None:
        told = estimate(prepared)
        return claim(prepared, flow=task.flow, requested_by=task.requested_by, deployment=deployment, here=True), told
    if not same_but_for_endpoints(prepared.spec.to_json(), run.spec):
        raise ConflictError(
            f"run {key.partition} exists with another specification "
            f"({run.spec_hash[:12]}, given {prepared.spec.hash[:12]})",
            code="run_name_already_exists",
            hint="choose another name; or materialize without configuration to make the stages of this run again",
        )
    return run, None


def store_spec(task: Task, *, run: RunRecord, facts: Json, estimate: Json | None) -> StageReader:
    """Store the frozen specification as the stage, with what its asset shows.

    Args:
        task: of ``spec``.
        run: as it was claimed or found.
        facts: what the flow's asset says of the specification, beside the dataset.
        estimate: what the run may cost; None when it was claimed before.
    """
    ref = task.ref("spec")
    with at_work(task.deployment, ref, schema=None, dagster_run_id=task.dagster_run_id) as stage:
        document = json.dumps(run.spec, ensure_ascii=False, indent=2, sort_keys=True)
        stage.files.add_file("spec.json", document.encode())
        stage.files.finish(
            {
                "dataset": run.dataset_name,
                "dataset_version": run.dataset_version,
                **facts,
                "requested_by": run.requested_by,
                CLAIMED_AT: run.created_at.isoformat(),
                "estimate": estimate,
                "markdown": f"```json\n{document}\n```",
            }
        )
    return task.deployment.stages.open(ref)
