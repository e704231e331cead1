"""A run through every fault that a provider can show: what each item comes to, the threshold, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline_tests.commands import Commands, Ended
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider

ONCE: Mapping[str, Any] = {"times": 1, "endpoint": "responses"}
ALWAYS: Mapping[str, Any] = {"endpoint": "responses"}
RULES = (
    {"kind": "rate_limit", "match": "throttled politely", "retry_after": 0, **ONCE},
    {"kind": "rate_limit_no_header", "match": "throttled rudely", **ONCE},
    {"kind": "server_error", "match": "broken once", **ONCE},
    {"kind": "cut", "match": "cut", **ONCE},
    {"kind": "truncated_json", "match": "torn", **ONCE},
    {"kind": "server_error", "match": "down", **ALWAYS},
    {"kind": "bad_request", "match": "bad", "message": "I cannot read \x1b[2J this", **ALWAYS},
    {"kind": "refusal", "match": "refused", **ALWAYS},
    {"kind": "incomplete", "match": "long", **ALWAYS},
    {"kind": "empty", "match": "empty", **ALWAYS},
    {"kind": "malformed", "match": "malformed", **ALWAYS},
    {"kind": "status_failed", "match": "given up", **ALWAYS},
)
STATUSES = {
    "all well": "ok",
    "throttled politely": "ok",
    "throttled rudely": "ok",
    "broken once": "ok",
    "cut": "ok",
    "down": "failed",
    "torn": "ok",
    "bad": "failed",
    "refused": "refused",
    "long": "incomplete",
    "empty": "empty",
    "malformed": "missing",
    "given up": "failed",
}
MIXED = RunKey("default", "mixed")
FAILED = sum(status != "ok" for status in STATUSES.values())


@dataclass(frozen=True, slots=True)
class Story:
    """What was seen, in this order: the breached run, scores made by hand, the retry without faults."""

    commands: Commands
    run: Ended
    shown: Mapping[str, Any]
    report: str
    by_hand: Mapping[str, Any]
    report_by_hand: str
    retried: Ended
    asked_again: Mapping[str, int]

    def traces(self) -> dict[str, Mapping[str, Any]]:
        """Return the first attempt's items by question."""
        return {trace["question"]: trace for trace in self.shown["traces"]}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, openai: Provider) -> Story:
    commands = Commands(
        tmp_path_factory.mktemp("faults"),
        OPENAI_BASE_URL=openai.base_url,
        OPENAI_API_KEY=KEY,
        EVAL_FAST_MAX_UNIQUE_ROWS="20",
        EVAL_RETRY_MAX_ATTEMPTS="2",
    )
    furnish(commands.home)
    commands.add("golden", "question,answer\n" + "".join(f"{question},answer\n" for question in STATUSES))
    with openai.behaving(*RULES):
        run = commands("text", "run", "mixed", "--dataset", "golden", "--mode", "fast")
        shown = commands.json("text", "show", "mixed", "--detail")
        report = _read(shown["report"])
        commands.make_stages(MIXED, "embedding_batch", "embeddings")
        assert commands.make_stages(MIXED, "scores", "report") is None
        by_hand = commands.json("text", "show", "mixed")
    with openai.behaving():
        retried = commands("run", "retry", "mixed", "--json")
        return Story(
            commands=commands,
            run=run,
            shown=shown,
            report=report,
            by_hand=by_hand,
            report_by_hand=_read(by_hand["report"]),
            retried=retried,
            asked_again=dict(openai.answers.asked),
        )


def _read(url: str) -> str:
    return Path(url.removeprefix("file://")).read_text(encoding="utf-8")


def test_every_fault_leaves_its_item_with_the_status_that_it_means(story: Story) -> None:
    assert {question: trace["status"] for question, trace in story.traces().items()} == STATUSES
    assert story.shown["counts"]["by_status"] == {
        "empty": 1,
        "failed": 3,
        "incomplete": 1,
        "missing": 1,
        "ok": 6,
        "refused": 1,
    }


def test_an_error_is_never_an_answer(story: Story) -> None:
    for question, trace in story.traces().items():
        assert (trace["llm_answer"] is not None) == (STATUSES[question] == "ok")
        assert (trace["error"] is None) == (STATUSES[question] == "ok")


def test_the_breached_run_ends_with_100_and_both_numbers(story: Story) -> None:
    assert story.run.code == 100
    assert "error: run mixed failed its threshold" in story.run.err
    assert all(number in story.run.err for number in ("7 of 13", "53.8", "50"))
    assert story.shown["state"] == "failed"
    assert story.shown["error"]["code"] == "failure_threshold_breached"
    assert story.shown["threshold"]["breached"]
    assert story.shown["threshold"]["observed"] == FAILED / len(STATUSES)


def test_everything_that_was_paid_for_is_kept_and_reported_as_breached(story: Story) -> None:
    assert story.shown["counts"]["ok"] == len(STATUSES) - FAILED
    assert story.shown["cost"]["total_cost_usd"] > 0
    assert story.shown["summary_scores"] == []
    assert "53.8" in story.report
    assert "I cannot read" in story.report


def test_scores_made_by_hand_later_keep_the_mark(story: Story) -> None:
    assert story.by_hand["state"] == "failed"
    assert story.by_hand["error"]["code"] == "failure_threshold_breached"
    assert story.by_hand["summary_scores"][0]["total_pairs"] == len(STATUSES) - FAILED
    assert "53.8" in story.report_by_hand


def test_the_retry_asks_only_what_may_succeed_now(story: Story) -> None:
    document = story.retried.document

    assert story.retried.code == 0
    assert document["state"] == "completed"
    assert document["error"] is None
    assert story.asked_again == {"down": 1, "malformed": 1, "given up": 1}
    assert document["counts"]["by_status"] == {"empty": 1, "failed": 1, "incomplete": 1, "ok": 9, "refused": 1}
    assert document["summary_scores"][0]["total_pairs"] == 9


def test_a_providers_escape_sequences_are_shown_and_not_obeyed(story: Story) -> None:
    shown = story.commands("text", "show", "mixed", "--detail")

    assert "\x1b" not in story.run.out + story.run.err + shown.out
    assert "I cannot read \\x1b[2J this" in shown.out
