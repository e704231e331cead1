"""Where one system erred along the references: all that a comparison of two systems needs of their alignments.

A word of the reference has the place ``2 * index + 1``; what was inserted before it has ``2 * index``. Found once per
system, in compact arrays, however many systems it is compared with.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit

Places: TypeAlias = NDArray[np.int64]
_NOT_ANSWERED: Final = -1


@dataclass(frozen=True, slots=True)
class ErrorPlaces:
    """The errors of one system over some utterances, in their order."""

    utterances: Places
    """The utterance of every error."""
    places: Places
    """The place of every error."""
    words: Places
    """Reference words of every utterance along the chosen path; -1 where the system did not answer."""

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which utterances have an alignment."""
        answered: NDArray[np.bool_] = self.words != _NOT_ANSWERED
        return answered


class ErrorLog:
    """Notes the errors of one system utterance by utterance; nothing of an alignment is kept but its errors."""

    def __init__(self) -> None:
        self._utterances = array("q")
        self._places = array("q")
        self._words = array("q")

    def add(self, alignment: Sequence[AlignedToken] | None) -> None:
        """Take in the next utterance; None is one that the system did not answer."""
        if alignment is None:
            self._words.append(_NOT_ANSWERED)
            return
        before, utterance = len(self._places), len(self._words)
        self._words.append(_walk(alignment, places=self._places))
        self._utterances.extend([utterance] * (len(self._places) - before))

    def places(self) -> ErrorPlaces:
        """Return what was noted."""
        return ErrorPlaces(
            utterances=np.array(self._utterances, dtype=np.int64),
            places=np.array(self._places, dtype=np.int64),
            words=np.array(self._words, dtype=np.int64),
        )


def _walk(alignment: Sequence[AlignedToken], *, places: "array[int]") -> int:
    """Append the places of the errors and return the number of reference words."""
    word = 0
    for token in alignment:
        edit = token.edit
        if edit is Edit.INSERTION:
            places.append(2 * word)
            continue
        if edit is not Edit.HIT:
            places.append(2 * word + 1)
        word += 1
    return word
