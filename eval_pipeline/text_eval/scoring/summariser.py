"""Takes score rows in one by one and tells what they come to; a run of any size costs a few bytes a row."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import shown
from eval_pipeline.core.statistics import mean, population_std
from eval_pipeline.text_eval.scoring.score_columns import ScoreColumn, ScoreSet
from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers import ScorerConfig
from eval_pipeline.text_eval.scoring.summary import CategorySummary, QuestionScore, QuestionSummary, RunSummary

_FAILED_REASONS = frozenset({UnscoreableReason.RESPONSE_FAILED, UnscoreableReason.EMPTY_OUTPUT})
"""Reasons that speak of the item's answer, so of the item, not of one scorer."""


class Summariser:
    """What the scores of a run come to; holds 16 bytes a row, and the id of each question."""

    def __init__(self, scorers: Sequence[ScorerConfig]) -> None:
        self._columns = {config.score_name: ScoreColumn(config) for config in scorers}
        self._questions: dict[str, int] = {}
        self._repeats = array("i")
        self._categories: dict[str | None, int] = {}
        self._items: Counter[int] = Counter()
        self._failed: Counter[int] = Counter()
        self._last_item_id: str | None = None

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows of ``tables.SCORES``; those of one item stand together."""
        for row in rows:
            question = self._questions.setdefault(row["question_id"], len(self._questions))
            category = self._categories.setdefault(row["category"], len(self._categories))
            if row["item_id"] != self._last_item_id:
                self._last_item_id = row["item_id"]
                self._count_item(row, question=question, category=category)
            self._column(row["name"]).add(row, question=question, category=category)

    def _count_item(self, row: Row, *, question: int, category: int) -> None:
        if question == len(self._repeats):
            self._repeats.append(0)
        self._repeats[question] += 1
        self._items[category] += 1
        self._failed[category] += row["unscoreable_reason"] in _FAILED_REASONS

    def _column(self, name: str) -> ScoreColumn:
        if name in self._columns:
            return self._columns[name]
        raise ConflictError(
            f"the scores hold {shown(name)}, which the run's specification does not name",
            code="scores_do_not_match",
            hint="materialize scores again",
        )

    def summary(self) -> RunSummary:
        """Summarise every score, over the whole run and by category, categories by name."""
        columns = [column.freeze() for column in self._columns.values()]
        return RunSummary(
            scores=tuple(column.summarise() for column in columns),
            categories=tuple(self._summarise_categories(columns)) if set(self._categories) - {None} else (),
        )

    def _summarise_categories(self, columns: Sequence[ScoreSet]) -> Iterator[CategorySummary]:
        slices = [column.by_category(len(self._categories)) for column in columns]
        for name in sorted(self._categories, key=lambda name: (name is None, name or "")):
            category = self._categories[name]
            yield CategorySummary(
                category=name,
                items=self._items[category],
                failed=self._failed[category],
                scores=tuple(parts[category].summarise() for parts in slices),
            )

    def question_summaries(self) -> Iterator[QuestionSummary]:
        """Yield every question in the order of the dataset, its values in the order of its repeats."""
        by_score = [(name, column.freeze().by_question(len(self._questions))) for name, column in self._columns.items()]
        for question_id, question in self._questions.items():
            yield QuestionSummary(
                question_id=question_id,
                repeats=self._repeats[question],
                scores=tuple(_question_score(name, next(values)) for name, values in by_score),
            )


def _question_score(name: str, values: Sequence[float]) -> QuestionScore:
    return QuestionScore(name=name, values=tuple(values), mean=mean(values), std=population_std(values))
