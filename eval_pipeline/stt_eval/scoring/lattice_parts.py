"""The closest way through a lattice that is too long for one table: fork by fork, each within the words around it.

One way is aligned with the hypothesis, which takes linear memory whatever its length. Where that alignment has several
hits in a row outside of any fork, every close way passes, so the lattice is cut in the middle of them; what lies
between two cuts is short, and is searched exactly. Where nothing matches for long, pieces are halved.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.alignment import align, edit_counts
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline.stt_eval.scoring.lattice import Fork, Lattice, tokens_of

Choose = Callable[[Lattice, Sequence[str]], tuple[Word, ...]]
_Step = Word | Fork

_HITS_IN_A_ROW: Final = 6
"""So many, and the cut lies in their middle. Fewer are found by chance, in characters above all."""


def longest_way(lattice: Lattice) -> int:
    """Return the words of the longest way, at most."""
    return sum(
        max((longest_way(option) for option in segment.options), default=0)
        if isinstance(segment, Fork)
        else len(segment)
        for segment in lattice.segments
    )


def by_parts(
    lattice: Lattice, hypothesis: Sequence[str], *, choose: Choose, is_short: Callable[[int, int], bool]
) -> tuple[Word, ...]:
    """Return the words of a way that is close, the closest within every part.

    Args:
        lattice: with several ways.
        hypothesis: what was heard.
        choose: the closest way through a short lattice.
        is_short: whether a lattice of so many words and a hypothesis of so many may be given to ``choose``.
    """
    return tuple(_Parts(choose, is_short).choose(lattice, hypothesis))


@dataclass(frozen=True, slots=True)
class _Parts:
    short: Choose
    is_short: Callable[[int, int], bool]

    def choose(self, lattice: Lattice, hypothesis: Sequence[str]) -> Iterator[Word]:
        if self.is_short(longest_way(lattice), len(hypothesis)):
            yield from self.short(lattice, hypothesis)
            return
        steps = list(_steps(lattice))
        if len(steps) == 1 and isinstance(steps[0], Fork):
            yield from self._option(steps[0], hypothesis)
            return
        places, cuts = _guide(steps, hypothesis)
        begin = 0
        for end in (*cuts, len(steps)):
            yield from self._piece(steps, begin, end, places=places, hypothesis=hypothesis)
            begin = end

    def _piece(
        self, steps: Sequence[_Step], begin: int, end: int, *, places: Sequence[int], hypothesis: Sequence[str]
    ) -> Iterator[Word]:
        """Choose between two cuts; words alone are no choice."""
        piece = steps[begin:end]
        words = [step for step in piece if isinstance(step, Word)]
        if len(words) == len(piece):
            yield from words
            return
        part, heard = _lattice(piece), hypothesis[places[begin] : places[end]]
        if len(piece) == 1 or self.is_short(longest_way(part), len(heard)):
            yield from self.choose(part, heard)
            return
        middle = (begin + end) // 2
        yield from self._piece(steps, begin, middle, places=places, hypothesis=hypothesis)
        yield from self._piece(steps, middle, end, places=places, hypothesis=hypothesis)

    def _option(self, fork: Fork, hypothesis: Sequence[str]) -> tuple[Word, ...]:
        """Choose between alternatives that are long themselves."""
        ways = [tuple(self.choose(option, hypothesis)) for option in fork.options]
        return min(ways, key=lambda way: _rank(way, hypothesis))


def _rank(way: tuple[Word, ...], hypothesis: Sequence[str]) -> tuple[int, int, int]:
    counts = edit_counts(tokens_of(way), hypothesis)
    return counts.edits, -counts.hits, counts.reference_length


def _steps(lattice: Lattice) -> Iterator[_Step]:
    for segment in lattice.segments:
        if isinstance(segment, Fork):
            yield segment
        else:
            yield from segment


def _lattice(steps: Sequence[_Step]) -> Lattice:
    return Lattice(tuple(step if isinstance(step, Fork) else (step,) for step in steps))


def _first_way(step: _Step) -> Iterator[Word]:
    """Return the words of the way that is written first."""
    if isinstance(step, Word):
        yield step
    elif step.options:
        for inner in _steps(step.options[0]):
            yield from _first_way(inner)


def _guide(steps: Sequence[_Step], hypothesis: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return where in the hypothesis each step begins, by the alignment of one way, and the steps at which to cut."""
    ways = [tokens_of(_first_way(step)) for step in steps]
    starts = [0, *accumulate(map(len, ways))]
    owner = [place for place, way in enumerate(ways) for _ in way]
    begins = [0] * (starts[-1] + 1)
    hit = [False] * starts[-1]
    spoken = heard = 0
    for token in align(tuple(token for way in ways for token in way), hypothesis):
        if token.edit is not Edit.INSERTION:
            begins[spoken] = heard
            hit[spoken] = token.edit is Edit.HIT and isinstance(steps[owner[spoken]], Word)
            spoken += 1
        heard += token.edit is not Edit.DELETION
    begins[-1] = heard
    places = [begins[start] for start in starts]
    places[0], places[-1] = 0, len(hypothesis)
    return places, [owner[place] for place in _middles(hit, begins)]


def _middles(hit: Sequence[bool], begins: Sequence[int]) -> Iterator[int]:
    """Yield the tokens in the middle of ``_HITS_IN_A_ROW`` hits that follow each other in the hypothesis, too."""
    row = 0
    for place, is_hit in enumerate(hit):
        follows = row and begins[place] == begins[place - 1] + 1
        row = 0 if not is_hit else row + 1 if follows else 1
        if row == _HITS_IN_A_ROW:
            yield place - _HITS_IN_A_ROW // 2 + 1
            row = 0
