"""The text flow through Dagster, as a person drives it from the UI."""

from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.defs.worker_tags import ALIVE_TAG, WORKER_TAG, worker_of
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.text_eval.flow import PLAN
from eval_pipeline.text_eval.view import export_run, show_run
from eval_pipeline_tests.laboratory import FAST, Laboratory, Made, Silence

BY_HAND = ("spec", "dataset", "response_batch", "responses", "embedding_batch", "embeddings", "scores", "report")


@pytest.fixture(scope="module")
def whole(shared_laboratory: Laboratory) -> Made:
    """A whole run, made once."""
    with shared_laboratory.provider.behaving():
        return shared_laboratory.materialize("whole", config={**FAST, "scorers": ["cosine_similarity", "exact_match"]})


def test_a_whole_run_materializes_every_stage_and_completes(whole: Made, lab: Laboratory) -> None:
    assert whole.success
    assert whole.stages == list(BY_HAND)
    assert lab.state("whole") is RunState.COMPLETED
    assert set(whole.stages) | {"traces"} == set(plan_of(Flow.TEXT).stage_names)


@pytest.mark.parametrize(("stage", "rows"), [("dataset", 3), ("responses", 3), ("embeddings", 3), ("scores", 6)])
def test_tables_show_their_rows_and_columns(whole: Made, lab: Laboratory, stage: str, rows: int) -> None:
    shown = whole.raw_metadata(stage)

    assert shown["dagster/row_count"].value == rows
    schema = shown["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert {column.name: column.type for column in schema.columns} == lab.stored("whole", stage).manifest.columns


def test_every_stage_says_what_it_was_made_from(whole: Made, lab: Laboratory) -> None:
    for stage in BY_HAND:
        shown = whole.metadata(stage)
        assert shown["spec_hash"] == lab.run("whole").spec_hash
        assert shown["manifest_sha256"] == lab.stored("whole", stage).manifest.sha256
    assert set(whole.metadata("scores")["inputs"]) == {"dataset", "responses", "embeddings"}


def test_paid_stages_show_counts_and_cost(whole: Made) -> None:
    answers, embeddings = whole.metadata("responses"), whole.metadata("embeddings")

    assert (answers["total"], answers["ok"], answers["failed"]) == (3, 3, 0)
    assert answers["cost_usd"] > 0
    assert embeddings["cost_usd"] > 0
    assert embeddings["failed_embeddings"] == 0
    assert answers["calls"] == 3
    assert embeddings["calls"] == 1


def test_scores_show_means_with_intervals_and_a_plot(whole: Made) -> None:
    shown = whole.raw_metadata("scores")

    mean, low, high = (shown[f"cosine_similarity_{name}"].value for name in ("mean", "ci_low", "ci_high"))
    assert low <= mean <= high  # type: ignore[operator]  # numbers
    assert shown["exact_match_total_pairs"].value == 3
    assert isinstance(shown["summary"], dg.MarkdownMetadataValue)
    assert "<img" in str(shown["summary"].value) or "![" in str(shown["summary"].value)


def test_the_report_shows_its_summary_its_place_and_the_cost_of_the_run(whole: Made) -> None:
    shown = whole.raw_metadata("report")

    assert isinstance(shown["summary"], dg.MarkdownMetadataValue)
    assert str(shown["report"].value).endswith("/report.html")
    assert shown["cost_usd"].value == pytest.approx(
        whole.metadata("responses")["cost_usd"] + whole.metadata("embeddings")["cost_usd"], rel=1e-12
    )
    assert shown["breached"].value is False


def test_both_checks_pass_with_both_numbers(whole: Made) -> None:
    for stage in ("responses", "embeddings"):
        check = whole.check(stage)
        assert check.passed
        assert {name: value.value for name, value in check.metadata.items()} == {
            "observed": 0.0,
            "threshold": 0.5,
            "failed": 0,
            "total": 3,
        }
        assert check.partition == "whole"


def test_the_dagster_run_names_its_process(whole: Made, lab: Laboratory) -> None:
    record = lab.instance.get_run_by_id(whole.result.run_id)

    assert record is not None
    assert worker_of(record.tags, run_id=whole.result.run_id) == lab.deployment.worker
    assert sorted(name for name in record.tags if name.startswith("eval_pipeline/")) == [ALIVE_TAG, WORKER_TAG]


@pytest.mark.parametrize("stage", BY_HAND)
def test_one_stage_made_again_needs_no_configuration_and_calls_nobody(whole: Made, lab: Laboratory, stage: str) -> None:
    before = lab.stored("whole", stage).manifest

    made = lab.materialize("whole", stages=[stage])

    assert made.stages == [stage]
    assert made.success
    assert lab.provider.answers.requests == lab.provider.embeddings.requests == 0
    assert lab.state("whole") is RunState.COMPLETED
    after = lab.stored("whole", stage).manifest
    assert after.attempt > before.attempt
    if stage != "report":  # it says when it was written
        assert [part.sha256 for part in after.parts] == [part.sha256 for part in before.parts]


def test_a_whole_run_made_again_pays_nothing_and_scores_the_same(whole: Made, lab: Laboratory) -> None:
    again = lab.materialize("whole")

    assert again.stages == list(BY_HAND)
    assert lab.provider.answers.requests == lab.provider.embeddings.requests == 0
    assert again.metadata("responses")["calls"] == 0
    for name in ("summary_scores", "cosine_similarity_mean", "exact_match_mean"):
        assert again.metadata("scores")[name] == whole.metadata("scores")[name]
    assert again.metadata("report")["cost_usd"] == whole.metadata("report")["cost_usd"]


def test_refresh_asks_everything_again(lab: Laboratory) -> None:
    lab.materialize("refreshed", config=FAST)
    lab.provider.answers.requests = 0

    made = lab.materialize("refreshed", refresh=["responses", "embeddings"])

    assert made.success
    assert lab.provider.answers.asked.total() == 6
    assert made.metadata("responses")["calls"] == 3
    assert made.metadata("embeddings")["calls"] == 1


def test_without_cosine_nothing_is_embedded(lab: Laboratory) -> None:
    made = lab.materialize("no-cosine", config={**FAST, "scorers": ["exact_match"]})

    assert made.success
    assert lab.provider.embeddings.requests == 0
    assert made.metadata("embeddings")["note"] == "no scorer compares embeddings"
    assert made.metadata("scores")["exact_match_total_pairs"] == 3
    assert lab.state("no-cosine") is RunState.COMPLETED


def test_repeats_are_asked_and_shown(lab: Laboratory) -> None:
    made = lab.materialize("repeated", config={**FAST, "repeats": 2, "scorers": ["exact_match"]})

    assert lab.provider.answers.requests == 6
    assert set(lab.provider.answers.asked.values()) == {2}
    shown = made.metadata("dataset")
    assert (shown["original_items_count"], shown["duplication_factor"], shown["total_items_count"]) == (3, 2, 6)


def test_answers_that_are_stored_again_with_the_same_content_keep_their_scores(lab: Laboratory, tmp_path: Path) -> None:
    lab.materialize("kept", config=FAST)
    before = show_run(lab.deployment, lab.run("kept").key, detail=True)

    assert lab.materialize("kept", stages=["responses"]).success

    after = show_run(lab.deployment, lab.run("kept").key, detail=True)
    assert after["summary_scores"] == before["summary_scores"] != []
    assert after["traces"] == before["traces"]
    assert after["report"] == before["report"] is not None
    table = tmp_path / "kept.csv"
    export_run(lab.deployment, lab.run("kept").key, shape="rows", output=table, bom=False)
    assert "cosine_similarity" in table.read_text(encoding="utf-8")


class _Watching(Silence):
    """Notes which runs hold a slot of each pool while a stage is made."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self.held: set[tuple[str, str]] = set()

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        del done, failed, total, cost_usd
        for pool in ("openai", "gemini"):
            if self._instance.event_log_storage.get_concurrency_info(pool).claimed_slots:
                self.held.add((stage, pool))


def test_a_stage_holds_the_pool_of_the_provider_that_its_run_asks(lab: Laboratory) -> None:
    watching = _Watching(lab.instance)
    for pool in ("openai", "gemini"):
        lab.instance.event_log_storage.set_concurrency_slots(pool, 1)

    made = lab.materialize("pooled", config=FAST, progress=watching)

    assert made.success
    assert watching.held == {("responses", "openai"), ("embeddings", "openai")}
    assert not lab.instance.event_log_storage.get_concurrency_info("openai").claimed_slots
    paid = {stage.name: stage.paid.pool for stage in PLAN.stages if stage.paid}
    spec = {**lab.run("pooled").spec, "provider": "gemini"}
    assert {name: callable(pool) and pool(spec) for name, pool in paid.items()} == {
        "responses": "gemini",
        "embeddings": "openai",
    }


def test_scores_of_other_answers_are_refused(lab: Laboratory) -> None:
    lab.materialize("mixed", config=FAST)
    with lab.provider.behaving({"kind": "empty", "match": "Capital"}):
        lab.materialize("mixed", stages=["responses"], refresh=["responses"])

    refused = lab.materialize("mixed", stages=["scores"])
    assert refused.failure["code"] == "stages_do_not_match"
    assert "materialize embeddings" in refused.failure["hint"]

    mended = lab.materialize("mixed", stages=["embeddings", "scores", "report"])
    assert mended.success
    assert mended.metadata("scores")["cosine_similarity_total_pairs"] == 2


def test_a_deleted_dataset_still_serves_the_run_that_pinned_it(lab: Laboratory) -> None:
    lab.add_golden(lab.deployment.home, "question,answer\nWho?,Me\n", name="doomed")
    lab.materialize("survivor", config={**FAST, "dataset": "doomed"})
    lab.deployment.ledger.delete_dataset(project="default", name="doomed", version=None)

    made = lab.materialize("survivor")

    assert made.success
    assert made.metadata("dataset")["total_items_count"] == 1
    assert lab.materialize("late", config={**FAST, "dataset": "doomed"}).failure["code"] == "dataset_not_found"


def test_without_keys_traces_yields_nothing_and_says_that_it_is_off(lab: Laboratory, whole: Made) -> None:
    made = lab.materialize("whole", stages=["traces"])

    assert made.success
    assert made.stages == []
    said = [entry.user_message for entry in lab.instance.all_logs(made.result.run_id)]
    assert any(text.startswith("Langfuse is off") for text in said)
    assert lab.state("whole") is RunState.COMPLETED
