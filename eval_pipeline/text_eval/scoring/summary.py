"""What is said about a run's scores as a whole: per score, per category, per question across its repeats.

Means are over scored items; what could not be scored is counted beside them, by reason. "No data" is None, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval_pipeline.core.documents import JsonDict


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """One score over a set of items."""

    name: str
    data_type: str
    """``NUMERIC`` or ``BOOLEAN`` (values 0 and 1)."""
    total: int
    """Items in the set; the denominator is always the dataset."""
    total_pairs: int
    """Items that have a value."""
    unscoreable: Mapping[str, int]
    """Reason to count."""
    mean: float | None
    std: float | None
    """Population standard deviation."""
    standard_error: float | None
    """Clustered by question: repeats are not independent. None with fewer than two questions."""
    ci_low: float | None
    ci_high: float | None
    """95 % interval."""
    interval_method: str | None
    questions: int
    """Clusters among the scored items."""
    histogram: tuple[int, ...]
    """Counts in equal bins over [histogram_low, histogram_high], the last bin closed."""
    histogram_low: float
    histogram_high: float
    distribution: Mapping[str, int] | None
    """Counts per value for BOOLEAN scores (``true``, ``false``), else None."""


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """The scores of one category; None names the items without one."""

    category: str | None
    items: int
    failed: int
    scores: tuple[ScoreSummary, ...]


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """One score of one question across its repeats."""

    name: str
    values: tuple[float, ...]
    mean: float | None
    std: float | None
    """Population standard deviation over the repeats; 0 means that every repeat scored the same."""


@dataclass(frozen=True, slots=True)
class QuestionSummary:
    """How consistent one question is across its repeats."""

    question_id: str
    repeats: int
    scores: tuple[QuestionScore, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything the report, the read model and the asset metadata say about scores."""

    scores: tuple[ScoreSummary, ...]
    categories: tuple[CategorySummary, ...]
    """Empty when the dataset has no category."""


BOOLEAN = "BOOLEAN"


def lead_score(summary: RunSummary | None) -> ScoreSummary | None:
    """Return the score that answers are sorted by: the first that says right or wrong, else the first of all."""
    if summary is None:
        return None
    return next((score for score in summary.scores if score.data_type == BOOLEAN), next(iter(summary.scores), None))


def middle_value(score: ScoreSummary) -> float | None:
    """Return a value that half of the scores lie below, as far as the histogram tells; None without a score."""
    total, below = sum(score.histogram), 0
    width = (score.histogram_high - score.histogram_low) / max(1, len(score.histogram))
    for place, count in enumerate(score.histogram):
        if count and below + count >= total / 2:
            return score.histogram_low + width * (place + (total / 2 - below) / count)
        below += count
    return None


MOST_CATEGORIES = 1_000
"""Kept of a run, those with most items: a column of ids makes a category of every question."""


def largest_categories(categories: Sequence[CategorySummary], *, limit: int) -> list[CategorySummary]:
    """Return the categories with most items, in their own order."""
    if len(categories) <= limit:
        return list(categories)
    by_size = sorted(range(len(categories)), key=lambda place: (-categories[place].items, place))
    return [categories[place] for place in sorted(by_size[:limit])]


def read_model(summary: RunSummary) -> JsonDict:
    """Return the summary as JSON, under the names that users of the evaluation service know; full precision."""
    left_out = len(summary.categories) - MOST_CATEGORIES
    return {
        **({"categories_left_out": left_out} if left_out > 0 else {}),
        "summary_scores": [_score_json(score) for score in summary.scores],
        "category_metrics": [
            {
                "category": category.category,
                "items": category.items,
                "failed": category.failed,
                "scores": [_score_json(score) for score in category.scores],
            }
            for category in largest_categories(summary.categories, limit=MOST_CATEGORIES)
        ],
    }


def _score_json(score: ScoreSummary) -> JsonDict:
    return {
        "name": score.name,
        "avg": score.mean,
        "std": score.std,
        "total_pairs": score.total_pairs,
        "data_type": score.data_type,
        "total": score.total,
        "unscoreable": dict(score.unscoreable),
        "standard_error": score.standard_error,
        "ci_low": score.ci_low,
        "ci_high": score.ci_high,
        "interval_method": score.interval_method,
        "questions": score.questions,
        "distribution": None if score.distribution is None else dict(score.distribution),
    }
