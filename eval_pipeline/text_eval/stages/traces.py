"""A finished text run as traces: which dataset, items, generations and scores it has, under ids that never change.

Ids are hashes of the run and the item, timestamps come from the run's record: materializing again replaces, never adds.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from hashlib import sha256

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import shown
from eval_pipeline.core.outcomes import ItemStatus, Usage
from eval_pipeline.core.ports.stage_files import StageReader, StageWriter
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.tracing import DeliveryCounts, Generation, ItemTrace, TraceRun, TraceScore, TraceSink
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import check_made_from
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.models import open_trace_sink

ITEMS_AT_ONCE = 256
ITEM_SPACING = timedelta(milliseconds=1)
"""Traces are listed by start, to the millisecond: this keeps the order of the dataset."""
VERSION_CHARACTERS = 12
_TRACE_ID_DIGITS = 32
_SPAN_ID_DIGITS = 16
_NOT_PARAMETERS = frozenset({"model", "instructions"})


def make(task: Task, *, dataset: StageReader, responses: StageReader, scores: StageReader) -> StageReader | None:
    """Deliver one trace per item to Langfuse; again without duplicates. None where Langfuse is off."""
    if not task.credentials.traces_to_langfuse:
        task.say("Langfuse is off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
        return None
    check_made_from(scores, responses)
    deployment, ref = task.deployment, task.ref("traces")
    inputs = {"dataset": dataset, "responses": responses, "scores": scores}
    with at_work(
        deployment,
        ref,
        schema=tables.TRACES,
        inputs=inputs,
        dagster_run_id=task.dagster_run_id,
        optional=True,
    ) as stage:
        run = find_run(deployment, flow=task.flow, key=task.key)
        items = item_traces(run, dataset=dataset, responses=responses, scores=scores)
        delivered = deliver_traces(
            trace_run(run, TextSpec.from_json(run.spec)),
            items,
            sink=open_trace_sink(task.credentials),
            writer=stage.files,
        )
        stage.files.finish({"langfuse": delivered.url, "counts": asdict(delivered.counts)})
    return deployment.stages.open(ref)


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """What the service has of the run, and where."""

    url: str | None
    counts: DeliveryCounts


def deliver_traces(run: TraceRun, items: Iterable[ItemTrace], *, sink: TraceSink, writer: StageWriter) -> TraceSummary:
    """Deliver the items chunk by chunk and write one row of ``tables.TRACES`` for each."""
    with sink.open(run) as delivery:
        for chunk in chunks(items, size=ITEMS_AT_ONCE):
            writer.append([asdict(trace) for trace in delivery.send(chunk)])
        return TraceSummary(url=delivery.url, counts=delivery.counts)


def trace_run(record: RunRecord, spec: TextSpec) -> TraceRun:
    """Describe the run as an experiment on its dataset version."""
    return TraceRun(
        experiment_id=_run_digest(record, "experiment")[:_TRACE_ID_DIGITS],
        name=record.key.partition,
        metadata={
            "flow": str(record.flow),
            "project": record.key.project,
            "run": record.key.run,
            "mode": str(record.mode),
            "spec_hash": record.spec_hash,
            "dataset": record.dataset_name,
            "dataset_version": record.dataset_version,
            "provider": spec.endpoint,
            "model_body": dict(spec.model_body),
        },
        dataset_name=f"{record.dataset_name}@{record.dataset_version[:VERSION_CHARACTERS]}",
        dataset_metadata={"name": record.dataset_name, "version": record.dataset_version},
        model_parameters={
            name: value
            for name, value in spec.model_body.items()
            if name not in _NOT_PARAMETERS and isinstance(value, str | int | float | bool)
        },
    )


def item_traces(
    record: RunRecord, *, dataset: StageReader, responses: StageReader, scores: StageReader
) -> Iterator[ItemTrace]:
    """Yield one trace per item in the order of the dataset, holding a few thousand rows at once."""
    for position, (row, response, scored) in enumerate(_walk(dataset, responses, scores)):
        yield _item_trace(record, position=position, row=row, response=response, scored=scored)


def _walk(
    dataset: StageReader, responses: StageReader, scores: StageReader
) -> Iterator[tuple[Row, Row, Sequence[Row]]]:
    """Join the three stages by walking them side by side."""
    answers, values = responses.rows(), scores.rows()
    value = next(values, None)
    for row in dataset.rows():
        response = next(answers, None)
        _check_same(row["item_id"], response, stage="responses")
        scored = []
        while value is not None and value["item_id"] == row["item_id"]:
            scored.append(value)
            value = next(values, None)
        yield row, response or {}, scored
    _check_same(None, next(answers, None), stage="responses")
    _check_same(None, value, stage="scores")


def _check_same(item_id: str | None, other: Row | None, *, stage: str) -> None:
    found = None if other is None else other["item_id"]
    if found != item_id:
        names = [value and shown(value) for value in (item_id, found)]
        raise ConflictError(
            f"stage {stage} does not belong to this dataset: it has item {names[1]} where the dataset has {names[0]}",
            code="stages_do_not_match",
            hint=f"materialize {stage} again, then traces",
        )


def _item_trace(record: RunRecord, *, position: int, row: Row, response: Row, scored: Sequence[Row]) -> ItemTrace:
    item_id = row["item_id"]
    return ItemTrace(
        item_id=item_id,
        dataset_item_id=_dataset_item_id(record, row),
        trace_id=_run_digest(record, "trace", item_id)[:_TRACE_ID_DIGITS],
        span_id=_run_digest(record, "span", item_id)[:_SPAN_ID_DIGITS],
        question=row["question"],
        golden_answer=row["golden_answer"],
        answer=response["answer"],
        problem=_problem(response),
        started_at=record.created_at + position * ITEM_SPACING,
        latency_s=response["latency_s"],
        dataset_metadata=_dataset_metadata(row),
        metadata=_item_metadata(row, response, scored),
        generation=Generation(
            span_id=_run_digest(record, "generation", item_id)[:_SPAN_ID_DIGITS],
            output=response["answer"] if response["answer"] is not None else response["partial_answer"],
            model=response["model"],
            usage=_usage(response),
            cost_usd=response["cost_usd"],
        ),
        scores=tuple(_scores(record, scored)),
    )


def _scores(record: RunRecord, scored: Sequence[Row]) -> Iterator[TraceScore]:
    """Only what has a value: an unscoreable pair is not 0, its reason is in the trace's metadata."""
    for row in scored:
        if row["value"] is not None:
            yield TraceScore(
                score_id=_run_digest(record, "score", row["item_id"], row["name"])[:_TRACE_ID_DIGITS],
                name=row["name"],
                value=row["value"],
                data_type=row["data_type"],
                comment=row["comment"],
            )


