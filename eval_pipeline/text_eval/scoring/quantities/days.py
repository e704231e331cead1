"""Dates: 15 August 1947, 21/05/2024, 2024-05-21."""

import re
from dataclasses import replace

from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.kinds import Day, Digits
from eval_pipeline.text_eval.scoring.quantities.measures import ORDINAL_ENDINGS
from eval_pipeline.text_eval.scoring.quantities.months import is_surely_month, month_number
from eval_pipeline.text_eval.scoring.quantities.signposts import (
    YEARS_OF,
)

_YEAR_DIGITS = 4
_APOSTROPHES = frozenset({"'", "\u2019"})
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
    if date is not None and len(year) != _YEAR_DIGITS:
        date = replace(date, short=True)
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
    if tokens.word(end) in ORDINAL_ENDINGS and tokens.at(end).glued:
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
    if tokens.word(word) in ORDINAL_ENDINGS and tokens.at(word).glued:
        word += 1
    if tokens.word(word) == "day" and tokens.word(word + 1) in YEARS_OF:  # the 2nd day of October
        word += 1
    if tokens.word(word) in YEARS_OF:
        word += 1
    if tokens.is_sign(word, "-/") and tokens.at(word).glued:
        word += 1
    full_stop = tokens.is_sign(word, ".") and tokens.at(word).glued  # 15. August 1947
    word += full_stop
    token = tokens.at(word)
    month = month_number(token.text) if token.kind == "word" else None
    if month is None:
        return None
    year_at = word + 1 + tokens.is_sign(word + 1, ",.-/")
    year_at += tokens.is_sign(year_at, ",") and tokens.is_sign(year_at - 1, ".")  # Oct., 1869
    if tokens.word(year_at) in YEARS_OF:
        year_at += 1
    year, end = _year_here(tokens, year_at)
    if year is None and (full_stop or not is_surely_month(token.text)):
        return None
    short = year is not None and len(tokens.at(end - 1).text) != _YEAR_DIGITS
    return Step(Day(year=year, month=month, day=int(text), short=short), word + 1 if year is None else end)


def _year_here(tokens: Tokens, at: int) -> tuple[int | None, int]:
    """Read 1947, '47, and the 47 of 15-Aug-47; returns the token behind it."""
    mark = at + tokens.is_sign(at, _APOSTROPHES)
    short = tokens.at(mark)
    joined = mark > at or (tokens.is_sign(at - 1, "-/") and short.glued)
    if joined and short.kind == "number" and len(short.text) == 2 and short.text.isdecimal():  # noqa: PLR2004 - '47
        return int(short.text) + (1900 if int(short.text) >= _DUE else 2000), mark + 1
    return _year(tokens, at), at + 1


def year_first(tokens: Tokens, at: int) -> Step | None:
    """Read 1947 August 15."""
    year, word, number = _year(tokens, at), tokens.at(at + 1), tokens.at(at + 2)
    month = month_number(word.text) if year is not None and word.kind == "word" else None
    if (
        month is None
        or number.kind != "number"
        or not number.text.isdecimal()
        or not 1 <= int(number.text[:3]) <= _DAYS
    ):
        return None
    return Step(Day(year=year, month=month, day=int(number.text)), at + 3)


def month_of_year(tokens: Tokens, at: int) -> Step | None:
    """Read 08/1947 and 1947-08; 2023-24 is a span of years, and a month is written with its 0 there."""
    first, mark, second = (tokens.at(at + place) for place in range(3))
    if not (first.kind == second.kind == "number" and mark.text in {"/", "-"} and mark.glued and second.glued):
        return None
    if tokens.at(at + 3).text in {"/", "-"} or (tokens.at(at - 1).text in {"/", "-"} and first.glued):
        return None
    month, year = (first.text, second.text) if len(second.text) == _YEAR_DIGITS else (second.text, first.text)
    if len(month) != 2 or len(year) != _YEAR_DIGITS or not (month + year).isdecimal() or year[:2] not in {"19", "20"}:  # noqa: PLR2004 - two digits
        return None
    if not 1 <= int(month) <= _MONTHS or (month is second.text and month[0] != "0"):
        return None
    return Step(Day(year=int(year), month=int(month)), at + 3)


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
