"""What a run looks like as traces, without any service."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.tracing import DeliveredTrace, DeliveryCounts, ItemTrace, TraceRun
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.stages.traces import ITEMS_AT_ONCE, deliver_traces, item_traces, trace_run

CLAIMED_AT = datetime(2026, 11, 20, 23, 59, 59, 999_500, tzinfo=UTC)
BODY = {"model": "gpt-4o-mini", "instructions": "Kurz!", "temperature": 0.5, "text": {"verbosity": "low"}}
SPEC = TextSpec(
    dataset_name="प्रश्न",
    dataset_version="ab" * 32,
    original_items_count=1,
    repeats=2,
    mode=RunMode.FAST,
    endpoint="openai",
    embedding_endpoint="openai",
    model_body=BODY,
    embedding_model="text-embedding-3-large",
    embedding_dimensions=None,
    scorers=(),
    failure_threshold=0.5,
    concurrency=10,
)
RECORD = RunRecord(
    key=RunKey(project="default", run="demo"),
    flow=Flow.TEXT,
    state=RunState.RUNNING,
    spec=SPEC.to_json(),
    spec_hash="cd" * 32,
    dataset_name=SPEC.dataset_name,
    dataset_version=SPEC.dataset_version,
    mode=RunMode.FAST,
    requested_by="someone",
    created_at=CLAIMED_AT,
    updated_at=CLAIMED_AT,
)


class Stage:
    """The rows of a finished stage."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self._rows = rows

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)


def question(number: int, *, repeat: int = 1, **other: object) -> dict[str, Any]:
    row = {
        "item_id": f"q{number}#{repeat}",
        "question_id": f"q{number}",
        "repeat": repeat,
        "question": f"What is {number}?",
        "golden_answer": str(number),
        "category": None,
        "metadata": "{}",
        "line": number + 1,
    }
    return row | other


def answered(row: dict[str, Any], **other: object) -> dict[str, Any]:
    nothing = dict.fromkeys(tables.RESPONSES.names)
    retried = {name: 0 for name in tables.RESPONSES.names if name.startswith("retried_")}
    return nothing | retried | {"item_id": row["item_id"], "status": "ok", "answer": "4", "attempts": 1} | other


def scored(row: dict[str, Any], name: str, value: float | None, **other: object) -> dict[str, Any]:
    nothing = dict.fromkeys(tables.SCORES.names)
    return nothing | {"item_id": row["item_id"], "name": name, "value": value, "data_type": "NUMERIC"} | other


def traces(*stages: Stage, record: RunRecord = RECORD) -> list[ItemTrace]:
    dataset, responses, scores = stages
    return list(item_traces(record, dataset=dataset, responses=responses, scores=scores))


def one_trace(row: dict[str, Any], response: dict[str, Any], *scores: dict[str, Any]) -> ItemTrace:
    (trace,) = traces(Stage(row), Stage(response), Stage(*scores))
    return trace


def all_ids(found: list[ItemTrace]) -> list[str]:
    own = [i for t in found for i in (t.dataset_item_id, t.trace_id, t.span_id, t.generation.span_id)]
    return own + [score.score_id for trace in found for score in trace.scores]


def run_of_two_repeats(record: RunRecord = RECORD) -> list[ItemTrace]:
    rows = [question(1), question(1, repeat=2)]
    scores = [scored(row, name, 1.0) for row in rows for name in ("cosine_similarity", "exact_match")]
    return traces(Stage(*rows), Stage(*map(answered, rows)), Stage(*scores), record=record)


def test_the_same_run_has_the_same_ids_and_times_whenever_it_is_materialized() -> None:
    elsewhere = replace(RECORD, created_at=CLAIMED_AT.astimezone(timezone(timedelta(hours=5.5))), state=RunState.FAILED)

    assert run_of_two_repeats() == run_of_two_repeats(elsewhere)


def test_no_id_is_used_twice_in_a_run() -> None:
    ids = all_ids(run_of_two_repeats())

    assert len(set(ids)) == len(ids) == 12


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, key=RunKey(project="default", run="demo2")),
        replace(RECORD, key=RunKey(project="other", run="demo")),
        replace(RECORD, created_at=CLAIMED_AT + timedelta(microseconds=1)),
    ],
    ids=["another name", "another project", "a name that was deleted and claimed again"],
)
def test_another_run_shares_only_the_dataset_items(other: RunRecord) -> None:
    first, second = run_of_two_repeats(), run_of_two_repeats(other)

    assert set(all_ids(first)) & set(all_ids(second)) == {trace.dataset_item_id for trace in first}
    assert trace_run(RECORD, SPEC).experiment_id != trace_run(other, SPEC).experiment_id


def test_the_same_bytes_under_two_dataset_names_are_two_sets_of_items() -> None:
    renamed = run_of_two_repeats(replace(RECORD, dataset_name="other"))

    assert {t.dataset_item_id for t in renamed}.isdisjoint({t.dataset_item_id for t in run_of_two_repeats()})


def test_ids_have_the_lengths_of_opentelemetry() -> None:
    trace = run_of_two_repeats()[0]

    assert (len(trace.trace_id), len(trace.span_id), len(trace.generation.span_id)) == (32, 16, 16)


def test_a_run_is_an_experiment_on_its_dataset_version() -> None:
    run = trace_run(RECORD, SPEC)

    assert (run.name, run.dataset_name) == ("demo", "प्रश्न@abababababab")
    assert run.dataset_metadata == {"name": "प्रश्न", "version": "ab" * 32}
    assert run.metadata["model_body"] == BODY
    assert run.metadata["spec_hash"] == "cd" * 32
    assert run.model_parameters == {"temperature": 0.5}


