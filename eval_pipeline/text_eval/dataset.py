"""Freezes the items of a run: golden rows times repeats, with ids that never change again."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from eval_pipeline.text_eval.golden.row import GoldenRow


def question_id(number: int) -> str:
    """Name the n-th usable row of a dataset.

    >>> question_id(1), question_id(1_319_000)
    ('q000001', 'q1319000')
    """
    return f"q{number:06d}"


def item_id(question: str, *, repeat: int) -> str:
    """Name one asking of a question; the first repeat is 1."""
    return f"{question}#{repeat}"


def expand(rows: Iterable[GoldenRow], *, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield rows of ``tables.DATASET``; the repeats of a question stand side by side."""
    for number, row in enumerate(rows, start=1):
        question = question_id(number)
        metadata = orjson.dumps(row.metadata).decode()
        for repeat in range(1, repeats + 1):
            yield {
                "item_id": item_id(question, repeat=repeat),
                "question_id": question,
                "repeat": repeat,
                "question": row.question,
                "golden_answer": row.answer,
                "category": row.category,
                "metadata": metadata,
                "line": row.line,
            }
