"""One row of a golden file, and what a file of such rows must have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.passages import Passage
from eval_pipeline.core.turns import Turn
from eval_pipeline.intake.csv_records import clean_name
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.text_eval.golden.recorded import RecordedAnswer

QUESTION: Final = "question"
ANSWER: Final = "answer"
ALTERNATIVES: Final = "answers"
TURNS: Final = ("history", "messages")
CONTEXTS: Final = "contexts"
OWN_ID: Final = "id"
CATEGORY: Final = "category"
QUESTION_ALIASES: Final = ("input", "prompt", "query")
ANSWER_ALIASES: Final = ("expected", "target", "ideal", "ground_truth", "reference")
"""Names that people know from elsewhere; taken where the column that they stand for is not there, and told."""


@dataclass(frozen=True, slots=True)
class GoldenOptions:
    """What a person says of a golden file beside its bytes."""

    golden_columns: tuple[str, ...] = ()
    """Columns with an accepted answer each; none: ``answer`` and ``answers``."""
    sheet: str | None = None
    """Of a workbook; None: the only one that has the columns."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing was said."""
        return self == GoldenOptions()


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A question with its golden answer, character for character as the file has them."""

    line: int
    """Where the row begins in the file; the first line is 1."""
    question: str
    answer: str
    """The first golden answer; empty where there is none."""
    category: str | None
    metadata: Mapping[str, str]
    """Every other column or key, in the order of the file; and the id as it is written."""
    id: str | None = None
    """How the file names the row; of a version that an earlier release stored always None."""
    alternatives: tuple[str, ...] = ()
    """Further answers that are as good as the first."""
    turns: tuple[Turn, ...] = ()
    """What was said before the question, oldest first."""
    contexts: tuple[Passage, ...] | None = None
    """Passages that belong to the row; with a recorded answer, those that it was made from."""
    recorded: RecordedAnswer | None = None
    """What a model answered, where the file has it."""

    @property
    def golden_answers(self) -> tuple[str, ...]:
        """Every accepted answer."""
        return (self.answer, *self.alternatives) if self.answer else ()


Entry = GoldenRow | SkippedRow


def question_id(row: GoldenRow, *, number: int) -> str:
    """Name a row: as its file does, else by its number among the usable ones."""
    return numbered_id(number) if row.id is None else row.id


def numbered_id(number: int) -> str:
    """Name the n-th usable row of a dataset.

    >>> numbered_id(1), numbered_id(1_319_000)
    ('q000001', 'q1319000')
    """
    return f"q{number:06d}"


def golden_purpose(options: GoldenOptions) -> Purpose:
    """Return what a golden file must have, with all that may stand for it."""
    stands_for_answer = (*map(clean_name, options.golden_columns), ALTERNATIVES, *ANSWER_ALIASES)
    return Purpose(
        noun="golden file",
        required=(QUESTION, ANSWER),
        aliases=(
            *((name, QUESTION) for name in (*TURNS, *QUESTION_ALIASES)),
            *((name, ANSWER) for name in stands_for_answer),
        ),
    )


GOLDEN = golden_purpose(GoldenOptions())
FIRST_FORM = Purpose(noun="golden file", required=(QUESTION, ANSWER))
"""As the first releases read such files, whose stored versions stay what they are."""
