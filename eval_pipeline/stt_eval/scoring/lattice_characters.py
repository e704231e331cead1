"""The characters of a lattice of words, one space between two words of whatever way is taken.

Characters choose their own way: of ``{ doctor / डॉक्टर }``, "docter" is as far from one as from the other by words, but
much closer to one by characters.
"""

from collections.abc import Iterable

from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.lattice import Fork, Lattice, tokens_of

_Segments = tuple[tuple[Word, ...] | Fork, ...]


def characters_of(words: Iterable[Word]) -> str:
    """Return the characters that are scored of words, those between them included."""
    return " ".join(tokens_of(words))


def character_lattice(lattice: Lattice) -> Lattice:
    """Spell a lattice. Ways that begin in different places become ways of their own: the first word has no space."""
    begins, may_be_silent = _begins(lattice.segments)
    options = (*begins, Lattice(())) if may_be_silent else begins
    return options[0] if len(options) == 1 else Lattice((Fork(options),))


def _begins(segments: _Segments) -> tuple[tuple[Lattice, ...], bool]:
    """Return the ways by their first word, and whether there is a way without any."""
    begins: list[Lattice] = []
    for place, segment in enumerate(segments):
        rest = segments[place + 1 :]
        if isinstance(segment, Fork):
            of_options = [_begins(option.segments) for option in segment.options]
            firsts = [Lattice(first.segments + _spaced(rest)) for options, _ in of_options for first in options]
            passable = any(may_be_silent for _, may_be_silent in of_options)
        else:
            text = characters_of(segment)
            firsts = [Lattice((_spelled(text), *_spaced(rest)))] if text else []
            passable = not text
        begins += firsts
        if not passable:
            return tuple(begins), False
    return tuple(begins), True


def _spaced(segments: _Segments) -> _Segments:
    """Spell what follows a word."""
    return tuple(
        Fork(tuple(Lattice(_spaced(option.segments)) for option in segment.options))
        if isinstance(segment, Fork)
        else _spelled("".join(f" {token}" for token in tokens_of(segment)))
        for segment in segments
    )


def _spelled(text: str) -> tuple[Word, ...]:
    return tuple(Word(token=character, surface=character) for character in text)
