"""Random references with alternatives, and their tokens at white space."""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.lattice import Lattice, build_lattice

TOKENS = st.lists(st.sampled_from(["a", "b", "c", "है"]), max_size=6)


def split(text: str) -> list[Word]:
    return [Word(token=token, surface=token) for token in text.split()]


def lattice_of(text: str) -> Lattice:
    return build_lattice(parse_reference(text), split)


def _written(options: Sequence[str]) -> str:
    return "{ " + " / ".join(option or "@" for option in options) + " }"


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part for part in parts if part)


REFERENCES = st.recursive(
    TOKENS.map(" ".join),
    lambda inner: st.lists(st.one_of(inner, st.lists(inner, min_size=2, max_size=3).map(_written)), max_size=3).map(
        _joined
    ),
    max_leaves=10,
)
"""Texts of a few words, groups and groups in groups, of which some allow nothing."""


def planted_reference(chance: random.Random) -> tuple[str, str]:
    """Return a reference of words that rarely repeat, some with alternatives, and one way of it with errors."""
    written: list[str] = []
    said: list[str] = []
    for _ in range(chance.randint(1, 15)):
        options = [_words(chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        if len(options) > 1 and chance.random() < 0.3:
            options.append("")
        written.append(_written(options) if len(options) > 1 else options[0])
        said.append(_words(chance) if chance.random() < 0.2 else chance.choice(options))
    return _joined(written), _joined(said)


def _words(chance: random.Random) -> str:
    return " ".join(f"w{chance.randrange(5_000)}" for _ in range(chance.choice([1, 1, 1, 2, 3])))
