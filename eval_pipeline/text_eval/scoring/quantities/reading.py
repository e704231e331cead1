"""The parser: from tokens to the quantities that they write, left to right, with bounded looking ahead."""

import re
from collections.abc import Sequence

from eval_pipeline.text_eval.scoring.quantities.amounts import opening, read_amount
from eval_pipeline.text_eval.scoring.quantities.clocks import read_colons, read_hour, read_past
from eval_pipeline.text_eval.scoring.quantities.compounds import (
    read_calculation,
    read_feet,
    read_feet_and_inches,
    read_pressure,
    read_range,
    read_share,
    share_of,
    spaced_ratio,
    summed,
)
from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens
from eval_pipeline.text_eval.scoring.quantities.days import day_first, month_first, month_of_year, read_date, year_first
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Digits, Found, Joint, Unreadable
from eval_pipeline.text_eval.scoring.quantities.signposts import AND_WORDS, LABELS, OR_WORDS
from eval_pipeline.text_eval.scoring.quantities.tokens import Token
from eval_pipeline.text_eval.scoring.quantities.values import read_value

_EQUALS = frozenset("=≈≃")
_BEFORE_LINE = frozenset({"", "see", "on", "at", "in", "from", "the", "of"})
_NUMBERS = re.compile("[0-9]+")


def read_quantities(tokens: Sequence[Token], text: str) -> list[Found]:
    """Return the quantities in the order of writing; left sides of equations are left out."""
    return _read(Tokens(tokens, text))


def _read(tokens: Tokens) -> list[Found]:
    found: list[Found] = []
    at = 0
    while at < len(tokens.tokens):
        step = _quantity(tokens, at)
        if step is None:
            at += 1
            continue
        if not _is_left_side(tokens, step):
            found.append(_found(tokens, step, begin=at, before=found))
        at = step.end
    return found


def _quantity(tokens: Tokens, at: int) -> Step | None:
    token = tokens.tokens[at]
    match token.kind:
        case "date":
            return read_date(tokens, at)
        case "colons":
            return read_colons(tokens, at)
        case "chain":
            return None if "." in token.text else Step(Unreadable(), at + 1)
        case "phone":
            return _phone(tokens, at)
        case "number" | "sign" | "word":
            return (
                month_first(tokens, at)
                or year_first(tokens, at)
                or month_of_year(tokens, at)
                or read_past(tokens, at)
                or share_of(tokens, at)
                or read_pressure(tokens, at)
                or read_feet(tokens, at)
                or read_feet_and_inches(tokens, at)
                or _measured(tokens, at)
            )
        case "power" | "newline":
            return None


def _phone(tokens: Tokens, at: int) -> Step:
    return Step(Digits("".join(_NUMBERS.findall(tokens.tokens[at].text))), at + 1)


def _measured(tokens: Tokens, at: int) -> Step | None:
    """Read everything that begins with an amount."""
    begin = opening(tokens, at)
    if begin is None:
        return None
    value = read_value(tokens, begin)
    if value is not None:
        special = day_first(tokens, value) or read_hour(tokens, at, value) or spaced_ratio(tokens, value)
        if special is not None and begin == at:
            return special
    first = read_amount(tokens, at)
    if first is None:
        return None
    if not isinstance(first.quantity, Amount):
        return first
    return (
        read_range(tokens, first, begin=at)
        or read_share(tokens, first)
        or read_calculation(tokens, at, first)
        or summed(tokens, first)
    )


def _found(tokens: Tokens, step: Step, *, begin: int, before: list[Found]) -> Found:
    first, last = tokens.tokens[begin], tokens.tokens[step.end - 1]
    label = _label(tokens, begin)
    joint = _joint(tokens, before[-1].end, begin) if before else ""
    return Found(
        step.quantity,
        tokens.text[first.begin : last.end],
        begin=first.begin,
        end=last.end,
        label=label,
        aside=bool(label),
        joint=joint,
    )


def _label(tokens: Tokens, at: int) -> str:
    """Return the word that makes the number a name: page 7, step 3."""
    before = at - 1
    if tokens.is_sign(before, ".:#") and tokens.at(before).glued:
        before -= 1
    word = tokens.word(before)
    if word == "number" or word not in LABELS:
        return "§" if tokens.is_sign(at - 1, "§") else ""
    if word == "line" and (tokens.is_sign(before + 1, ":") or tokens.word(before - 1) not in _BEFORE_LINE):
        return ""  # help line: 1098
    if word in {"no", "item", "part", "number", "day", "sec", "p", "s", "art", "ch"} and not _is_label(tokens, before):
        return ""
    return word


def _is_label(tokens: Tokens, at: int) -> bool:
    """Tell whether a word that may be another one is a label here: "no. 5", "Part 5"."""
    return tokens.is_sign(at + 1, ".") or tokens.at(at).text[:1].isupper()


def _joint(tokens: Tokens, end: int, at: int) -> Joint:
    """Return what alone stands since the quantity before: "and", "or", or a comma without spaces."""
    joint = tokens.at(at - 1)
    if joint.text == "," and joint.glued and tokens.at(at).glued and joint.begin == end:
        return ","
    if tokens.word(at - 1) in AND_WORDS or tokens.is_sign(at - 1, "&"):
        before = tokens.at(at - 2)
        if before.end == end or (before.text == "," and tokens.at(at - 3).end == end):
            return "or" if tokens.word(at - 1) in OR_WORDS else "and"
    return ""


def _is_left_side(tokens: Tokens, step: Step) -> bool:
    """Tell whether an equals sign and another quantity follow something that was worked out."""
    if not tokens.is_sign(step.end, _EQUALS):
        return False
    if isinstance(step.quantity, Amount) and (step.quantity.unit is not None or step.quantity.noun):
        return False
    return opening(tokens, step.end + 1) is not None