def test_items_start_in_the_order_of_the_dataset() -> None:
    starts = [trace.started_at for trace in run_of_two_repeats()]

    assert starts == [CLAIMED_AT, CLAIMED_AT + timedelta(milliseconds=1)]


def test_an_answered_item_carries_answer_model_tokens_cost_and_latency() -> None:
    row = question(1, category="sums")
    tokens = {
        "input_tokens": 10,
        "cached_input_tokens": 4,
        "output_tokens": 7,
        "reasoning_tokens": 2,
        "total_tokens": 17,
    }
    trace = one_trace(row, answered(row, model="m-1", latency_s=1.25, cost_usd=Decimal("0.01"), **tokens))

    assert (trace.question, trace.golden_answer, trace.answer, trace.problem) == ("What is 1?", "1", "4", None)
    assert trace.generation.usage == Usage(input=10, cached_input=4, output=7, reasoning=2, total=17)
    assert (trace.generation.output, trace.generation.model) == ("4", "m-1")
    assert (trace.generation.cost_usd, trace.latency_s) == (Decimal("0.01"), 1.25)
    told = {"item_id": "q1#1", "question_id": "q1", "repeat": 1, "category": "sums", "status": "ok", "attempts": 1}
    assert trace.metadata == told


def test_unknown_tokens_and_cost_stay_unknown() -> None:
    row = question(1)
    trace = one_trace(row, answered(row))

    assert trace.generation.usage is None
    assert trace.generation.cost_usd is None


def test_a_failed_item_says_why_and_has_no_answer() -> None:
    row = question(1)
    failed = answered(row, status="failed", answer=None, error_code="server_error", error_message="try later")
    trace = one_trace(row, failed, scored(row, "cosine_similarity", None, unscoreable_reason="response_failed"))

    assert trace.answer is None
    assert trace.problem == "failed: server_error: try later"
    assert trace.metadata["error_message"] == "try later"


def test_what_a_cut_answer_said_is_the_output_of_the_generation_only() -> None:
    row = question(1)
    trace = one_trace(row, answered(row, status="incomplete", answer=None, partial_answer="The ans"))

    assert (trace.answer, trace.generation.output, trace.problem) == (None, "The ans", "incomplete")


def test_an_unscoreable_pair_is_no_score_but_a_reason() -> None:
    row = question(1)
    zero = scored(row, "exact_match", 0.0, data_type="BOOLEAN", comment="differs")
    trace = one_trace(
        row, answered(row), scored(row, "cosine_similarity", None, unscoreable_reason="empty_output"), zero
    )

    assert [(s.name, s.value, s.data_type, s.comment) for s in trace.scores] == [
        ("exact_match", 0.0, "BOOLEAN", "differs")
    ]
    assert trace.metadata["unscoreable"] == {"cosine_similarity": "empty_output"}


def test_the_other_columns_of_a_row_go_with_the_dataset_item() -> None:
    row = question(1, category="क", metadata=json.dumps({"source": "टेस्ट"}))
    trace = one_trace(row, answered(row))

    expected = {"question_id": "q1", "repeat": 1, "category": "क", "line": 2, "columns": {"source": "टेस्ट"}}
    assert trace.dataset_metadata == expected


def test_a_run_without_scorers_has_traces_without_scores() -> None:
    row = question(1)

    assert one_trace(row, answered(row)).scores == ()


@pytest.mark.parametrize(
    ("responses", "scores", "stage"),
    [
        ([], [], "responses"),
        ([answered(question(2))], [], "responses"),
        ([answered(question(1)), answered(question(2))], [], "responses"),
        ([answered(question(1))], [scored(question(2), "exact_match", 1.0)], "scores"),
    ],
    ids=["missing", "another item", "too many", "scores of another item"],
)
def test_stages_that_do_not_belong_together_are_refused(
    responses: list[dict[str, Any]], scores: list[dict[str, Any]], stage: str
) -> None:
    with pytest.raises(ConflictError) as caught:
        traces(Stage(question(1)), Stage(*responses), Stage(*scores))

    assert caught.value.code == "stages_do_not_match"
    assert stage in caught.value.message


class Sink:
    """A tracing service that takes everything."""

    url = "http://service/run"

    def __init__(self) -> None:
        self.sent: list[int] = []

    @property
    def counts(self) -> DeliveryCounts:
        return DeliveryCounts(traces=sum(self.sent))

    @contextmanager
    def open(self, run: TraceRun) -> Iterator["Sink"]:
        assert run.name == "demo"
        yield self

    def send(self, items: Sequence[ItemTrace]) -> list[DeliveredTrace]:
        self.sent.append(len(items))
        return [DeliveredTrace(item.item_id, item.trace_id, None) for item in items]


class Writer:
    """A stage being written."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows.extend(rows)


def test_items_are_delivered_in_bounded_chunks_and_each_leaves_a_row() -> None:
    rows = [question(number) for number in range(ITEMS_AT_ONCE + 1)]
    items = item_traces(RECORD, dataset=Stage(*rows), responses=Stage(*map(answered, rows)), scores=Stage())
    sink, writer = Sink(), Writer()

    summary = deliver_traces(trace_run(RECORD, SPEC), items, sink=sink, writer=writer)

    assert sink.sent == [ITEMS_AT_ONCE, 1]
    assert summary.counts.traces == len(writer.rows) == len(rows)
    assert set(writer.rows[0]) == set(tables.TRACES.names)
