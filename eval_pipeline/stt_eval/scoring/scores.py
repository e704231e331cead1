"""Scores of every transcript at every level, streamed: the stage reads two tables side by side and writes a third."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.stt_eval.clips.references import is_not_understood
from eval_pipeline.stt_eval.language.languages import unsegmented
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.language.unspaced import written_language
from eval_pipeline.stt_eval.scoring.measures import (
    error_rate,
    information_preserved,
    insertions_on_silence,
    match_error_rate,
)
from eval_pipeline.stt_eval.scoring.scoring import (
    HEADLINE,
    HeardText,
    ReferenceForm,
    flags_of,
    heard_text,
    reference_form,
)
from eval_pipeline.stt_eval.transcript_rows import COMPLETED

NO_REFERENCE, NOT_UNDERSTOOD, NOT_ANSWERED = "no_reference", "reference_not_understood", "failed"
DAMAGED = "reference_damaged"


@dataclass(frozen=True, slots=True)
class ScoredSample:
    """One sample with what every model made of it."""

    sample: Mapping[str, Any]
    """Row of ``tables.DATASET``."""
    language: str | None
    forms: Mapping[Level, ReferenceForm] | None
    """None: unlabelled, or the reference is damaged or only says that nobody understood what was said."""
    transcripts: tuple[Mapping[str, Any], ...]
    """Rows of ``tables.TRANSCRIPTS``, one a model in the order of the run's models."""
    heard: tuple[Mapping[Level, HeardText] | None, ...]
    """As scored, one a model; None: there is no transcript."""
    rows: tuple[dict[str, Any], ...]
    """Rows of ``tables.SCORES``, level by level of model by model."""


class Counted(TypedDict):
    """What is counted of a transcript against its reference, as ``tables.SCORES`` names it."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int
    character_hits: int
    character_substitutions: int
    character_deletions: int
    character_insertions: int
    wer: float | None
    cer: float | None
    wip: float | None
    mer: float | None
    insertions_on_silence: int | None
    exact_match: bool


class _CountedOf(Counted):
    """The same with the lengths of the reference, of the spelling that fits the transcript best."""

    reference_words: int
    reference_characters: int


_NOTHING_COUNTED: Mapping[str, None] = dict.fromkeys(Counted.__annotations__)


class SampleRows(Protocol):
    """Streams rows of ``tables.DATASET``; the stage, or the stage with corrected references."""

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Stream the rows in order."""
        ...


def language_of(sample: Mapping[str, Any], default: str | None) -> str | None:
    """Return the language of a sample, else what the run says of samples without one."""
    language: str | None = sample["language"]
    return language or default


def score_samples(
    dataset: SampleRows, transcripts: StageReader, *, models: int, language: str | None
) -> Iterator[ScoredSample]:
    """Score sample by sample.

    Args:
        dataset: rows of ``tables.DATASET``.
        transcripts: rows of ``tables.TRANSCRIPTS``, as many a sample as there are models.
        models: of the run.
        language: of samples that name none.

    Raises:
        ConflictError: ``stages_do_not_match``, when the tables are not of the same samples.
    """
    rows = transcripts.rows()
    for sample in dataset.rows():
        theirs = tuple(row for _, row in zip(range(models), rows, strict=False))
        if len(theirs) != models or any(row["sample_id"] != sample["sample_id"] for row in theirs):
            raise _not_of_these_samples(transcripts)
        yield score_sample(sample, theirs, language=language_of(sample, language))
    if next(rows, None) is not None:
        raise _not_of_these_samples(transcripts)


def _not_of_these_samples(transcripts: StageReader) -> ConflictError:
    return ConflictError(
        f"{transcripts.manifest.stage} is not of the samples that the run has now",
        code="stages_do_not_match",
        hint="materialize transcripts of the run again: what is stored is not paid for twice",
    )


def score_sample(
    sample: Mapping[str, Any], transcripts: tuple[Mapping[str, Any], ...], *, language: str | None
) -> ScoredSample:
    """Score what every model made of one sample."""
    reference: str | None = sample["reference"]
    language = written_language(language, reference)
    forms, unscored = None, NO_REFERENCE
    if reference is not None and is_not_understood(reference):
        unscored = NOT_UNDERSTOOD
    elif reference is not None and is_lost(reference):
        unscored = DAMAGED
    elif reference is not None:
        forms = {level: reference_form(reference, level, language=language) for level in Level}
    heard = tuple(_heard(row, language=language) for row in transcripts)
    rows: list[dict[str, Any]] = []
    for row, texts in zip(transcripts, heard, strict=True):
        flags = flags_of(
            row["transcript"],
            truncated=row["outcome"] == ItemStatus.INCOMPLETE,
            heard=None if texts is None else texts[HEADLINE],
            language=language,
            removed=row.get("cleaned", ()),
        )
        spaced = not unsegmented(language)
        rows += [_row(row, level, forms, texts, flags=flags, unscored=unscored, spaced=spaced) for level in Level]
    return ScoredSample(
        sample=sample, language=language, forms=forms, transcripts=transcripts, heard=heard, rows=tuple(rows)
    )


def _heard(row: Mapping[str, Any], *, language: str | None) -> dict[Level, HeardText] | None:
    if row["status"] != COMPLETED:
        return None
    return {level: heard_text(row["transcript"], level, language=language) for level in Level}


def _row(
    transcript: Mapping[str, Any],
    level: Level,
    forms: Mapping[Level, ReferenceForm] | None,
    heard: Mapping[Level, HeardText] | None,
    *,
    flags: list[str],
    unscored: str,
    spaced: bool,
) -> dict[str, Any]:
    form = None if forms is None else forms[level]
    counted = None if form is None or heard is None else _counted(form, heard[level], spaced=spaced)
    return {
        "item_id": transcript["item_id"],
        "sample_id": transcript["sample_id"],
        "model": transcript["model"],
        "level": str(level),
        "unscored_reason": unscored if form is None else NOT_ANSWERED if heard is None else None,
        "reference_words": None if form is None else len(form.words),
        "reference_characters": None if form is None else len(form.characters),
        **(_NOTHING_COUNTED if counted is None else counted),
        "flags": flags,
    }


def _counted(form: ReferenceForm, heard: HeardText, *, spaced: bool) -> _CountedOf:
    """Count words and characters; where a text shows no words, its characters tell whether all is right."""
    words, characters = form.count_words(heard), form.count_characters(heard)
    return {
        "hits": words.hits,
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "reference_words": words.reference_length,
        "character_hits": characters.hits,
        "character_substitutions": characters.substitutions,
        "character_deletions": characters.deletions,
        "character_insertions": characters.insertions,
        "reference_characters": characters.reference_length,
        "wer": error_rate(words) if spaced else None,
        "cer": error_rate(characters),
        "wip": information_preserved(words) if spaced else None,
        "mer": match_error_rate(words) if spaced else None,
        "insertions_on_silence": insertions_on_silence(words),
        "exact_match": (words if spaced else characters).edits == 0,
    }
