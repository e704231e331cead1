"""The samples of a report: which are shown, worst first, and what the page says of each and of every model's result.

A run has more samples than a browser can lay out; all of them are in the CSV and the JSON beside the page.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from markupsafe import Markup

from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.core.documents import Json, Row
from eval_pipeline.reporting.markup import prose
from eval_pipeline.reporting.text import clip
from eval_pipeline.stt_eval.figures.summary import CER
from eval_pipeline.stt_eval.language.languages import unsegmented
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report.audio import Clip, Clips
from eval_pipeline.stt_eval.report.data import ShownVerdict
from eval_pipeline.stt_eval.report.diff import diff_html, text_direction, text_language
from eval_pipeline.stt_eval.scoring.scores import ScoredSample
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE
from eval_pipeline.stt_eval.transcript_rows import COMPLETED

_TEXT_CHARACTERS: Final = 8_000
_NOTHING_RIGHT: Final = 1.0
_NOTHING_TO_COMPARE: Final = -1.0
_HEADLINE_AT: Final = list(Level).index(HEADLINE)


@dataclass(frozen=True, slots=True)
class ResultView:
    """What one model made of one sample, ready to be placed."""

    model: str
    number: int
    """Of the model in the run, from 1."""
    scores: Json
    """Row of ``tables.SCORES`` at the headline level."""
    heard: Json
    """Row of ``tables.TRANSCRIPTS``."""
    rate: float | None
    """By the sample's metric."""
    text: Markup
    """The diff, the transcript alone, or what came back of one."""
    traits: tuple[str, ...]
    """What the page's filter asks for."""
    verdict: ShownVerdict | None


@dataclass(frozen=True, slots=True)
class SampleView:
    """One sample, ready to be placed."""

    number: int
    """From the worst on, from 1."""
    sample: Row
    """Row of ``tables.DATASET``."""
    language: str | None
    metric: str
    """The headline metric, or CER where the language is written without spaces."""
    kind: str
    """``labelled``, ``silence``, ``not_understood``, ``damaged`` or ``unlabelled``."""
    reference: Markup | None
    clip: Clip
    metadata: Json
    worst: float | None
    """The highest rate of any model."""
    results: tuple[ResultView, ...]


class WorstSamples:
    """Keeps the samples with the highest rates, in bounded memory.

    Args:
        metric: the headline metric.
        limit: how many.
    """

    def __init__(self, *, metric: str, limit: int) -> None:
        self._metric = metric
        self._limit = limit
        self._heap: list[tuple[float, int, ScoredSample]] = []
        self.seen = 0

    def see(self, scored: ScoredSample) -> None:
        """Take in the next sample."""
        entry = (badness(scored, metric=self._metric), -self.seen, scored)
        self.seen += 1
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def result(self) -> list[ScoredSample]:
        """Return what was kept, the worst first; equally bad ones in the order of the dataset."""
        return [scored for _, _, scored in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


def badness(scored: ScoredSample, *, metric: str) -> float:
    """Return the worst rate of any model; no answer and words where nothing was said count as all wrong.

    A sample without a reference stands last, unless a model failed on it.
    """
    both = zip(scored.transcripts, _headline_rows(scored), strict=True)
    mine = sample_metric(scored, metric)
    return max((_badness(row, heard, metric=mine) for heard, row in both), default=_NOTHING_TO_COMPARE)


def sample_metric(scored: ScoredSample, metric: str) -> str:
    """Return what measures a sample: words only where a text shows them."""
    return CER if unsegmented(scored.language) else metric


def _badness(row: Row, heard: Row, *, metric: str) -> float:
    rate = _rate(row, metric=metric)
    if rate is not None:
        return rate
    if heard["status"] != COMPLETED or row["insertions_on_silence"]:
        return _NOTHING_RIGHT
    return _NOTHING_TO_COMPARE if row["insertions_on_silence"] is None else 0.0


def _headline_rows(scored: ScoredSample) -> Sequence[Row]:
    return scored.rows[_HEADLINE_AT :: len(Level)]


def _rate(row: Row, *, metric: str) -> float | None:
    rate: float | None = row["cer" if metric == CER else "wer"]
    return rate


def view_samples(
    shown: Iterable[ScoredSample], *, metric: str, clips: Clips, verdicts: Mapping[str, ShownVerdict]
) -> Iterator[SampleView]:
    """Make each sample ready when its turn comes: sounds and diffs of all at once would fill the memory."""
    for number, scored in enumerate(shown, start=1):
        mine = sample_metric(scored, metric)
        results = tuple(_results(scored, metric=mine, verdicts=verdicts))
        rates = [result.rate for result in results if result.rate is not None]
        yield SampleView(
            number=number,
            sample=scored.sample,
            language=scored.language,
            metric=mine,
            kind=_kind(scored),
            reference=_reference(scored),
            clip=clips.clip(scored.sample),
            metadata=orjson.loads(scored.sample["metadata"]),
            worst=max(rates, default=None),
            results=results,
        )


def _kind(scored: ScoredSample) -> str:
    if scored.forms is None:
        if scored.sample["reference"] is None:
            return "unlabelled"
        return "damaged" if is_lost(scored.sample["reference"]) else "not_understood"
    return "labelled" if scored.forms[HEADLINE].words else "silence"


def _reference(scored: ScoredSample) -> Markup | None:
    reference: str | None = scored.sample["reference"]
    return _text(reference, language=scored.language) if reference and reference.strip() else None


def _text(text: str, *, language: str | None) -> Markup:
    shown = clip(text, limit=_TEXT_CHARACTERS)
    way = text_direction(shown, language=language)
    return prose(shown, lang=text_language(shown, language=language), direction=way)


def _results(scored: ScoredSample, *, metric: str, verdicts: Mapping[str, ShownVerdict]) -> Iterator[ResultView]:
    both = zip(scored.transcripts, _headline_rows(scored), strict=True)
    for number, (heard, row) in enumerate(both, start=1):
        verdict = verdicts.get(heard["item_id"])
        yield ResultView(
            model=heard["model"],
            number=number,
            scores=row,
            heard=heard,
            rate=_rate(row, metric=metric),
            text=_said(scored, heard),
            traits=tuple(_traits(row, heard, verdict)),
            verdict=verdict,
        )


def _said(scored: ScoredSample, heard: Row) -> Markup:
    reference: str | None = scored.sample["reference"]
    transcript: str | None = heard["transcript"]
    if transcript is None:
        return _text(heard["raw_text"], language=scored.language) if heard["raw_text"] else Markup()
    if reference is None or scored.forms is None:
        return _text(transcript, language=scored.language)
    return diff_html(reference, transcript, language=scored.language)


def _traits(row: Row, heard: Row, verdict: ShownVerdict | None) -> Iterator[str]:
    if row["exact_match"]:
        yield "exact"
    elif row["exact_match"] is not None:
        yield "errors"
    yield "answered" if heard["status"] == COMPLETED else "failed"
    yield from (f"flag-{flag}" for flag in row["flags"])
    if verdict is None or verdict.is_correct is None:
        yield "unjudged"
    else:
        yield "right" if verdict.is_correct else "wrong"
