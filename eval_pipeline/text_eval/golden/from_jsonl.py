"""Reads golden rows from JSON Lines.

A question or an answer of any other kind than text or number skips the row. Among the metadata, everything that is no
text is kept as JSON text.
"""

from collections.abc import Iterable, Iterator

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import shown
from eval_pipeline.intake.json_lines import as_text, jsonl_rows, kind_of
from eval_pipeline.text_eval.golden.row import GOLDEN, Entry, GoldenRow, text_problem

_NAMED = frozenset({*GOLDEN.required, "category"})
_SHOWN_KEYS = 10


def jsonl_entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield every line that is not blank, usable or skipped, in the order of the file."""
    return jsonl_rows(lines, _entry)


def _entry(number: int, fields: Json) -> Entry:
    problem = _problem(fields)
    if problem is not None:
        return SkippedRow(number, problem)
    category = fields.get("category")
    return GoldenRow(
        line=number,
        question=str(fields["question"]),
        answer=str(fields["answer"]),
        category=None if category is None else as_text(category).strip() or None,
        metadata={key: as_text(item) for key, item in fields.items() if key not in _NAMED},
    )


def _problem(fields: Json) -> str | None:
    for key in GOLDEN.required:
        if key not in fields:
            return f"no key '{key}' (its keys: {', '.join(map(shown, list(fields)[:_SHOWN_KEYS]))})"
        if not isinstance(fields[key], str):
            return f"{key} is {kind_of(fields[key])}, not text"
    return text_problem(fields["question"], fields["answer"])
