"""A missed threshold: everything is kept, the run is failed and marked, and comes back when the provider is mended."""

import pytest

from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.control import reopen
from eval_pipeline.text_eval import tables
from eval_pipeline_tests.laboratory import FAST, Laboratory, Made, open_deployment

BROKEN = {"kind": "server_error", "endpoint": "responses"}
REFUSING = {"kind": "refusal", "endpoint": "responses"}
CONFIG = {**FAST, "failure_threshold": 0.5}


@pytest.fixture(scope="module")
def breached(shared_laboratory: Laboratory) -> Made:
    """A run of which two of three items were refused."""
    lab = shared_laboratory
    with lab.provider.behaving({**REFUSING, "match": "France"}, {**REFUSING, "match": "2 + 2"}):
        return lab.materialize("breached", config=CONFIG)


def test_a_breach_fails_the_run_and_skips_what_is_downstream(breached: Made, lab: Laboratory) -> None:
    assert not breached.success
    assert breached.stages[:4] == ["spec", "dataset", "response_batch", "responses"]
    assert not {"embeddings", "scores"} & set(breached.stages)
    run = lab.run("breached")
    assert run.state is RunState.FAILED
    assert run.error_code == "failure_threshold_breached"
    assert "66.7%" in str(run.error_message)


def test_the_check_of_a_breach_carries_both_numbers(breached: Made) -> None:
    check = breached.check("responses")

    assert not check.passed
    assert check.blocking
    assert {name: value.value for name, value in check.metadata.items()} == {
        "observed": pytest.approx(2 / 3),
        "threshold": 0.5,
        "failed": 2,
        "total": 3,
    }
    assert check.description is not None
    judged, why = check.description.split(" 2 times ")
    assert judged == "2 of 3 items failed (66.67%): more than the 50.00% that the run allows."
    assert why.startswith("refusal: ")


def test_everything_is_stored_before_it_is_judged(breached: Made, lab: Laboratory) -> None:
    statuses = {row["item_id"]: row["status"] for row in lab.stored("breached", "responses").rows()}

    assert sorted(statuses.values()) == [ItemStatus.OK, ItemStatus.REFUSED, ItemStatus.REFUSED]


def test_a_marked_report_is_materialized_all_the_same(breached: Made, lab: Laboratory) -> None:
    shown = breached.metadata("report")

    assert breached.stages[-1] == "report"
    assert shown["breached"] is True
    assert b"threshold" in lab.stored("breached", "report").file("report.html")


def test_what_was_answered_is_scored_all_the_same_and_the_mark_stays(lab: Laboratory) -> None:
    """The report said that nothing was scored, though a third had been answered."""
    with lab.provider.behaving({**REFUSING, "match": "France"}, {**REFUSING, "match": "2 + 2"}):
        made = lab.materialize("scored", config={**CONFIG, "scorers": ["exact_match", "cosine_similarity"]})

    [exact, cosine] = lab.stored("scored", "scores").manifest.summary["summary_scores"]
    assert made.stages[-2:] == ["scores", "report"]
    assert (exact["total_pairs"], cosine["total_pairs"], cosine["unscoreable"]["embedding_failed"]) == (1, 0, 1)
    assert lab.run("scored").error_code == "failure_threshold_breached"
    assert b"Nothing was scored" not in lab.stored("scored", "report").file("report.html")


def test_stages_made_by_hand_after_a_breach_keep_the_mark(lab: Laboratory) -> None:
    with lab.provider.behaving({**REFUSING, "match": "France"}, {**REFUSING, "match": "2 + 2"}):
        lab.materialize("by-hand", config=CONFIG)

    embedded = lab.materialize("by-hand", stages=["embedding_batch", "embeddings"])
    assert not embedded.check("embeddings").passed
    for stage in ("scores", "report"):
        made = lab.materialize("by-hand", stages=[stage])
        assert made.success
        run = lab.run("by-hand")
        assert (run.state, run.error_code) == (RunState.FAILED, "failure_threshold_breached")
    assert made.metadata("report")["breached"] is True
    assert lab.stored("by-hand", "scores").manifest.rows == 3


def test_a_retry_after_the_provider_is_mended_completes_the_run_and_clears_the_mark(lab: Laboratory) -> None:
    impatient = open_deployment(lab.deployment.home, lab.provider, EVAL_RETRY_MAX_ATTEMPTS="1")
    with lab.provider.behaving({**BROKEN, "match": "France"}, {**BROKEN, "match": "2 + 2"}):
        lab.materialize("mended", config=CONFIG, deployment=impatient)
    assert lab.run("mended").error_code == "failure_threshold_breached"

    with lab.provider.behaving():
        reopen(lab.deployment, flow=Flow.TEXT, key=lab.run("mended").key, max_cost_usd=None, here=True)
        made = lab.materialize("mended")
        assert lab.provider.answers.requests == 2

    assert made.success
    assert (lab.state("mended"), lab.run("mended").error_code) == (RunState.COMPLETED, None)
    assert made.metadata("report")["breached"] is False


def test_embeddings_that_failed_are_counted_with_the_answers(lab: Laboratory) -> None:
    with lab.provider.behaving(
        {**REFUSING, "match": "France"}, {"kind": "bad_request", "endpoint": "embeddings", "match": "42"}
    ):
        made = lab.materialize("embeddings-failed", config=CONFIG)

    assert made.check("responses").passed
    check = made.check("embeddings")
    assert not check.passed
    assert (check.metadata["failed"].value, check.metadata["total"].value) == (2, 3)
    assert made.metadata("embeddings")["failed_embeddings"] == 1
    assert made.stages[-1] == "report"
    assert lab.run("embeddings-failed").error_code == "failure_threshold_breached"


def test_nothing_to_evaluate_is_a_breach(lab: Laboratory) -> None:
    lab.materialize("empty", config=CONFIG, stages=["spec", "dataset", "response_batch"])
    with at_work(lab.deployment, lab.ref("empty", "dataset"), schema=tables.DATASET) as stage:
        stage.files.finish(lab.stored("empty", "dataset").manifest.summary)

    made = lab.materialize("empty", stages=["responses"])

    check = made.check("responses")
    assert not check.passed
    assert check.description == "There was nothing to evaluate."
    assert check.metadata["observed"].value == "no items"
    assert lab.state("empty") is RunState.FAILED
