"""Answers are paid for once: over interruptions, two workers, torn journals, and errors of every kind."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.runs.control import reopen
from eval_pipeline_tests.laboratory import FAST, Laboratory, Silence, Stop, open_deployment
from eval_pipeline_tests.storage.records import change_run

FREE = {**FAST, "scorers": ["exact_match"], "concurrency": 1}
PATIENCE_S = 30


def test_an_interrupted_stage_leaves_the_run_interrupted_and_resumes(lab: Laboratory) -> None:
    stop = Stop("responses", after=2, error=DagsterExecutionInterruptedError())
    halted = lab.materialize("interrupted", config=FREE, progress=stop)
    assert not halted.success
    assert lab.state("interrupted") is RunState.INTERRUPTED

    made = lab.materialize("interrupted")

    assert made.success
    assert set(lab.provider.answers.asked.values()) == {1}
    assert made.metadata("responses")["ok"] == 3
    assert lab.state("interrupted") is RunState.COMPLETED


def test_a_torn_last_line_costs_one_question(lab: Laboratory) -> None:
    stop = Stop("responses", after=2, error=DagsterExecutionInterruptedError())
    lab.materialize("torn", config=FREE, progress=stop)
    folder = lab.deployment.home / "store" / lab.ref("torn", "responses").prefix / "journal"
    [file] = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-20])

    made = lab.materialize("torn")

    assert made.success
    assert sorted(lab.provider.answers.asked.values()) == [1, 1, 2]
    assert made.metadata("responses")["ok"] == 3


class _Block(Silence):
    """Stands still at the first answer until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        del failed, total, cost_usd
        if stage == "responses" and done == 1:
            self.reached.set()
            assert self.go_on.wait(PATIENCE_S)


def test_of_two_workers_on_one_stage_one_works_and_the_other_refuses(lab: Laboratory) -> None:
    """Two clicks on Materialize must not pay twice."""
    block = _Block()
    lab.materialize("contended", config=FREE, stages=["spec", "dataset", "response_batch"])
    with ThreadPoolExecutor(1) as other:
        first = other.submit(lab.materialize, "contended", stages=["responses"], progress=block)
        assert block.reached.wait(PATIENCE_S)
        second = lab.materialize("contended", stages=["responses"])
        assert lab.state("contended") is RunState.RUNNING
        block.go_on.set()
        assert first.result(PATIENCE_S).success

    assert second.failure["code"] == "stage_in_use"
    assert set(lab.provider.answers.asked.values()) == {1}


def test_a_refresh_that_is_retried_goes_on_with_what_it_paid_for(lab: Laboratory) -> None:
    """Dagster retries a run with its configuration: ``refresh`` again must not mean paying again."""
    lab.materialize("refreshing", config=FREE)
    stop = Stop("responses", after=2, error=DagsterExecutionInterruptedError())
    halted = lab.materialize("refreshing", refresh=["responses"], progress=stop)
    assert not halted.success

    retry = {"dagster/parent_run_id": halted.result.run_id, "dagster/retry_number": "1"}
    made = lab.materialize("refreshing", refresh=["responses"], tags=retry)

    assert made.success
    assert set(lab.provider.answers.asked.values()) == {2}
    assert lab.materialize("refreshing", refresh=["responses"], stages=["responses"]).success
    assert set(lab.provider.answers.asked.values()) == {3}


def test_a_budget_leaves_the_run_incomplete_and_says_how_to_go_on(lab: Laboratory) -> None:
    made = lab.materialize("poor", config={**FREE, "max_cost_usd": 1e-9})

    assert made.failure["code"] == "budget_exceeded"
    assert "--max-cost-usd" in made.failure["hint"]
    assert lab.state("poor") is RunState.INCOMPLETE
    assert lab.provider.answers.requests == 0

    reopen(lab.deployment, flow=Flow.TEXT, key=RunKey(project="default", run="poor"), max_cost_usd=1.0, here=True)
    assert lab.materialize("poor").success
    assert lab.state("poor") is RunState.COMPLETED


def test_a_cancelled_run_stops_at_its_next_item_and_resumes(lab: Laboratory) -> None:
    key = RunKey(project="default", run="cancelled")
    lab.materialize("cancelled", config=FREE, stages=["spec", "dataset", "response_batch"])
    change_run(lab.deployment.ledger, key=key, cancel_requested=True)

    stopped = lab.materialize("cancelled", stages=["responses"])

    assert stopped.failure["code"] == "run_cancelled"
    assert lab.state("cancelled") is RunState.CANCELLED
    assert lab.provider.answers.requests == 0
    reopen(lab.deployment, flow=Flow.TEXT, key=key, max_cost_usd=None, here=True)
    assert lab.materialize("cancelled").success


def test_a_run_that_scores_is_cancelled_and_a_cancelled_one_can_be_scored(lab: Laboratory) -> None:
    """Cancelling had no effect on the stage that a pattern held up for ever."""
    key = RunKey(project="default", run="scoring")
    stages = ["spec", "dataset", "response_batch", "responses", "embedding_batch", "embeddings"]
    lab.materialize("scoring", config=FREE, stages=stages)
    change_run(lab.deployment.ledger, key=key, cancel_requested=True)

    assert lab.materialize("scoring", stages=["scores"]).failure["code"] == "run_cancelled"
    assert lab.state("scoring") is RunState.CANCELLED
    assert lab.materialize("scoring", stages=["scores"]).success


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unauthorized", "provider_auth_failed"),
        ("insufficient_quota", "provider_quota_exhausted"),
        pytest.param("html", "provider_not_an_api", marks=pytest.mark.slow),
        pytest.param("not_found", "model_not_found", marks=pytest.mark.slow),
    ],
)
def test_a_fault_of_the_account_fails_the_stage_with_words_and_keeps_the_items(
    lab: Laboratory, fault: str, code: str
) -> None:
    with lab.provider.behaving({"kind": fault, "endpoint": "responses"}):
        failed = lab.materialize(f"account-{fault}", config=FREE)
    assert failed.failure["code"] == code
    assert failed.failure["hint"]
    run = lab.run(f"account-{fault}")
    assert (run.state, run.error_code) == (RunState.FAILED, code)

    assert lab.materialize(f"account-{fault}").success
    assert lab.state(f"account-{fault}") is RunState.COMPLETED


def test_a_missing_key_is_told_before_the_run_is_claimed(lab: Laboratory) -> None:
    keyless = open_deployment(lab.deployment.home, lab.provider, OPENAI_API_KEY="")

    refused = lab.materialize("keyless", config=FREE, deployment=keyless)

    assert refused.failure["code"] == "missing_api_key"


def test_what_is_stored_can_be_made_again_without_a_key(lab: Laboratory) -> None:
    lab.materialize("stored", config=FREE)
    keyless = open_deployment(lab.deployment.home, lab.provider, OPENAI_API_KEY="")

    assert lab.materialize("stored", deployment=keyless).success


def test_recorded_answers_are_taken_from_the_form_and_nobody_is_asked(lab: Laboratory, tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("question,model_answer\nWhat is 2 + 2?,4\nCapital of France?,Lyon\n")
    config = {"dataset": "golden", "answers": str(answers), "scorers": ["contains"]}
    made = lab.materialize("from-a-file", config=config)
    answers.unlink()

    assert made.success
    assert made.stages[-1] == "report"
    assert lab.provider.answers.requests == 0
    assert [row["status"] for row in lab.stored("from-a-file", "responses").rows()] == ["ok", "ok", "missing"]
    assert lab.materialize("from-a-file", stages=["responses", "scores"], refresh=["responses"]).success
    assert lab.provider.answers.requests == 0
