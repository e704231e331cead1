"""The figures of a run: rates with their intervals for every model and slice, and which model is better than which.

Words are counted where a text shows them: samples in languages that are written without spaces are no part of any WER,
and stand in every CER.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.statistics.resampling import derive_seed
from eval_pipeline.stt_eval.figures import best
from eval_pipeline.stt_eval.figures.columns import Columns, ModelColumns
from eval_pipeline.stt_eval.figures.error_places import ErrorPlaces
from eval_pipeline.stt_eval.figures.mapsswe import matched_pairs
from eval_pipeline.stt_eval.figures.matched_samples import matched_samples
from eval_pipeline.stt_eval.figures.model_pairs import JudgedPair, ModelPair, judge_pairs
from eval_pipeline.stt_eval.figures.pair_sentence import pair_sentence, sample_words
from eval_pipeline.stt_eval.figures.paired import paired_difference
from eval_pipeline.stt_eval.figures.pooled_rates import Counted, PooledRate, pooled_rate
from eval_pipeline.stt_eval.figures.rare_events import (
    FEW_UNITS,
    Runaways,
    runaways,
    runaways_json,
    runaways_sentence,
    unseen_sentence,
)
from eval_pipeline.stt_eval.figures.silence import compare_on_silence
from eval_pipeline.stt_eval.language.languages import language_name
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
        self._by_words = columns.by_words
        self._clusters = columns.speakers.clusters()

    def models(self) -> list[JsonDict]:
        """Return the figures of every model, in the order of the run."""
        return [self._model(model) for model in self._columns.models]

    def _model(self, model: str) -> JsonDict:
        mine = self._headline[model]
        answered, everything = mine.answered, np.ones_like(mine.answered)
        words = _words_of(mine, answered & self._by_words)
        characters = _characters_of(mine, answered)
        levels = {
            str(level): {
                "wer": self._rate(WER, counts, answered),
                "cer": self._rate(CER, counts, answered),
            }
            for level, counts in ((level, self._columns.of(model, level)) for level in Level)
        }
        return {
            "model": model,
            "labelled": len(answered),
            "answered": int(answered.sum()),
            "coverage": float(answered.mean()) if len(answered) else None,
            **levels[HEADLINE],
            "wer_with_failures": self._rate(WER, mine, everything),
            "cer_with_failures": self._rate(CER, mine, everything),
            "levels": levels,
            "runaways": None if (found := self._runaways(mine)) is None else runaways_json(found),
            **self._per_sample(mine),
            "hits": words.hits,
            "substitutions": words.substitutions,
            "deletions": words.deletions,
            "insertions": words.insertions,
            "character_hits": characters.hits,
            "character_substitutions": characters.substitutions,
            "character_deletions": characters.deletions,
            "character_insertions": characters.insertions,
            "insertions_on_silence": int(mine.insertions[answered & (mine.reference_words == 0)].sum()),
            "wip": information_preserved(words),
            "mer": match_error_rate(words),
        }

    def _per_sample(self, mine: ModelColumns) -> dict[str, float | None]:
        """Return figures that count every sample alike: secondary, for a short clip weighs as much as a long one."""
        answered = mine.answered
        speaking = answered & self._by_words & (mine.reference_words > 0)
        rates = mine.word_edits[speaking] / mine.reference_words[speaking]
        exact = np.where(self._by_words, mine.word_edits, mine.character_edits) == 0
        return {
            "wer_mean": float(rates.mean()) if len(rates) else None,
            "wer_median": float(np.median(rates)) if len(rates) else None,
            "exact_match_share": float(exact[answered].mean()) if answered.any() else None,
        }

    def slices(self) -> list[JsonDict]:
        """Return the figures of every model in every slice, slice by slice."""
        return [
            row
            for column, value, inside in self._columns.slices.groups()
            for row in self._slice(inside, column=column, value=value)
        ]

    def _slice(self, inside: NDArray[np.bool_], *, column: str, value: str) -> Iterator[JsonDict]:
        metric = self._slice_metric(inside, column=column)
        for model, mine in self._headline.items():
            answered = mine.answered & inside
            yield {
                "column": column,
                "value": value,
                "model": model,
                "metric": metric,
                "samples": int(inside.sum()),
                "answered": int(answered.sum()),
                "wer": self._rate(WER, mine, answered),
                "cer": self._rate(CER, mine, answered),
                "wer_with_failures": self._rate(WER, mine, inside),
                "cer_with_failures": self._rate(CER, mine, inside),
            }

    def _slice_metric(self, inside: NDArray[np.bool_], *, column: str) -> str:
        """Return what measures a slice: a language's own metric, and CER where no sample has words."""
        if not (inside & self._by_words).any():
            return CER
        return WER if column == "language" else self._metric

    def pairs(self) -> tuple[list[JsonDict], JsonDict]:
        """Return what the tests say of every two models, and which models none is better than."""
        both = list(combinations(self._columns.models, 2))
        judged = judge_pairs([self._pair(first, second) for first, second in both])
        with_failures = judge_pairs([self._pair(first, second, failures=True) for first, second in both])
        shares = [self._share(model) for model in self._columns.models]
        told = {
            "models": best.best_models(judged, shares),
            "sentence": best.best_sentence(judged, shares),
            "notes": [*best.notes(shares, metric=self._metric, other=_other(self._metric)), *self._notes()],
        }
        pairs = [
            {**self._pair_json(one), "with_failures": self._failures_json(failed)}
            for one, failed in zip(judged, with_failures, strict=True)
        ]
        return pairs, told

    def _share(self, model: str) -> best.ModelShare:
        mine = self._headline[model]
        return best.ModelShare(
            model=model,
            answered=int(mine.answered.sum()),
            labelled=len(mine.answered),
            rates={metric: self._pooled(metric, mine, mine.answered).rate for metric in (WER, CER)},
            with_failures=self._pooled(self._metric, mine, np.ones_like(mine.answered)).rate,
        )

    def _notes(self) -> Iterator[str]:
        """Say what intervals cannot hold, how languages without spaces are scored, which column may name speakers."""
        yield from self._on_intervals()
        languages = self._columns.character_languages
        if languages and self._by_words.any():
            yield self._by_characters(languages)
        if hint := self._columns.speakers.hint():
            yield (
                f"The column {hint.column} looks as if it named who speaks ({hint.speakers:,} in"
                f" {sample_words(hint.samples)}): samples of one speaker are alike, so intervals are wider than shown;"
                f" score again with --speaker-column {hint.column}"
            )

    def _on_intervals(self) -> Iterator[str]:
        for model, mine in self._headline.items():
            if (found := self._runaways(mine)) is not None:
                yield runaways_sentence(model, found, metric=self._metric)
        counted = [self._pooled(self._metric, mine, mine.answered) for mine in self._headline.values()]
        fewest = min((one.units for one in counted if one.interval is not None), default=FEW_UNITS)
        if fewest < FEW_UNITS:
            yield unseen_sentence(fewest, unit="sample" if self._clusters is None else "speaker")

    def _runaways(self, mine: ModelColumns) -> Runaways | None:
        return runaways(self._counted(self._metric, mine, mine.answered))

    def _by_characters(self, languages: Mapping[str, int]) -> str:
        named = best.joined([f"{language_name(code)} ({samples:,})" for code, samples in languages.items()])
        inside, count = ~self._by_words, int((~self._by_words).sum())
        rates = [
            f"{model} {rate:.1%}"
            for model, mine in self._headline.items()
            if (rate := self._pooled(CER, mine, mine.answered & inside).rate) is not None
        ]
        are = "is" if count == 1 else "are"
        told = f"; their CER: {', '.join(rates)}" if rates else ""
        return (
            f"{sample_words(count)} in languages written without spaces, {named}, {are} scored by characters and"
            f" {are} no part of any WER{told}"
        )

    def _pair(self, first: str, second: str, *, failures: bool = False) -> ModelPair:
        """Compare two models on the samples that both answered, or on all with failures as all missed."""
        mine, theirs = self._headline[first], self._headline[second]
        both = np.ones_like(mine.answered) if failures else mine.answered & theirs.answered
        inside = both & self._by_words if self._metric == WER else both
        edits, lengths = _columns_for(self._metric, mine)
        their_edits, _ = _columns_for(self._metric, theirs)
        clusters = None if self._clusters is None else self._clusters[inside]
        difference = paired_difference(
            edits[inside],
            their_edits[inside],
            lengths[inside],
            seed=self._seed("pair", first, second, *(["with failures"] if failures else [])),
            clusters=clusters,
        )
        by_words = self._metric == WER and clusters is None and not failures
        return ModelPair(
            first=first,
            second=second,
            difference=difference,
            matched=matched_pairs(self._places[first], self._places[second]) if by_words else None,
            samples=matched_samples(edits[inside], their_edits[inside], clusters=clusters),
            silence=compare_on_silence(
                mine.insertions, theirs.insertions, silent=both & (mine.reference_characters == 0)
            ),
        )

    def _pair_json(self, judged: JudgedPair) -> JsonDict:
        pair, difference, evidence = judged.pair, judged.pair.difference, judged.pair.evidence
        silence = pair.on_silence
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
            "test": None if evidence is None else str(evidence.test),
            "p": None if evidence is None else evidence.p,
            "adjusted_p": judged.adjusted_p,
            "on_silence": None if silence is None else {**asdict(silence), "p_two_sided": silence.p_two_sided},
        }

    def _failures_json(self, judged: JudgedPair) -> JsonDict | None:
        """Return the comparison with failures as all missed; None where neither model failed."""
        pair = judged.pair
        answered = self._headline[pair.first].answered & self._headline[pair.second].answered
        if answered.all():
            return None
        told = self._pair_json(judged)
        kept = ("conclusion", "better", "difference", "low", "high", "samples", "test", "p", "adjusted_p")
        sentence = f"with failures counted as all missed: {told['sentence']}"
        return {"sentence": sentence, **{name: told[name] for name in kept}}

    def _counted(self, metric: str, mine: ModelColumns, inside: NDArray[np.bool_]) -> Counted:
        chosen = inside & self._by_words if metric == WER else inside
        edits, lengths = _columns_for(metric, mine)
        return Counted(edits[chosen], lengths[chosen], None if self._clusters is None else self._clusters[chosen])

    def _pooled(self, metric: str, mine: ModelColumns, inside: NDArray[np.bool_]) -> PooledRate:
        return pooled_rate(self._counted(metric, mine, inside))

    def _rate(self, metric: str, mine: ModelColumns, inside: NDArray[np.bool_]) -> JsonDict:
        return asdict(Rate.of(self._pooled(metric, mine, inside)))

    def _seed(self, *names: str) -> int:
        return derive_seed(*self._seed_of, *names)


def _other(metric: str) -> str:
    return CER if metric == WER else WER


def _columns_for(metric: str, mine: ModelColumns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if metric == WER:
        return mine.word_edits, mine.reference_words
    return mine.character_edits, mine.reference_characters


def _words_of(mine: ModelColumns, inside: NDArray[np.bool_]) -> EditCounts:
    return EditCounts(
        hits=int(mine.hits[inside].sum()),
        substitutions=int(mine.substitutions[inside].sum()),
        deletions=int(mine.deletions[inside].sum()),
        insertions=int(mine.insertions[inside].sum()),
    )


def _characters_of(mine: ModelColumns, inside: NDArray[np.bool_]) -> EditCounts:
    return EditCounts(
        hits=int(mine.character_hits[inside].sum()),
        substitutions=int(mine.character_substitutions[inside].sum()),
        deletions=int(mine.character_deletions[inside].sum()),
        insertions=int(mine.character_insertions[inside].sum()),
    )
