"""The figures of a run: rates with their intervals for every model and slice, and which model is better than which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.stt_eval.figures.columns import Columns, ModelColumns
from eval_pipeline.stt_eval.figures.error_places import ErrorPlaces
from eval_pipeline.stt_eval.figures.mapsswe import matched_pairs
from eval_pipeline.stt_eval.figures.model_pairs import (
    JudgedPair,
    ModelPair,
    compared_models,
    judge_pairs,
    unbeaten_models,
)
from eval_pipeline.stt_eval.figures.pair_sentence import best_sentence, pair_sentence
from eval_pipeline.stt_eval.figures.paired import paired_difference
from eval_pipeline.stt_eval.figures.resampling import Counted, PooledRate, derive_seed, pooled_together
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline.stt_eval.scoring.measures import information_preserved, match_error_rate
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE

WER, CER = "WER", "CER"


@dataclass(frozen=True, slots=True)
class Rate:
    """A pooled error rate as it is shown."""

    value: float | None
    low: float | None
    high: float | None
    edits: int
    length: int
    samples: int

    @classmethod
    def of(cls, pooled: PooledRate) -> "Rate":
        """Take over what was computed."""
        interval = pooled.interval
        return cls(
            value=pooled.rate,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            edits=pooled.edits,
            length=pooled.length,
            samples=pooled.utterances,
        )


def headline_metric(character_samples: int, labelled: int) -> str:
    """Return CER where most samples are in languages written without spaces, else WER."""
    return CER if 2 * character_samples > labelled else WER


class Summariser:
    """Computes the figures of one run.

    Args:
        columns: the counts.
        places: where each model erred at the headline level, in the order of the labelled samples.
        metric: the headline metric.
        seed_of: names that the seed of every resampling is derived from, such as the run's; its own are added.
    """

    def __init__(
        self, columns: Columns, places: Mapping[str, ErrorPlaces], *, metric: str, seed_of: Sequence[str]
    ) -> None:
        self._columns = columns
        self._places = places
        self._metric = metric
        self._seed_of = tuple(seed_of)
        self._headline = {model: columns.of(model, HEADLINE) for model in columns.models}

    def models(self) -> list[dict[str, Any]]:
        """Return the figures of every model, in the order of the run."""
        return [self._model(model) for model in self._columns.models]

    def _model(self, model: str) -> dict[str, Any]:
        mine = self._headline[model]
        answered = mine.answered
        words = _counts_of(mine, answered)
        levels = {level: self._columns.of(model, level) for level in Level}
        rates = self._rates(
            {
                ("wer", ""): _counted(WER, mine, answered),
                ("cer", ""): _counted(CER, mine, answered),
                ("wer_with_failures", ""): _counted(WER, mine, None),
                ("cer_with_failures", ""): _counted(CER, mine, None),
                **{("wer", level): _counted(WER, counts, answered) for level, counts in levels.items()},
                **{("cer", level): _counted(CER, counts, answered) for level, counts in levels.items()},
            },
            of=("model", model),
        )
        return {
            "model": model,
            "labelled": len(answered),
            "answered": int(answered.sum()),
            "coverage": float(answered.mean()) if len(answered) else None,
            **{name: rate for (name, level), rate in rates.items() if not level},
            "levels": {str(level): {"wer": rates["wer", level], "cer": rates["cer", level]} for level in Level},
            **_per_sample(mine, answered),
            "hits": words.hits,
            "substitutions": words.substitutions,
            "deletions": words.deletions,
            "insertions": words.insertions,
            "insertions_on_silence": int(mine.insertions[answered & (mine.reference_words == 0)].sum()),
            "wip": information_preserved(words),
            "mer": match_error_rate(words),
        }

    def slices(self) -> list[dict[str, Any]]:
        """Return the figures of every model in every slice, slice by slice."""
        return [
            row
            for column, value, inside in self._columns.slices.groups()
            for row in self._slice(inside, column=column, value=value)
        ]

    def _slice(self, inside: NDArray[np.bool_], *, column: str, value: str) -> Iterator[dict[str, Any]]:
        wanted: dict[tuple[str, str], Counted] = {}
        for model, mine in self._headline.items():
            wanted["wer", model] = _counted(WER, mine, mine.answered & inside)
            wanted["cer", model] = _counted(CER, mine, mine.answered & inside)
            wanted["wer_with_failures", model] = _counted(WER, mine, inside)
        rates = self._rates(wanted, of=("slice", column, value))
        for model, mine in self._headline.items():
            yield {
                "column": column,
                "value": value,
                "model": model,
                "samples": int(inside.sum()),
                "answered": int((mine.answered & inside).sum()),
                "wer": rates["wer", model],
                "cer": rates["cer", model],
                "wer_with_failures": rates["wer_with_failures", model],
            }

    def pairs(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return what the tests say of every two models, and which models none is better than."""
        judged = judge_pairs([self._pair(first, second) for first, second in combinations(self._columns.models, 2)])
        unbeaten = unbeaten_models(judged) if judged else list(self._columns.models)
        compared = compared_models(judged) or list(self._columns.models)
        best = {"models": unbeaten, "sentence": best_sentence(unbeaten, models=len(compared))}
        return [self._pair_json(pair) for pair in judged], best

    def _pair(self, first: str, second: str) -> ModelPair:
        """Compare two models on the samples that both answered."""
        mine, theirs = self._headline[first], self._headline[second]
        both = mine.answered & theirs.answered
        edits, lengths = _columns_for(self._metric, mine)
        their_edits, _ = _columns_for(self._metric, theirs)
        difference = paired_difference(
            edits[both], their_edits[both], lengths[both], seed=self._seed("pair", first, second)
        )
        matched = matched_pairs(self._places[first], self._places[second]) if self._metric == WER else None
        return ModelPair(first=first, second=second, difference=difference, matched=matched)

    def _pair_json(self, judged: JudgedPair) -> dict[str, Any]:
        pair, difference = judged.pair, judged.pair.difference
        return {
            "first": pair.first,
            "second": pair.second,
            "metric": self._metric,
            "conclusion": str(judged.conclusion),
            "better": judged.better,
            "sentence": pair_sentence(judged, metric=self._metric),
            "difference": difference.difference,
            "low": difference.interval.low if difference.interval else None,
            "high": difference.interval.high if difference.interval else None,
            "probability_first_better": difference.probability_first_better,
            "samples": difference.utterances,
            "mapsswe": None if pair.matched is None else asdict(pair.matched),
            "adjusted_p": judged.adjusted_p,
        }

    def _rates(
        self, wanted: Mapping[tuple[str, str], Counted], *, of: tuple[str, ...]
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """Return some rates with intervals of the same resamples, as far as they are of the same samples."""
        pooled = pooled_together(list(wanted.values()), seed=self._seed(*of))
        return {name: asdict(Rate.of(rate)) for name, rate in zip(wanted, pooled, strict=True)}

    def _seed(self, *names: str) -> int:
        return derive_seed(*self._seed_of, *names)


def _columns_for(metric: str, mine: ModelColumns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if metric == WER:
        return mine.word_edits, mine.reference_words
    return mine.character_edits, mine.reference_characters


def _counted(metric: str, mine: ModelColumns, inside: NDArray[np.bool_] | None) -> Counted:
    edits, lengths = _columns_for(metric, mine)
    return Counted(edits, lengths) if inside is None else Counted(edits[inside], lengths[inside])


def _counts_of(mine: ModelColumns, inside: NDArray[np.bool_]) -> EditCounts:
    return EditCounts(
        hits=int(mine.hits[inside].sum()),
        substitutions=int(mine.substitutions[inside].sum()),
        deletions=int(mine.deletions[inside].sum()),
        insertions=int(mine.insertions[inside].sum()),
    )


def _per_sample(mine: ModelColumns, answered: NDArray[np.bool_]) -> dict[str, float | None]:
    """Return figures that count every sample alike: secondary, for a short clip weighs as much as a long one."""
    speaking = answered & (mine.reference_words > 0)
    rates = mine.word_edits[speaking] / mine.reference_words[speaking]
    return {
        "wer_mean": float(rates.mean()) if len(rates) else None,
        "wer_median": float(np.median(rates)) if len(rates) else None,
        "exact_match_share": float((mine.word_edits[answered] == 0).mean()) if answered.any() else None,
    }
