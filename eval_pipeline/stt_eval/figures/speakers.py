"""Who speaks in which sample: samples of one speaker are not independent, so they count together.

Fifty clips of ten people say less of an eleventh than fifty clips of fifty people: intervals that take every clip for
itself cover 78 % there, those that leave out speaker by speaker 95 %.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_SHOWN_COLUMNS: Final = 20
_SPEAKING: Final = frozenset(
    {"speaker", "speakers", "speakerid", "spk", "spkid", "spkr", "client", "clientid", "caller", "callerid", "reader"}
    | {"narrator", "participant", "respondent", "informant", "interviewee", "talker", "voice", "voiceid"}
)
_BESIDE: Final = frozenset({"id", "ids", "name", "no", "nr", "number", "code", "hash", "uid", "uuid", "key", "label"})


@dataclass(frozen=True, slots=True)
class SpeakerHint:
    """A column that looks as if it named who speaks, though the run was not told so."""

    column: str
    speakers: int
    samples: int


def looks_like_speakers(column: str) -> bool:
    """Tell whether a column's name says that it names who speaks.

    >>> looks_like_speakers("Speaker ID"), looks_like_speakers("clientId"), looks_like_speakers("district")
    (True, True, False)
    """
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).casefold()))
    return bool(words & _SPEAKING) and words <= _SPEAKING | _BESIDE


def check_speaker_column(column: str, samples: Iterable[Mapping[str, str]]) -> None:
    """Raise unless some sample has the column, before anything is paid.

    Args:
        column: that is to name who speaks.
        samples: the metadata of each.
    """
    known: dict[str, None] = {}
    for metadata in samples:
        if str(metadata.get(column) or "").strip():
            return
        if len(known) < _SHOWN_COLUMNS:
            known.update(dict.fromkeys(metadata))
    shown_columns = ", ".join(shown(name) for name in list(known)[:_SHOWN_COLUMNS]) or "none"
    raise UsageError(
        f"no sample of the dataset has a column {shown(column)} that names who speaks",
        code="unknown_speaker_column",
        hint=f"columns that it has: {shown_columns}; leave --speaker-column out where every clip is of another person",
    )


class Speakers:
    """Collects who speaks, sample by sample.

    Args:
        column: of the metadata, which names the speaker; None: every sample stands for itself.
    """

    def __init__(self, column: str | None) -> None:
        self.column = column
        self._names: dict[str, int] = {}
        self._of_samples: list[int] = []
        self._alone = 0
        self._likely: dict[str, list[str]] = {}

    def add(self, metadata: Mapping[str, str]) -> None:
        """Take in a sample; one that names nobody stands for itself."""
        if self.column is None:
            for name, value in metadata.items():
                if value.strip() and looks_like_speakers(name):
                    self._likely.setdefault(name, []).append(value.strip())
            return
        speaker = str(metadata.get(self.column) or "").strip()
        if speaker:
            self._of_samples.append(self._names.setdefault(speaker, len(self._names)))
        else:
            self._alone += 1
            self._of_samples.append(-self._alone)

    def clusters(self) -> NDArray[np.int64] | None:
        """Return the speaker of every sample as a number; None where every sample stands for itself."""
        return None if self.column is None else np.array(self._of_samples, dtype=np.int64)

    @property
    def count(self) -> int:
        """How many speakers were named."""
        return len(self._names)

    def hint(self) -> SpeakerHint | None:
        """Return the column in which most samples share a speaker, unless the run named one."""
        found = [SpeakerHint(name, len(set(values)), len(values)) for name, values in self._likely.items()]
        shared = [one for one in found if one.speakers < one.samples]
        return max(shared, key=lambda one: one.samples - one.speakers, default=None)
