"""Dates and times of day: 15 August 1947, 21/05/2024, 2:30 PM, साढ़े 5 बजे."""

import re
from dataclasses import replace

from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.kinds import Clock, Day, Digits, Ratio
from eval_pipeline.text_eval.scoring.quantities.months import is_surely_month, month_number
from eval_pipeline.text_eval.scoring.quantities.signposts import (
    AFTERNOON,
    CLOCK_WORDS,
    ENGLISH_DAY_PARTS,
    MORNING,
    NIGHT,
    YEARS_OF,
)

_ORDINALS = frozenset({"st", "nd", "rd", "th", "वां", "वीं", "वें", "वाँ", "er", "ère", "ème", "e", "o", "a", "º", "ª"})
_YEAR_DIGITS = 4
_NOON, _HALF_DAY = 12, 43_200
_MONTHS, _DAYS, _HOURS, _SIXTIETHS = 12, 31, 24, 60
_SECONDS_AN_HOUR, _SECONDS_A_MINUTE = 3600, 60
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


def read_colons(tokens: Tokens, at: int) -> Step:
    """Read 10:30, 10:30:15, 2:30 PM, 1:4, 1:3:2."""
    parts = [int(part) for part in _NUMBERS.findall(tokens.tokens[at].text.partition(".")[0])]
    text = tokens.tokens[at].text
    pieces = text.split(":")
    like_clock = (
        len(pieces) <= 3  # noqa: PLR2004 - hours, minutes, seconds
        and parts[0] <= _HOURS
        and all(len(piece) == 2 and int(piece) < _SIXTIETHS for piece in pieces[1:] if piece.isdecimal())  # noqa: PLR2004 - two digits
    )
    if not like_clock:
        return Step(Ratio(tuple(parts)), at + 1)
    seconds = parts[0] * _SECONDS_AN_HOUR + parts[1] * _SECONDS_A_MINUTE + (parts[2] if len(parts) > 2 else 0)  # noqa: PLR2004 - seconds
    half, end = _half_of_day(tokens, at, at + 1)
    if half is None and tokens.word(end) in CLOCK_WORDS:
        end += 1
    sure = parts[0] >= _NOON + 1 or pieces[0].startswith("0")
    return Step(_clock(seconds, half=half, hour=parts[0], sure=sure), end)


def _half_of_day(tokens: Tokens, begin: int, end: int) -> tuple[str | None, int]:
    """Return am or pm where words beside the time say so, and the token behind them."""
    word = tokens.word(end)
    if word in {"am", "pm", "hrs", "hours", "h"} and tokens.at(end).kind == "word":
        return (word if word in {"am", "pm"} else None), end + 1
    if word in {"a", "p"} and tokens.is_sign(end + 1, ".") and tokens.word(end + 2) == "m":
        return f"{word}m", end + 3 + (tokens.is_sign(end + 3, ".") and tokens.at(end + 3).glued)
    if word in CLOCK_WORDS:
        end += 1
        word = tokens.word(end)
    if word in {"in", "at"}:
        part = tokens.word(end + 1 + (tokens.word(end + 1) == "the"))
        half = ENGLISH_DAY_PARTS.get(part) or ("night" if part == "night" else None)
        if half is not None:
            return half, end + 1 + (tokens.word(end + 1) == "the") + 1
    before = tokens.word(begin - 1)
    if before in {"के", "को", "का"}:
        before = tokens.word(begin - 2)
    if before in MORNING:
        return "am", end
    if before in AFTERNOON:
        return "pm", end
    return ("night", end) if before in NIGHT else (None, end)


def read_hour(tokens: Tokens, at: int, value: Value) -> Step | None:
    """Read 10 am, 10.30 pm, साढ़े 5 बजे, 10 o'clock, 10h30."""
    if value.value is None or not value.value.rational:
        return None
    token = tokens.at(value.end - 1)
    hours = value.value.factor
    if value.plain and tokens.word(value.end) == "h" and tokens.at(value.end).glued and tokens.at(value.end + 1).glued:
        minutes = tokens.at(value.end + 1)
        if minutes.kind == "number" and minutes.text.isdecimal() and int(minutes.text) < _SIXTIETHS:
            seconds = int(hours) * _SECONDS_AN_HOUR + int(minutes.text) * _SECONDS_A_MINUTE
            return Step(_clock(seconds, half=None, hour=int(hours), sure=True), value.end + 2)
    says_clock = tokens.word(value.end) in CLOCK_WORDS
    half, end = _half_of_day(tokens, at, value.end)
    dotted = value.plain and "." in token.text and len(token.text.partition(".")[2]) == 2  # noqa: PLR2004 - minutes
    if end == value.end or (half not in {"am", "pm", "night"} and not says_clock) or hours > _HOURS:
        return None
    if not says_clock and tokens.word(value.end) not in {"am", "pm", "a", "p", "in", "at"}:
        return None
    if not says_clock and tokens.word(value.end) in {"in", "at"} and not (value.plain and token.text.isdecimal()):
        return None
    if dotted:
        whole, minutes_text = token.text.split(".")
        seconds = int(whole) * _SECONDS_AN_HOUR + int(minutes_text) * _SECONDS_A_MINUTE
    else:
        seconds = int(hours * _SECONDS_AN_HOUR)
    return Step(_clock(seconds, half=half, hour=int(hours), sure=int(hours) > _NOON), end)


def _day(year: int | None, month: int, day: int) -> Day | None:
    return Day(year, month, day) if 1 <= month <= _MONTHS and 1 <= day <= _DAYS else None


def _day_of_two(year: int, *, first: int, second: int) -> Day | None:
    """Read day and month as most of the world writes them, and as the United States where nothing else is possible."""
    usual = _day(year, second, first)
    if usual is None:
        return _day(year, first, second)
    return replace(usual, swapped=first <= _MONTHS and first != second)


def _clock(seconds: int, *, half: str | None, hour: int, sure: bool) -> Clock:
    match half:
        case "am":
            return Clock(seconds - (_HALF_DAY if hour == _NOON else 0), sure=True)
        case "pm":
            return Clock(seconds + (_HALF_DAY if hour < _NOON else 0), sure=True)
        case "night":
            evening = 6 <= hour < _NOON  # noqa: PLR2004 - six in the evening
            shift = _HALF_DAY if evening else -_HALF_DAY if hour == _NOON else 0
            return Clock(seconds + shift, sure=True)
    return Clock(seconds, sure=sure)
