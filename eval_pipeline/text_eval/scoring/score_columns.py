"""The values of one score in compact arrays, and what is computed from them."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eval_pipeline.core.documents import Row
from eval_pipeline.core.statistics import Bounds, estimate_mean
from eval_pipeline.text_eval.scoring.score_values import DataType
from eval_pipeline.text_eval.scoring.scorers import ScorerConfig
from eval_pipeline.text_eval.scoring.summary import ScoreSummary

HISTOGRAM_BINS = 20


class ScoreColumn:
    """All values of one score, as they come."""

    def __init__(self, config: ScorerConfig) -> None:
        self._config = config
        self._values = array("d")
        self._questions = array("i")
        self._categories = array("i")
        self._unscoreable: Counter[tuple[int, str]] = Counter()

    def add(self, row: Row, *, question: int, category: int) -> None:
        """Take in one row; question and category by number."""
        value = row["value"]
        if value is None:
            self._unscoreable[category, row["unscoreable_reason"]] += 1
            return
        self._values.append(value)
        self._questions.append(question)
        self._categories.append(category)

    def freeze(self) -> "ScoreSet":
        """Return the present values; copied, as a viewed array could not grow any more."""
        scorer = self._config.scorer
        values = np.array(self._values, dtype=np.float64)
        # embeddings of texts hardly ever point away from each other: half of the range would stand empty
        low = 0.0 if len(values) == 0 or values.min() >= 0 else scorer.low
        return ScoreSet(
            name=self._config.score_name,
            data_type=scorer.data_type,
            bounds=Bounds(scorer.low, scorer.high),
            histogram_range=Bounds(low, scorer.high),
            values=values,
            questions=np.array(self._questions, dtype=np.int32),
            categories=np.array(self._categories, dtype=np.int32),
            unscoreable=self._unscoreable,
        )


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """The values of one score over a set of items."""

    name: str
    data_type: DataType
    bounds: Bounds
    histogram_range: Bounds
    values: npt.NDArray[np.float64]
    questions: npt.NDArray[np.int32]
    categories: npt.NDArray[np.int32]
    unscoreable: Mapping[tuple[int, str], int]

    def by_category(self, count: int) -> "list[ScoreSet]":
        """Split by category number."""
        unscoreable: list[dict[tuple[int, str], int]] = [{} for _ in range(count)]
        for (category, reason), times in self.unscoreable.items():
            unscoreable[category][category, reason] = times
        order = np.argsort(self.categories, kind="stable")
        ends = np.searchsorted(self.categories[order], np.arange(1, count))
        return [
            replace(
                self,
                values=self.values[at],
                questions=self.questions[at],
                categories=self.categories[at],
                unscoreable=unscoreable[category],
            )
            for category, at in enumerate(np.split(order, ends))
        ]

    def by_question(self, count: int) -> Iterator[list[float]]:
        """Yield the values of each question number."""
        order = np.argsort(self.questions, kind="stable")
        ends = np.searchsorted(self.questions[order], np.arange(1, count + 1))
        begin = 0
        for end in ends.tolist():
            yield self.values[order[begin:end]].tolist()
            begin = end

    def summarise(self) -> ScoreSummary:
        """Compute everything that is said about one score."""
        boolean = self.data_type is DataType.BOOLEAN
        estimate = estimate_mean(
            self.values.tolist(), clusters=self.questions.tolist(), bounds=self.bounds, proportion=boolean
        )
        reasons: Counter[str] = Counter()
        for (_, reason), times in self.unscoreable.items():
            reasons[reason] += times
        interval = estimate.interval
        return ScoreSummary(
            name=self.name,
            data_type=self.data_type.value,
            total=estimate.values + reasons.total(),
            total_pairs=estimate.values,
            unscoreable=dict(sorted(reasons.items())),
            mean=estimate.mean,
            std=estimate.std,
            standard_error=estimate.standard_error,
            ci_low=None if interval is None else interval.low,
            ci_high=None if interval is None else interval.high,
            interval_method=None if interval is None else interval.method.value,
            questions=estimate.clusters,
            histogram=self._histogram(2 if boolean else HISTOGRAM_BINS),
            histogram_low=self.histogram_range.low,
            histogram_high=self.histogram_range.high,
            distribution=_distribution(self.values) if boolean else None,
        )

    def _histogram(self, bins: int) -> tuple[int, ...]:
        counts, _ = np.histogram(self.values, bins=bins, range=(self.histogram_range.low, self.histogram_range.high))
        return tuple(counts.tolist())


def _distribution(values: npt.NDArray[np.float64]) -> dict[str, int]:
    true = int(np.count_nonzero(values))
    return {"true": true, "false": len(values) - true}
