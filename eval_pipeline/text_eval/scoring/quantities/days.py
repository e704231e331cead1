"""Dates: 15 August 1947, 21/05/2024, 2024-05-21."""

import re
from dataclasses import replace

from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.kinds import Day, Digits
from eval_pipeline.text_eval.scoring.quantities.months import is_surely_month, month_number
from eval_pipeline.text_eval.scoring.quantities.signposts import (
    YEARS_OF,
)

_ORDINALS = frozenset({"st", "nd", "rd", "th", "वां", "वीं", "वें", "वाँ", "er", "ère", "ème", "e", "o", "a", "º", "ª"})
_YEAR_DIGITS = 4
_MONTHS, _DAYS = 12, 31
_DUE = 50
"""Two digits of a year from here on are of the last century."""
_NUMBERS = re.compile("[0-9]+")


def read_date(tokens: Tokens, at: int) -> Step | None:
    """Read 2024-05-21, 21/05/2024, 21.05.24, 2024年5月21日."""
    text = tokens.tokens[at].text
    numbers = _NUMBERS.findall(text)
    year, month, day = numbers if len(numbers[0]) == _YEAR_DIGITS else reversed(numbers)
    full_year = int(year) if len(year) == _YEAR_DIGITS else int(year) + (1900 if int(year) >= _DUE else 2000)
    if len(numbers[0]) == _YEAR_DIGITS:
        date = _day(full_year, int(month), int(day))
    else:
        date = _day_of_two(full_year, first=int(day), second=int(month))
    if date is None:
        return Step(Digits("".join(numbers)), at + 1) if "-" in text else None
    return Step(date, at + 1)


def month_first(tokens: Tokens, at: int) -> Step | None:
    """Read March 12, 2024; March 2024; 15 is read with its number."""
    if tokens.tokens[at].kind != "word":
        return None
    month = month_number(tokens.tokens[at].text)
    if month is None:
        return None
    number = at + 1 + tokens.is_sign(at + 1, ".,")
    if tokens.word(number) in YEARS_OF:
        number += 1
    token = tokens.at(number)
    if token.kind != "number" or not token.text.isdecimal():
        return None
    if len(token.text) == _YEAR_DIGITS:
        return Step(Day(year=int(token.text), month=month), number + 1)
    day = int(token.text)
    if not (1 <= day <= _DAYS and is_surely_month(tokens.tokens[at].text)):
        return None
    end = number + 1
    if tokens.word(end) in _ORDINALS and tokens.at(end).glued:
        end += 1
    year_at = end + tokens.is_sign(end, ",")
    year = _year(tokens, year_at)
    return Step(Day(year=year, month=month, day=day), end if year is None else year_at + 1)


def day_first(tokens: Tokens, value: Value) -> Step | None:
    """Read 12 March 2024, 1er mars, 12 de marzo de 2024, 15th of August."""
    text = tokens.at(value.end - 1).text
    if not value.plain or len(text) > 2 or not text.isdecimal() or not 1 <= int(text) <= _DAYS:  # noqa: PLR2004 - digits of a day
        return None
    word = value.end
    if tokens.word(word) in _ORDINALS and tokens.at(word).glued:
        word += 1
    if tokens.word(word) in YEARS_OF:
        word += 1
    if tokens.is_sign(word, "-/") and tokens.at(word).glued:
        word += 1
    token = tokens.at(word)
    month = month_number(token.text) if token.kind == "word" else None
    if month is None:
        return None
    year_at = word + 1 + tokens.is_sign(word + 1, ",.-/")
    if tokens.word(year_at) in YEARS_OF:
        year_at += 1
    year = _year(tokens, year_at)
    if year is None and not is_surely_month(token.text):
        return None
    return Step(Day(year=year, month=month, day=int(text)), word + 1 if year is None else year_at + 1)


def _year(tokens: Tokens, at: int) -> int | None:
    token = tokens.at(at)
    if token.kind != "number" or len(token.text) != _YEAR_DIGITS or not token.text.isdecimal():
        return None
    return int(token.text)


def _day(year: int | None, month: int, day: int) -> Day | None:
    return Day(year, month, day) if 1 <= month <= _MONTHS and 1 <= day <= _DAYS else None


def _day_of_two(year: int, *, first: int, second: int) -> Day | None:
    """Read day and month as most of the world writes them, and as the United States where nothing else is possible."""
    usual = _day(year, second, first)
    if usual is None:
        return _day(year, first, second)
    return replace(usual, swapped=first <= _MONTHS and first != second)
