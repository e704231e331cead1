"""Texts of this dataset before and after normalisation: those that ``standard`` changes most."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.normalisation import Level, normalise
from eval_pipeline.stt_eval.scoring.scores import ScoredSample

SHOWN_EXAMPLES: Final = 2
_MOST_CHARACTERS: Final = 240
"""Longer texts are no examples that anybody reads."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text as it was written, and as it is compared at every level."""

    sample_id: str
    whose: str | None
    """The model that wrote it; None for a reference."""
    language: str | None
    written: str
    changed: int
    """Characters that ``standard`` changes."""

    def at(self, level: Level) -> str:
        """Return the form that is compared."""
        return normalise(self.written, level, language=self.language)

    @property
    def lenient_differs(self) -> bool:
        """Whether ``lenient`` changes more."""
        return self.at(Level.LENIENT) != self.at(Level.STANDARD)


class Examples:
    """Keeps the texts that change most, one a sample; of equal ones the first."""

    def __init__(self) -> None:
        self._best: list[Example] = []

    def see(self, scored: ScoredSample) -> None:
        """Take in a sample."""
        best = max(_candidates(scored), key=lambda example: example.changed, default=None)
        if best is None or best.changed == 0:
            return
        kept = [example for example in self._best if example.written != best.written]
        if len(kept) == len(self._best):
            self._best = sorted([*kept, best], key=lambda example: -example.changed)[:SHOWN_EXAMPLES]

    def result(self) -> tuple[Example, ...]:
        """Return what was kept, the text that changes most first."""
        return tuple(self._best)


def _candidates(scored: ScoredSample) -> Iterator[Example]:
    sample = scored.sample
    reference: str | None = sample["reference"]
    if reference is not None and not parse_reference(reference).has_alternatives:
        yield from _measured(scored, reference, whose=None)
    for row in scored.transcripts:
        if row["transcript"] is not None:
            yield from _measured(scored, row["transcript"], whose=row["model"])


def _measured(scored: ScoredSample, text: str, *, whose: str | None) -> Iterator[Example]:
    if len(text) > _MOST_CHARACTERS:
        return
    verbatim, standard = (
        normalise(text, level, language=scored.language) for level in (Level.VERBATIM, Level.STANDARD)
    )
    if standard:
        changed = Levenshtein.distance(verbatim, standard)
        yield Example(scored.sample["sample_id"], whose, scored.language, text, changed)
