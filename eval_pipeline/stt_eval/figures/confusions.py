"""What a model confuses most often, counted over any number of alignments in bounded memory.

Up to ``capacity`` different confusions the counts are exact. Beyond, the rarest make room as in the summary of Misra
and Gries (1982), which stays valid when parts are merged (Agarwal et al., "Mergeable summaries", 2012): every count may
then be too low by at most ``missed``, and whatever occurred more often than that is still there.
"""

from collections import Counter
from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import Final

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit

CAPACITY: Final = 100_000
"""At most 60 MB; a model of 16,000 utterances with a fifth of its words wrong has fewer different confusions."""
_KEPT: Final = frozenset({Edit.SUBSTITUTION, Edit.DELETION, Edit.INSERTION})
_Key = tuple[Edit, str | None, str | None]


@value
class Confusion:
    """Tokens that were taken for each other; ``reference`` is None for an insertion, ``hypothesis`` for a deletion."""

    reference: str | None
    hypothesis: str | None
    count: int


class Confusions:
    """A tally of substitutions, deletions and insertions."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self.counts: Counter[_Key] = Counter()
        self.missed = 0
        """By how much any count may be too low; 0 while the tally is exact."""

    def add(self, alignment: Iterable[AlignedToken]) -> None:
        """Count the edits of one alignment."""
        self.counts.update(
            (token.edit, token.reference, token.hypothesis) for token in alignment if token.edit in _KEPT
        )
        self._make_room(2 * self._capacity)

    def most_frequent(self, edit: Edit, *, limit: int) -> tuple[Confusion, ...]:
        """Return the most frequent edits of a kind, equally frequent ones in the order of their tokens."""
        self._make_room(self._capacity)
        found = (
            Confusion(reference=reference, hypothesis=hypothesis, count=count)
            for (kind, reference, hypothesis), count in self.counts.items()
            if kind is edit
        )
        return tuple(nsmallest(limit, found, key=_order))

    def _make_room(self, most: int) -> None:
        """Take from every count what the first that has no room counts; what is left of nothing goes."""
        if len(self.counts) <= most:
            return
        taken = nlargest(self._capacity + 1, self.counts.values())[-1]
        self.counts = Counter({key: count - taken for key, count in self.counts.items() if count > taken})
        self.missed += taken


def _order(confusion: Confusion) -> tuple[int, str, str]:
    return -confusion.count, confusion.reference or "", confusion.hypothesis or ""
