"""The ways to read a reference with alternatives, as words; ``lattice_match`` chooses the closest of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, product
from math import prod

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.alternatives import Alternatives, Reference
from eval_pipeline.stt_eval.language.words import Word

Tokenizer = Callable[[str], Sequence[Word]]


@value
class Fork:
    """A place with several ways on."""

    options: tuple["Lattice", ...]


@value
class Lattice:
    """Words and forks in turn. Words without a token (marks that vanished) are kept for their surface, never scored."""

    segments: tuple[tuple[Word, ...] | Fork, ...]

    @property
    def ways(self) -> int:
        """How many ways lead through."""
        forks = (segment for segment in self.segments if isinstance(segment, Fork))
        return prod(sum(option.ways for option in fork.options) for fork in forks)

    def paths(self) -> Iterator[tuple[Word, ...]]:
        """Return every way, those through first alternatives first."""
        for parts in product(*(_ways_of(segment) for segment in self.segments)):
            yield tuple(chain.from_iterable(parts))


def build_lattice(reference: Reference, tokenize: Tokenizer) -> Lattice:
    """Tokenise every text of a reference by itself: braces are borders of words."""
    return Lattice(tuple(_segment(segment, tokenize) for segment in reference.segments))


def _segment(segment: str | Alternatives, tokenize: Tokenizer) -> tuple[Word, ...] | Fork:
    if isinstance(segment, str):
        return tuple(tokenize(segment))
    return Fork(tuple(build_lattice(option, tokenize) for option in segment.options))


def _ways_of(segment: tuple[Word, ...] | Fork) -> Iterable[tuple[Word, ...]]:
    if isinstance(segment, Fork):
        return chain.from_iterable(option.paths() for option in segment.options)
    return (segment,)


def tokens_of(words: Iterable[Word]) -> tuple[str, ...]:
    """Return what is scored of words."""
    return tuple(word.token for word in words if word.token)