def _problem(response: Row) -> str | None:
    status = response["status"]
    if status == ItemStatus.OK:
        return None
    return ": ".join(part for part in (status, response["error_code"], response["error_message"]) if part)


def _usage(response: Row) -> Usage | None:
    if response["input_tokens"] is None and response["output_tokens"] is None:
        return None
    return Usage(
        input=response["input_tokens"] or 0,
        cached_input=response["cached_input_tokens"] or 0,
        output=response["output_tokens"] or 0,
        reasoning=response["reasoning_tokens"] or 0,
        total=response["total_tokens"] or 0,
    )


def _dataset_metadata(row: Row) -> JsonDict:
    own = {name: row[name] for name in ("question_id", "repeat", "category", "line") if row[name] is not None}
    columns = json.loads(row["metadata"])
    return {**own, "columns": columns} if columns else own


_TOLD_OF_RESPONSES = (
    "status",
    "attempts",
    "response_id",
    "error_code",
    "error_type",
    "error_message",
    "error_transient",
    "partial_answer",
)
_TOLD_IF_ANY = ("retried_input_tokens", "retried_cached_input_tokens", "retried_output_tokens")


def _item_metadata(row: Row, response: Row, scored: Sequence[Row]) -> JsonDict:
    told = {name: row[name] for name in ("item_id", "question_id", "repeat", "category")}
    told |= {name: response[name] for name in _TOLD_OF_RESPONSES}
    told |= {name: response[name] or None for name in _TOLD_IF_ANY}
    told["unscoreable"] = {row["name"]: row["unscoreable_reason"] for row in scored if row["value"] is None} or None
    return {name: value for name, value in told.items() if value is not None}


def _dataset_item_id(record: RunRecord, row: Row) -> str:
    """The same for every run on this dataset version; repeats are items of their own."""
    parts = (record.dataset_name, record.dataset_version, row["question_id"], row["repeat"])
    return _digest("dataset item", *parts)[:_TRACE_ID_DIGITS]


def _run_digest(record: RunRecord, kind: str, *parts: str) -> str:
    """Hash what belongs to one run.

    The moment of the claim is part of it: a name that was deleted and claimed again is another run, and services that
    keep records by day would hold an id twice if its timestamp moved.
    """
    claimed_at = record.created_at.astimezone(UTC).isoformat(timespec="microseconds")
    return _digest(kind, str(record.flow), record.key.project, record.key.run, claimed_at, *parts)


def _digest(*parts: str | int) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()
