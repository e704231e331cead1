"""The tokens of a text with a place to look at, and what was read at a place already."""

from collections.abc import Sequence
from typing import NamedTuple

from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word
from eval_pipeline.text_eval.scoring.quantities.kinds import Quantity
from eval_pipeline.text_eval.scoring.quantities.tokens import END, Token


class Step(NamedTuple):
    """A quantity, and the token behind it."""

    quantity: Quantity
    end: int


class Value(NamedTuple):
    """A number, None where it cannot be worked out, and the token behind it."""

    value: Exact | None
    end: int
    plain: bool = False
    """Whether it is digits alone, as parts of dates and times are."""


class Tokens:
    """The tokens of one text. Beyond its ends there is nothing, which is no error."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.values: dict[int, Value | None] = {}
        self.amounts: dict[tuple[int, bool], Step | None] = {}
        """What was read already: several kinds begin with the same number."""

    def at(self, at: int) -> Token:
        """Return a token."""
        return self.tokens[at] if 0 <= at < len(self.tokens) else END

    def word(self, at: int) -> str:
        """Return a word in the form of the tables, "" where there is none."""
        token = self.at(at)
        return fold_word(token.text) if token.kind == "word" else ""

    def is_sign(self, at: int, signs: str | frozenset[str]) -> bool:
        """Tell whether one of the signs stands there."""
        token = self.at(at)
        return token.kind == "sign" and token.text in signs
