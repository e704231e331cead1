"""The counts of a run as arrays, one place a sample and model: what rates, intervals and tests are computed from."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import numpy as np
import orjson
from numpy.typing import NDArray

from eval_pipeline.stt_eval.figures.slices import Slices
from eval_pipeline.stt_eval.figures.speakers import Speakers
from eval_pipeline.stt_eval.language.languages import unsegmented
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.scoring.scores import DAMAGED, NO_REFERENCE, NOT_ANSWERED, NOT_UNDERSTOOD, ScoredSample

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModelColumns:
    """One model's counts at one level over the labelled samples, in their order.

    Where the model did not answer, ``answered`` is False and the counts are those of an empty transcript: everything
    deleted.
    """

    answered: NDArray[np.bool_]
    hits: Counts
    substitutions: Counts
    deletions: Counts
    insertions: Counts
    reference_words: Counts
    character_hits: Counts
    character_substitutions: Counts
    character_deletions: Counts
    character_insertions: Counts
    reference_characters: Counts

    @property
    def word_edits(self) -> Counts:
        """Substitutions, deletions and insertions of words."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def character_edits(self) -> Counts:
        """Substitutions, deletions and insertions of characters."""
        return self.character_substitutions + self.character_deletions + self.character_insertions


_COUNTED = tuple(each.name for each in fields(ModelColumns) if each.name != "answered")


@dataclass(slots=True)
class _Collected:
    """One model's counts at one level while they come."""

    answered: "array[int]" = field(default_factory=lambda: array("b"))
    columns: dict[str, "array[int]"] = field(default_factory=lambda: {name: array("q") for name in _COUNTED})


class Columns:
    """Collects the counts of a run, sample by sample.

    Args:
        models: labels in the order of the run.
        speaker_column: of the metadata, which names who speaks; None: every sample stands for itself.
    """

    def __init__(self, models: Iterable[str], *, speaker_column: str | None = None) -> None:
        self.models = tuple(models)
        self.slices = Slices()
        self.speakers = Speakers(speaker_column)
        self.labelled = 0
        self.character_languages: Counter[str] = Counter()
        """Samples in languages that are written without spaces, by language."""
        self._by_characters = array("b")
        self._collected = {(model, level): _Collected() for model in self.models for level in Level}

    def add(self, scored: ScoredSample) -> None:
        """Take in a sample; one without a reference has nothing to count."""
        if scored.forms is None:
            return
        self.labelled += 1
        self.slices.add(scored.sample, language=scored.language)
        self.speakers.add(orjson.loads(scored.sample["metadata"]))
        by_characters = unsegmented(scored.language)
        self._by_characters.append(by_characters)
        if by_characters and scored.language is not None:
            self.character_languages[scored.language] += 1
        for row in scored.rows:
            self._take(row)

    def _take(self, row: dict[str, object]) -> None:
        reason = row["unscored_reason"]
        if reason in {NO_REFERENCE, NOT_UNDERSTOOD, DAMAGED}:
            return
        collected = self._collected[str(row["model"]), Level(str(row["level"]))]
        collected.answered.append(reason != NOT_ANSWERED)
        for name, values in collected.columns.items():
            value = row[name]
            values.append(value if isinstance(value, int) else 0)
        if reason == NOT_ANSWERED:
            for deleted, length in (
                ("deletions", "reference_words"),
                ("character_deletions", "reference_characters"),
            ):
                collected.columns[deleted][-1] = collected.columns[length][-1]

    @property
    def by_words(self) -> NDArray[np.bool_]:
        """Which samples are in languages whose words a text shows, so that words are a measure of it."""
        return np.logical_not(np.array(self._by_characters, dtype=np.bool_))

    def of(self, model: str, level: Level) -> ModelColumns:
        """Return a model's counts at a level."""
        collected = self._collected[model, level]
        arrays = {name: np.array(values, dtype=np.int64) for name, values in collected.columns.items()}
        return ModelColumns(answered=np.array(collected.answered, dtype=np.bool_), **arrays)
