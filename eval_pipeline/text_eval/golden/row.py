"""One row of a golden file, and what makes a row unusable."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.intake.purpose import Purpose

GOLDEN = Purpose(noun="golden file", required=("question", "answer"))


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A question with its golden answer, character for character as the file has them."""

    line: int
    """Where the row begins in the file; the first line is 1."""
    question: str
    answer: str
    category: str | None
    metadata: Mapping[str, str]
    """Every other column or key, in the order of the file."""


Entry = GoldenRow | SkippedRow


def text_problem(question: str, answer: str) -> str | None:
    """Say why a pair cannot be asked, or None when it can.

    >>> text_problem("Who?", "  ")
    'blank answer'
    """
    if not question.strip():
        return "blank question"
    if not answer.strip():
        return "blank answer"
    return None
