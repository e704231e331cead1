"""The kinds of quantity that are read, a closed set."""

from dataclasses import dataclass
from typing import Literal

from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.units import Unit

Bound = Literal["below", "above"]
Joint = Literal["", "and", "or", ","]


@dataclass(frozen=True, slots=True)
class Amount:
    """A number and what it counts: ``unit`` if that is known, else ``noun``, the word behind it."""

    value: Exact
    unit: Unit | None = None
    per: Unit | None = None
    noun: str = ""
    compound: bool = False
    """Put together of several: 1 year 6 months."""
    bound: Bound | None = None
    """"< 5" and "> 5"."""
    ordinal: bool = False
    """Which of a row: 3rd, third."""


@dataclass(frozen=True, slots=True)
class Range:
    """From one amount to another: 5-7 days."""

    low: Amount
    high: Amount


@dataclass(frozen=True, slots=True)
class Ratio:
    """1:4; ``like_clock`` if a time is written the same way."""

    parts: tuple[int, ...]
    like_clock: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """4 of 5."""

    part: Exact
    whole: Exact


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. Without ``sure`` it is the reading of a dial: 2:30 may be in the afternoon."""

    seconds: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A date or a part of one. ``swapped`` where day and month could be the other way round: 05/06/2024."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    swapped: bool = False
    short: bool = False
    """Whether the year was written with two digits, so that nobody knows its century."""


@dataclass(frozen=True, slots=True)
class Digits:
    """A number that counts nothing: a telephone number, with its separators left out."""

    digits: str


@dataclass(frozen=True, slots=True)
class Calculation:
    """3 + 4, without a result; ``terms`` as they were written, ``value`` None where it cannot be worked out."""

    terms: tuple[str, ...]
    value: Exact | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something of numbers that is none of these. ``is_number`` where it may still come to one: the root of 1 + 2."""

    is_number: bool = True


Read = Amount | Range | Ratio | Share | Clock | Day | Digits
"""What has a value."""
Quantity = Read | Calculation | Unreadable


@dataclass(frozen=True, slots=True)
class Found:
    """A quantity where it stands in the text."""

    quantity: Quantity
    text: str
    begin: int
    end: int
    label: str = ""
    """"page" in "page 7"."""
    aside: bool = False
    """Passed over while there is something else: in brackets, behind a label, the numbering of a list."""
    when: bool = False
    """A year that tells of when: "in 2011", "the 2011 census"."""
    joint: Joint = ""
    """What alone stands between it and the one before: "3 or 4", "3,5"."""


def amount_key(quantity: Quantity) -> tuple[str, str, str]:
    """Return kind, dimension and noun: what makes two quantities answers to one question."""
    if isinstance(quantity, Range):
        return amount_key(quantity.high)
    if not isinstance(quantity, Amount):
        return (type(quantity).__name__, "", "")
    if quantity.unit is not None:
        return ("Amount", quantity.unit.dimension, "")
    return ("Amount", "", quantity.noun)
