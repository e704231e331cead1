"""Rows and stages of the text flow, for tests of everything that reads a run's stages."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.text_eval import tables
from eval_pipeline_tests.memory_stages import MemoryStage, memory_stage


def asked(number: int, repeat: int = 1, **changes: object) -> dict[str, Any]:
    """Return a row of the stage ``dataset``."""
    question_id = f"q{number:06d}"
    row = {
        "item_id": f"{question_id}#{repeat}",
        "question_id": question_id,
        "repeat": repeat,
        "question": f"Question {number}?",
        "golden_answer": f"Answer {number}",
        "category": None,
        "metadata": "{}",
        "line": number + 1,
    }
    return {**row, **changes}


def answered(item: Mapping[str, Any], answer: str | None = "An answer", **changes: object) -> dict[str, Any]:
    """Return an item's row of the stage ``responses``."""
    row = {
        "item_id": item["item_id"],
        "status": "failed" if answer is None else "ok",
        "answer": answer,
        "retried_input_tokens": 0,
        "retried_cached_input_tokens": 0,
        "retried_output_tokens": 0,
        "attempts": 1,
    }
    return {**row, **changes}


def scored(item: Mapping[str, Any], name: str, value: float | None, **changes: object) -> dict[str, Any]:
    """Return an item's row of the stage ``scores`` for one score."""
    row = {
        "item_id": item["item_id"],
        "question_id": item["question_id"],
        "repeat": item["repeat"],
        "category": item["category"],
        "name": name,
        "data_type": "NUMERIC",
        "value": value,
    }
    return {**row, **changes}


def dataset_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``dataset``."""
    return _stage("dataset", rows, tables.DATASET)


def responses_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``responses``."""
    return _stage("responses", rows, tables.RESPONSES)


def embeddings_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``embeddings``."""
    return _stage("embeddings", rows, tables.EMBEDDINGS)


def scores_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``scores``."""
    return _stage("scores", rows, tables.SCORES)


def _stage(name: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> MemoryStage:
    return memory_stage(StageRef(Flow.TEXT, key=RunKey(project="default", run="first"), stage=name), rows, schema)
