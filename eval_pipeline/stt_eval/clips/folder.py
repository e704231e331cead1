"""Makes samples of a folder without a manifest: every sound file, with the transcript that lies beside it.

A transcript is a ``.txt`` file of the same name. Without one the clip is unlabelled; an empty one means silence.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import shown
from eval_pipeline.intake.encoding import detect_encoding
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError
from eval_pipeline.stt_eval.clips.manifest_row import ManifestRow
from eval_pipeline.stt_eval.clips.places import Place
from eval_pipeline.stt_eval.clips.problems import Problem
from eval_pipeline.stt_eval.clips.references import check_reference, reference_text

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("mp3", "mp2", "mpga", "wav", "wave", "flac", "m4a", "mp4", "ogg", "oga", "opus", "webm"),
        *("aac", "wma", "aif", "aiff", "mka", "3gp", "amr"),
    )
)
"""What is called like this must be a clip; any other file may be one, and is left out when it is none."""
MAX_TRANSCRIPT_BYTES = 1_000_000
_TRANSCRIPT = ".txt"
_PURPOSE = Purpose(noun="transcript", required=())


def folder_entries(place: Place, names: Sequence[str], *, folder: Path) -> Iterator[ManifestRow | Problem]:
    """Yield a row for every file that may be a clip.

    Args:
        place: which holds them.
        names: of all files.
        folder: for temporary files.
    """
    transcripts = {_stem(name): name for name in names if _is_transcript(name)}
    for name in names:
        if not _is_transcript(name):
            yield _entry(place, name, transcript=transcripts.get(_stem(name)), folder=folder)


def _entry(place: Place, name: str, *, transcript: str | None, folder: Path) -> ManifestRow | Problem:
    try:
        name.encode()
        reference = None if transcript is None else _read(place, transcript, folder=folder)
    except UnicodeEncodeError:
        return Problem(None, shown(name), "its name is no valid UTF-8; rename it")
    except (UnusableClipError, EvalPipelineError) as error:
        return Problem(None, shown(transcript or name), str(error))
    return ManifestRow(line=None, audio=name, reference=reference, language=None, sample_id=None, metadata={})


def _read(place: Place, name: str, *, folder: Path) -> str:
    """Return a transcript as it stands in its file, but for the line break at its end, which editors add."""
    copy = folder / "transcript"
    if not place.fetch(name, copy, limit_bytes=MAX_TRANSCRIPT_BYTES, may_be_empty=True).size_bytes:
        return ""
    form = detect_encoding(copy, _PURPOSE)
    if form.warning is not None or form.has_nul:
        raise _PURPOSE.refuse("it is no valid UTF-8, or holds a NUL character", hint="save it as UTF-8")
    with copy.open(encoding=form.encoding, newline="") as file:
        text = file.read()
    reference = reference_text(text.removesuffix("\n").removesuffix("\r"))
    check_reference(reference)
    return reference


def unused_transcripts(names: Sequence[str]) -> list[str]:
    """Name the transcripts beside which no other file lies."""
    stems = {_stem(name) for name in names if not _is_transcript(name)}
    return [name for name in names if _is_transcript(name) and _stem(name) not in stems]


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _is_transcript(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() == _TRANSCRIPT


def must_be_audio(name: str) -> bool:
    """Tell whether a file is called like a clip."""
    return PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES
