"""What the Launchpad form does: claim, read again, refuse."""

from dataclasses import fields
from typing import Any

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.defs.forms import Form, form_of
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline_tests.laboratory import FAST, Laboratory

SPEC_FORM = form_of(plan_of(Flow.TEXT).stage("spec")) or Form
FREE: dict[str, Any] = {**FAST, "scorers": ["exact_match"]}


def test_a_form_left_empty_gives_nothing() -> None:
    assert SPEC_FORM().given() == {}
    assert SPEC_FORM(**SPEC_FORM().model_dump()).given() == {}
    assert SPEC_FORM(dataset="fees", mode="batch", model="").given() == {"dataset": "fees"}, "as on a command line"


def test_the_form_has_a_described_field_for_everything_that_a_run_can_be_asked_for() -> None:
    assert set(SPEC_FORM.model_fields) == {each.name for each in fields(TextRequest)}
    assert all(field.description for field in SPEC_FORM.model_fields.values())


def test_the_form_claims_the_run_and_shows_what_is_frozen_and_estimated(lab: Laboratory) -> None:
    made = lab.materialize("claimed", config={**FREE, "model_body": {"temperature": 0}}, stages=["spec"])

    run = lab.run("claimed")
    assert run.requested_by == "dagster"
    assert run.spec["model_body"] == {"model": "gpt-4o-mini", "temperature": 0}
    shown = made.metadata("spec")
    assert shown["spec_hash"] == run.spec_hash
    assert (shown["mode"], shown["model"], shown["total_items_count"]) == ("fast", "gpt-4o-mini", 3)
    assert '"temperature": 0' in shown["summary"]
    assert "estimate" in shown
    assert lab.provider.answers.requests == 0


def test_the_same_form_again_reads_the_run_again(lab: Laboratory) -> None:
    lab.materialize("same", config=FREE)
    created_at = lab.run("same").created_at

    again = lab.materialize("same", config=FREE)

    assert again.success
    assert lab.run("same").created_at == created_at
    assert lab.provider.answers.requests == 3


def test_another_form_is_refused_and_changes_nothing(lab: Laboratory) -> None:
    lab.materialize("taken", config=FREE)
    before = lab.run("taken")

    refused = lab.materialize("taken", config={**FREE, "repeats": 2})

    assert refused.failure["code"] == "run_name_already_exists"
    assert refused.stages == []
    assert lab.run("taken") == before


def test_an_unknown_run_without_configuration_says_what_to_give(lab: Laboratory) -> None:
    """A failed Dagster run would mark all stages of the partition as failed: only the check of ``spec`` does."""
    left_empty = lab.materialize("unknown")

    assert left_empty.success
    assert left_empty.stages == []
    [check] = left_empty.result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.partition) == ("specified", False, "unknown")
    assert "Launchpad" in (check.description or "")
    run = lab.instance.get_run_by_id(left_empty.result.run_id)
    assert run is not None
    assert run.tags["eval_pipeline/waiting_for"] == "its configuration"
    assert lab.deployment.ledger.find_run(flow=Flow.TEXT, key=RunKey(project="default", run="unknown")) is None
    assert lab.materialize("unknown", stages=["scores"]).failure["code"] == "stage_missing"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataset": "missing"}, "dataset_not_found"),
        ({"mode": "quick"}, "invalid_config"),
        ({"provider": "oracle"}, "config_type_unsupported"),
        ({"provider": "gemini"}, "missing_api_key"),
        ({"scorers": ["psychic"]}, "unknown_scorer"),
        ({"embedding_model": "word2vec"}, "invalid_config"),
        ({"failure_threshold": 1.5}, "invalid_config"),
        ({"model_body": {"input": "mine"}}, "invalid_config"),
    ],
)
def test_a_bad_form_is_explained_and_claims_nothing(lab: Laboratory, changes: dict[str, Any], code: str) -> None:
    refused = lab.materialize("bad-form", config={**FREE, **changes}, stages=["spec"])

    assert refused.failure["code"] == code
    assert refused.failure["hint"]
    assert lab.materialize("bad-form", stages=["spec"]).stages == []


@pytest.mark.parametrize("partition", ["../../evil", "two\nlines", "a/b", "x" * 200, "a~b~c", "~", " "])
def test_a_partition_that_is_no_run_name_is_refused_by_every_stage(lab: Laboratory, partition: str) -> None:
    asked = lab.materialize(partition, config=FREE)
    read = lab.materialize(partition, stages=["scores"])

    assert asked.failure["code"] == read.failure["code"] in {"invalid_run_name", "invalid_project"}
    assert not (lab.deployment.home / "evil").exists()


def test_a_run_of_another_project_keeps_to_itself(lab: Laboratory) -> None:
    refused = lab.materialize("other~first", config=FREE)

    assert refused.failure["code"] == "dataset_not_found"


def test_a_run_is_frozen_when_its_dataset_gets_a_new_version(lab: Laboratory) -> None:
    lab.add_golden(lab.deployment.home, "question,answer\nWho?,Me\n", name="changing")
    lab.materialize("frozen", config={**FREE, "dataset": "changing"})
    lab.add_golden(lab.deployment.home, "question,answer\nWho?,You\nWhen?,Now\n", name="changing")

    again = lab.materialize("frozen")

    assert again.metadata("dataset")["total_items_count"] == 1
    assert again.metadata("scores")["exact_match_total_pairs"] == 1
    assert lab.state("frozen") is RunState.COMPLETED
