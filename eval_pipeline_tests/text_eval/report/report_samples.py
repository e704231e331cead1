"""Runs to report on: stages in memory, with scores that are easy to check by hand."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.report.data import ReportData
from eval_pipeline.text_eval.report.rows import collect_report
from eval_pipeline.text_eval.scoring.summary import (
    CategorySummary,
    QuestionScore,
    QuestionSummary,
    RunSummary,
    ScoreSummary,
)
from eval_pipeline_tests.memory_stages import MemoryStage, memory_stage

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEY = RunKey(project="default", run="capitals-2")
ANSWERS_COST = StageCost(
    model="gpt-4o-mini",
    usage=Usage(input=12_345, cached_input=1_024, output=6_789, total=19_134),
    priced_usd=Decimal("0.005925"),
    rate="standard",
)
VECTORS_COST = StageCost(
    model="text-embedding-3-large",
    usage=Usage(input=4_200, total=4_200),
    priced_usd=Decimal("0.000546"),
    rate="standard",
)
COST = Costs.of({"response": ANSWERS_COST, "embedding": VECTORS_COST})


def stored(stage: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> MemoryStage:
    ref = StageRef(Flow.TEXT, key=KEY, stage=stage)
    facts = {"code_version": "0.1.0+8ce3fc84", "sha256": (stage.encode().hex() * 64)[:64]}
    return memory_stage(ref, rows, schema, **facts)


@dataclass(frozen=True, slots=True)
class Given:
    """One item of a sample: what was asked, what came back, how it scored (score name to value)."""

    question: str = "What is the capital of France?"
    golden: str = "Paris"
    answer: str | None = "Paris"
    status: str = "ok"
    scores: Mapping[str, float | None] | None = None
    comment: str | None = None
    reason: str | None = None
    category: str | None = None
    partial: str | None = None
    code: str | None = None
    message: str | None = None
    model: str = "gpt-4o-mini-2024-07-18"


def run_record(**changes: Any) -> RunRecord:  # noqa: ANN401 - any field of a run
    values: dict[str, Any] = {
        "key": KEY,
        "flow": Flow.TEXT,
        "state": RunState.RUNNING,
        "spec": {
            "schema": "eval_pipeline.text_spec/1",
            "repeats": 1,
            "model_body": {"model": "gpt-4o-mini", "instructions": "Answer briefly.", "temperature": 0},
            "embedding_model": "text-embedding-3-large",
            "scorers": [{"name": "cosine_similarity"}],
            "failure_threshold": 0.5,
        },
        "spec_hash": "5" * 64,
        "dataset_name": "Capitals",
        "dataset_version": "a" * 64,
        "mode": RunMode.FAST,
        "requested_by": "meera",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return RunRecord(**(values | changes))


def report(
    items: Sequence[Given],
    *,
    repeats: int = 1,
    scored: bool = True,
    threshold: Threshold | None = None,
    cost: Costs = COST,
    worst_rows: int = 200,
    **run: Any,  # noqa: ANN401 - any field of a run
) -> ReportData:
    """Collect the report of a run with these items; the repeats of a question stand side by side."""
    ids = [(f"q{number // repeats + 1:06d}", number % repeats + 1) for number in range(len(items))]
    dataset, responses, scores = stages(items, ids)
    failed = sum(item.status != "ok" for item in items)
    return collect_report(
        run_record(**run),
        dataset=dataset,
        responses=responses,
        scores=scores if scored else None,
        summary=summarize(items, repeats=repeats) if scored else None,
        cost=cost,
        threshold=threshold or Threshold(value=0.5, failed=failed, total=len(items)),
        written_at=NOW,
        questions=list(question_summaries(items, ids)) if repeats > 1 else (),
        worst_rows=worst_rows,
    )


def stages(items: Sequence[Given], ids: Sequence[tuple[str, int]]) -> tuple[MemoryStage, MemoryStage, MemoryStage]:
    """Build the stages dataset, responses and scores."""
    both = list(zip(items, ids, strict=True))
    return (
        stored("dataset", [_asked(item, *id_) for item, id_ in both], tables.DATASET),
        stored("responses", [_answered(item, *id_) for item, id_ in both], tables.RESPONSES),
        stored("scores", [row for item, id_ in both for row in _scored(item, *id_)], tables.SCORES),
    )


def _asked(item: Given, question_id: str, repeat: int) -> dict[str, Any]:
    return {
        "item_id": f"{question_id}#{repeat}",
        "question_id": question_id,
        "repeat": repeat,
        "question": item.question,
        "golden_answer": item.golden,
        "category": item.category,
        "metadata": "{}",
        "line": 2,
    }


def _answered(item: Given, question_id: str, repeat: int) -> dict[str, Any]:
    return {
        "item_id": f"{question_id}#{repeat}",
        "status": item.status,
        "answer": item.answer if item.status == "ok" else None,
        "partial_answer": item.partial,
        "error_code": item.code,
        "error_type": item.code,
        "error_message": item.message,
        "model": item.model if item.status == "ok" else None,
        "retried_input_tokens": 0,
        "retried_cached_input_tokens": 0,
        "retried_output_tokens": 0,
        "attempts": 1,
    }


def _scored(item: Given, question_id: str, repeat: int) -> Iterator[dict[str, Any]]:
    for name, value in (item.scores or {}).items():
        yield {
            "item_id": f"{question_id}#{repeat}",
            "question_id": question_id,
            "repeat": repeat,
            "category": item.category,
            "name": name,
            "data_type": data_type(name),
            "value": value,
            "unscoreable_reason": None if value is not None else item.reason or "response_failed",
            "comment": item.comment,
        }


def data_type(name: str) -> str:
    return "BOOLEAN" if name in {"numeric", "exact_match"} else "NUMERIC"


def summarize(items: Sequence[Given], *, repeats: int = 1) -> RunSummary:
    names = list(dict.fromkeys(name for item in items for name in item.scores or {}))
    categories = sorted({item.category for item in items if item.category is not None})
    return RunSummary(
        scores=tuple(_summary(name, items, repeats=repeats) for name in names),
        categories=tuple(_category(category, names, items, repeats=repeats) for category in categories),
    )


def _category(category: str, names: Sequence[str], items: Sequence[Given], *, repeats: int) -> CategorySummary:
    own = [item for item in items if item.category == category]
    return CategorySummary(
        category=category,
        items=len(own),
        failed=sum(item.status != "ok" for item in own),
        scores=tuple(_summary(name, own, repeats=repeats) for name in names),
    )


def _summary(name: str, items: Sequence[Given], *, repeats: int) -> ScoreSummary:
    values = [value for item in items if (value := (item.scores or {}).get(name)) is not None]
    reasons = Counter(item.reason or "response_failed" for item in items if (item.scores or {}).get(name) is None)
    return score_summary(
        name, values, total=len(items), unscoreable=reasons, questions=math.ceil(len(values) / repeats)
    )


def score_summary(
    name: str,
    values: Sequence[float],
    *,
    total: int,
    unscoreable: Mapping[str, int] | None = None,
    questions: int | None = None,
) -> ScoreSummary:
    """Summarize simply: the interval is mean ± 1.96 standard errors, kept inside the scale."""
    mean = sum(values) / len(values) if values else None
    std = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) if mean is not None else None
    clusters = len(values) if questions is None else questions
    error = std / math.sqrt(clusters - 1) if std is not None and clusters > 1 else None
    half = 1.96 * error if error is not None else None
    return ScoreSummary(
        name=name,
        data_type=data_type(name),
        total=total,
        total_pairs=len(values),
        unscoreable=unscoreable or {},
        mean=mean,
        std=std,
        standard_error=error,
        ci_low=max(0.0, mean - half) if mean is not None and half is not None else None,
        ci_high=min(1.0, mean + half) if mean is not None and half is not None else None,
        interval_method="normal approximation, clustered by question" if half is not None else None,
        questions=clusters,
        histogram=_bins(values),
        histogram_low=0.0,
        histogram_high=1.0,
        distribution=_distribution(values) if data_type(name) == "BOOLEAN" else None,
    )


def _bins(values: Sequence[float], bins: int = 20) -> tuple[int, ...]:
    counts = Counter(min(bins - 1, int(value * bins)) for value in values)
    return tuple(counts[index] for index in range(bins))


def _distribution(values: Sequence[float]) -> dict[str, int]:
    return {"true": sum(value == 1 for value in values), "false": sum(value == 0 for value in values)}


def question_summaries(items: Sequence[Given], ids: Sequence[tuple[str, int]]) -> Iterator[QuestionSummary]:
    by_question: dict[str, list[Given]] = {}
    for item, (question_id, _) in zip(items, ids, strict=True):
        by_question.setdefault(question_id, []).append(item)
    for question_id, own in by_question.items():
        names = list(dict.fromkeys(name for item in own for name in item.scores or {}))
        yield QuestionSummary(question_id, repeats=len(own), scores=tuple(_question_score(name, own) for name in names))


def _question_score(name: str, items: Sequence[Given]) -> QuestionScore:
    values = tuple(value for item in items if (value := (item.scores or {}).get(name)) is not None)
    mean = sum(values) / len(values) if values else None
    std = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) if mean is not None else None
    return QuestionScore(name, values=values, mean=mean, std=std)
