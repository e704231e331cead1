"""Batch runs whose stages are in use by somebody else: one process collects, the others leave it to that one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from decimal import Decimal
from threading import Event

import dagster as dg
import pytest

from eval_pipeline.core.batches import JobState
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.defs.batch_sensors import look_after_batches
from eval_pipeline.dispatch.leases import HeldLease, hold
from eval_pipeline.runs.at_work import BEAT_EVERY_S
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.laboratory import Laboratory, Made, Silence

PATIENCE_S = 60
BATCH = {"dataset": "golden", "mode": "batch", "scorers": ["exact_match"]}
SUBMITTING = ("spec", "dataset", "response_batch")
COLLECTING = plan_of(Flow.TEXT).stages_from("responses")


class _Block(Silence):
    """Stands still when the answers are collected, until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        del done, failed, total, cost_usd
        if stage == "responses":
            self.reached.set()
            assert self.go_on.wait(PATIENCE_S)


@pytest.fixture
def neighbour(lab: Laboratory) -> Iterator[Laboratory]:
    """Open another Dagster instance on the same ledger and store, with a daemon of its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Laboratory(lab.deployment, instance=instance, provider=lab.provider)


def said(lab: Laboratory, made: Made) -> str:
    """Return all that the log of a Dagster run says."""
    return "\n".join(entry.user_message for entry in lab.instance.all_logs(made.result.run_id))


def asked_for(lab: Laboratory) -> list[str | None]:
    """Let the sensor of an instance tick once, and return the partitions that it asks runs for."""
    with dg.build_sensor_context(instance=lab.instance) as context:
        answer = look_after_batches(context, lab.deployment, family=OPENAI)
    assert isinstance(answer, dg.SensorResult)
    return [request.partition_key for request in answer.run_requests or []]


def test_of_two_daemons_that_collect_at_once_one_does_and_the_other_yields_nothing(
    lab: Laboratory, neighbour: Laboratory
) -> None:
    lab.materialize("two-daemons", config=BATCH, stages=SUBMITTING)
    assert asked_for(lab) == asked_for(neighbour) == ["two-daemons"]
    block = _Block()

    with ThreadPoolExecutor(1) as other:
        first = other.submit(lab.materialize, "two-daemons", stages=COLLECTING, progress=block)
        assert block.reached.wait(PATIENCE_S)
        second = neighbour.materialize("two-daemons", stages=COLLECTING)
        assert lab.state("two-daemons") is RunState.RUNNING
        block.go_on.set()
        collected = first.result(PATIENCE_S)

    assert second.success
    assert second.stages == []
    assert "responses is being worked on by process" in said(neighbour, second)
    assert collected.success
    assert collected.stages[0] == "responses"
    assert lab.state("two-daemons") is RunState.COMPLETED
    jobs = lab.deployment.ledger.stage_jobs(lab.ref("two-daemons", "responses"))
    assert [(job.state, job.outcomes) for job in jobs] == [(JobState.COLLECTED, {"ok": 3})]


def test_a_stage_whose_batches_are_being_submitted_is_left_waiting(lab: Laboratory) -> None:
    """Two clicks: the one that submits goes on, the one that collects comes again."""
    lab.materialize("clicked", config=BATCH, stages=SUBMITTING)

    with held(lab.deployment, f"{lab.ref('clicked', 'responses').prefix}/jobs"):
        made = lab.materialize("clicked", stages=COLLECTING)
        assert lab.state("clicked") is RunState.WAITING

    assert made.success
    assert made.stages == []
    assert "it is left to that process" in said(lab, made)
    assert lab.materialize("clicked", stages=COLLECTING).stages[0] == "responses"
    assert lab.state("clicked") is RunState.COMPLETED


def test_embeddings_in_use_are_left_to_their_holder(lab: Laboratory) -> None:
    lab.materialize("embedding", config={"dataset": "golden", "mode": "batch"}, stages=[*SUBMITTING, "responses"])

    with held(lab.deployment, str(lab.ref("embedding", "embeddings").prefix)):
        made = lab.materialize("embedding", stages=plan_of(Flow.TEXT).stages_from("embedding_batch"))

    assert made.success
    assert made.stages == ["embedding_batch"]
    assert lab.materialize("embedding", stages=plan_of(Flow.TEXT).stages_from("embeddings")).success
    assert lab.state("embedding") is RunState.COMPLETED


def test_who_wants_to_start_over_is_told_that_the_stage_is_in_use(lab: Laboratory) -> None:
    """A run that succeeded would seem to have paid again."""
    lab.materialize("anew", config=BATCH, stages=SUBMITTING)

    with held(lab.deployment, str(lab.ref("anew", "responses").prefix)):
        made = lab.materialize("anew", stages=["responses"], refresh=["responses"])

    assert made.failure["code"] == "stage_in_use"


def held(deployment: Deployment, resource: str) -> AbstractContextManager[HeldLease]:
    """Hold a lease that beats."""
    return hold(deployment.ledger, resource, worker=deployment.worker, beat_every_s=BEAT_EVERY_S)
