"""One sample of an audio dataset: a clip, what is known of it, and what should be heard."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval_pipeline.stt_eval.clips.audio_formats import MIME_TYPES, AudioFormat

MAX_ID_CHARACTERS = 200
_DERIVED_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored sample."""

    sample_id: str
    audio_sha256: str
    audio_key: str
    """Of the clip in the object store; samples with the same bytes share it."""
    format: AudioFormat
    size_bytes: int
    duration_s: float | None
    """None when this format needs the extra ``audio`` to be measured and it was not there."""
    sample_rate_hz: int | None
    channels: int | None
    reference: str | None
    """None: unlabelled; blank: nothing should be heard."""
    language: str | None
    file_name: str
    """As the manifest or the folder has it, without the path to them."""
    line: int | None
    """Of the manifest; None in a folder."""
    metadata: Mapping[str, str]

    @property
    def mime(self) -> str:
        """What providers are told the clip is."""
        return MIME_TYPES[self.format]


def id_problem(sample_id: str) -> str | None:
    """Say why a text cannot name a sample, or None when it can: ids become keys of requests and names of files."""
    if len(sample_id) > MAX_ID_CHARACTERS:
        return f"has {len(sample_id):,} characters; at most {MAX_ID_CHARACTERS} are taken"
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in sample_id):
        return "holds a control character or a line break"
    if "/" in sample_id or "\\" in sample_id or sample_id.startswith("."):
        return "holds a slash or begins with a dot"
    return None


class SampleIds:
    """Names samples that have no id of their own after their files; the same files in the same order, the same names.

    Args:
        given: the ids that the manifest gives; no derived one takes any of them.
    """

    def __init__(self, given: Iterable[str]) -> None:
        self._taken = set(given)
        self._uses: Counter[str] = Counter()

    def derive(self, file_name: str) -> str:
        """Return the file's name without folders and suffix, with a number when it is taken.

        >>> ids = SampleIds(["b"])
        >>> [ids.derive(name) for name in ("x/a.wav", "y/a.mp3", "b.wav")]
        ['a', 'a-2', 'b-2']
        """
        stem = _stem(file_name)
        name = self._next(stem)
        while name in self._taken:
            name = self._next(stem)
        self._taken.add(name)
        return name

    def _next(self, stem: str) -> str:
        self._uses[stem] += 1
        return stem if self._uses[stem] == 1 else f"{stem}-{self._uses[stem]}"


def _stem(file_name: str) -> str:
    name = re.split(r"[/\\]", file_name)[-1]
    stem = name.rpartition(".")[0] or name
    visible = "".join(
        "_" if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} else character for character in stem
    )
    return visible[:_DERIVED_CHARACTERS].lstrip(".") or "sample"
