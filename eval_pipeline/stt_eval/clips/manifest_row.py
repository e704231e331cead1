"""One row of an audio manifest: a clip by name and what is said about it, before the clip was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import shown
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.stt_eval.clips.references import check_reference, is_silence, reference_text
from eval_pipeline.stt_eval.clips.samples import id_problem
from eval_pipeline.stt_eval.language.languages import language_code

ALIASES: Mapping[str, tuple[str, ...]] = {
    "audio": (
        *("file_name", "path", "audio_path", "audio_file", "audio_filepath", "wav_filename", "filename", "filepath"),
        *("file", "wav"),
    ),
    "reference": ("transcription", "sentence", "text", "transcript"),
    "language": ("locale", "lang"),
    "sample_id": ("id", "utterance_id", "utt_id"),
    "labelled": (),
}
"""Every column that means something, and what other tools call it; the first that a manifest has counts."""

MANIFEST = Purpose(
    noun="audio manifest", required=("audio",), aliases=tuple((alias, "audio") for alias in ALIASES["audio"])
)
_YES = frozenset({"", "yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A row that can be used as far as its own text goes."""

    line: int | None
    """Where it begins in the manifest; None when a folder was read."""
    audio: str
    reference: str | None
    language: str | None
    sample_id: str | None
    metadata: Mapping[str, str]


Entry = ManifestRow | SkippedRow


def meanings(columns: Mapping[str, object] | list[str]) -> dict[str, str]:
    """Return which column holds what, for those that are there."""
    found = {}
    for meaning, aliases in ALIASES.items():
        column = next((name for name in (meaning, *aliases) if name in columns), None)
        if column is not None:
            found[meaning] = column
    return found


def build_row(line: int, values: Mapping[str, str | None], *, metadata: Mapping[str, str]) -> Entry:
    """Check what a row says.

    Args:
        line: where it begins.
        values: what the meaningful columns hold, by meaning; None where a JSON Lines file says null.
        metadata: everything else.
    """
    try:
        return ManifestRow(
            line=line,
            audio=_audio(values),
            reference=_reference(values),
            language=_language(values),
            sample_id=_sample_id(values),
            metadata=metadata,
        )
    except EvalPipelineError as error:
        return SkippedRow(line, str(error))
    except _UnusableRowError as error:
        return SkippedRow(line, str(error))


class _UnusableRowError(Exception):
    """What is wrong with a row."""


def _audio(values: Mapping[str, str | None]) -> str:
    audio = (values.get("audio") or "").strip()
    if audio:
        return audio
    raise _UnusableRowError("it names no audio file; fill the column 'audio' or remove the row")


def _reference(values: Mapping[str, str | None]) -> str | None:
    cell = values.get("reference")
    reference = None if cell is None else reference_text(cell)
    if not _is_labelled(values):
        if reference is None or is_silence(reference):
            return None
        raise _UnusableRowError("it says that it is not labelled, and has a reference; remove one of them")
    if reference is not None:
        check_reference(reference)
    return reference


def _is_labelled(values: Mapping[str, str | None]) -> bool:
    answer = (values.get("labelled") or "").strip().lower()
    if answer in _YES | _NO:
        return answer in _YES
    raise _UnusableRowError(f"labelled is {shown(answer)}; write yes or no")


def _language(values: Mapping[str, str | None]) -> str | None:
    language = (values.get("language") or "").strip()
    return language_code(language) if language else None


def _sample_id(values: Mapping[str, str | None]) -> str | None:
    sample_id = (values.get("sample_id") or "").strip()
    problem = id_problem(sample_id)
    if problem is not None:
        raise _UnusableRowError(f"its id {shown(sample_id)} {problem}; choose another, or leave the cell empty")
    return sample_id or None
