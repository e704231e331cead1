"""Times of day: 2:30 PM, साढ़े 5 बजे, 10 बजकर 30 मिनट, রাত ৯টা; and ratios, which look like them."""

import re
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.folding import folded_words
from eval_pipeline.text_eval.scoring.quantities.kinds import Clock, Ratio
from eval_pipeline.text_eval.scoring.quantities.signposts import (
    AFTERNOON,
    CLOCK_WORDS,
    ENGLISH_DAY_PARTS,
    MORNING,
    NIGHT,
)
from eval_pipeline.text_eval.scoring.quantities.units import unit_of

_MIDDAY = {"noon": "pm", "midnight": "am"}
_BEHIND_AN_HOUR = frozenset({"am", "pm", "a", "p", "in", "at", "noon", "midnight"})
_MINUTES_PAST = folded_words("बजकर बजके बजून বেজে বেজ વાગીને ਵਜ ਵੱਜ ਕੇ بجکر")
_HOURS_BEHIND_A_PART = folded_words("টা টায় টার மணி மணிக்கு")
"""Hours behind a part of the day (রাত ৯টা), other things elsewhere (৯টা: nine pieces)."""
_NOON, _HALF_DAY = 12, 43_200
_HOURS, _SIXTIETHS = 24, 60
_SECONDS_AN_HOUR, _SECONDS_A_MINUTE = 3600, 60
_NUMBERS = re.compile("[0-9]+")
_HOUR_ALONE = re.compile(r"[0-9]{1,2}(?:\.[0-5][0-9])?")


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
    """Return am, pm or night where words beside the time say so, and the token behind them."""
    word = tokens.word(end)
    if word in {"am", "pm", "hrs", "hours", "h"} and tokens.at(end).kind == "word":
        return (word if word in {"am", "pm"} else None), end + 1
    if word in {"a", "p"} and tokens.is_sign(end + 1, ".") and tokens.word(end + 2) == "m":
        return f"{word}m", end + 3 + (tokens.is_sign(end + 3, ".") and tokens.at(end + 3).glued)
    if word in _MIDDAY:
        return _MIDDAY[word], end + 1
    end += word in CLOCK_WORDS
    if tokens.word(end) in {"in", "at"}:
        place = end + 1 + (tokens.word(end + 1) == "the")
        part = tokens.word(place)
        half = ENGLISH_DAY_PARTS.get(part) or ("night" if part == "night" else None)
        if half is not None:
            return half, place + 1
    before = _half_before(tokens, begin)
    behind = _half_said_by(tokens.word(end)) if before is None and end > begin + 1 else None
    return (before, end) if behind is None else (behind, end + 1)


def _half_before(tokens: Tokens, begin: int) -> str | None:
    """Return what the word before a time says: सुबह 9 बजे, रात के 9 बजे."""
    before = tokens.word(begin - 1)
    if before in {"के", "को", "का"}:
        before = tokens.word(begin - 2)
    return _half_said_by(before)


def _half_said_by(word: str) -> str | None:
    if word in MORNING:
        return "am"
    if word in AFTERNOON:
        return "pm"
    return "night" if word in NIGHT else None


def read_past(tokens: Tokens, at: int) -> Step | None:
    """Read half past 10, quarter past 4, quarter to 5."""
    part, way, hour = tokens.word(at), tokens.word(at + 1), tokens.at(at + 2)
    minutes = {("half", "past"): 30, ("quarter", "past"): 15, ("quarter", "to"): -15}.get((part, way))
    if minutes is None or hour.kind != "number" or not hour.text.isdecimal() or not 1 <= int(hour.text) <= _NOON:
        return None
    half, end = _half_of_day(tokens, at, at + 3)
    if end == at + 3 and tokens.at(end).kind == "word":
        return None  # a quarter to 5 children
    seconds = (int(hour.text) * _SECONDS_AN_HOUR + minutes * _SECONDS_A_MINUTE) % (2 * _HALF_DAY)
    return Step(_clock(seconds, half=half, hour=seconds // _SECONDS_AN_HOUR, sure=False), end)


def read_midday(tokens: Tokens) -> list[Clock]:
    """Return the times of day that words alone say: noon, midnight."""
    hours = {"noon": _NOON, "midday": _NOON, "midnight": 0}
    said = (tokens.word(at) for at in range(len(tokens.tokens)))
    return [Clock(hours[word] * _SECONDS_AN_HOUR, sure=True) for word in said if word in hours]


def read_hour(tokens: Tokens, at: int, value: Value) -> Step | None:
    """Read 10 am, 10.30 pm, साढ़े 5 बजे, 10 o'clock, 10h30, 10 बजकर 30 मिनट, রাত ৯টা."""
    if value.value is None or not value.value.rational or value.value.factor > _HOURS:
        return None
    hours = value.value.factor
    return (
        _french(tokens, value, hours)
        or _minutes_past(tokens, at, value, hours=hours)
        or _whole_hour(tokens, at, value, hours=hours)
        or _hour(tokens, at, value, hours=hours)
    )


def _french(tokens: Tokens, value: Value, hours: Fraction) -> Step | None:
    """Read 10h30; 2h30m is a duration."""
    letter, minutes = tokens.at(value.end), tokens.at(value.end + 1)
    if not (value.plain and tokens.word(value.end) == "h" and letter.glued and minutes.glued):
        return None
    is_duration = tokens.word(value.end + 2) in {"m", "min", "mins"}
    if is_duration or minutes.kind != "number" or not minutes.text.isdecimal() or int(minutes.text) >= _SIXTIETHS:
        return None
    seconds = int(hours) * _SECONDS_AN_HOUR + int(minutes.text) * _SECONDS_A_MINUTE
    return Step(_clock(seconds, half=None, hour=int(hours), sure=True), value.end + 2)


def _hour(tokens: Tokens, at: int, value: Value, *, hours: Fraction) -> Step | None:
    """Read 10 am, 10.30 pm, साढ़े 5 बजे, 10 o'clock."""
    token, word = tokens.at(value.end - 1), tokens.word(value.end)
    says_clock = word in CLOCK_WORDS
    half, end = _half_of_day(tokens, at, value.end)
    if end == value.end or not (says_clock or (half is not None and word in _BEHIND_AN_HOUR)):
        return None
    if word in {"in", "at"} and not (value.plain and _HOUR_ALONE.fullmatch(token.text)):
        return None
    if value.plain and "." in token.text and len(token.text.partition(".")[2]) == 2:  # noqa: PLR2004 - minutes
        whole, minutes_text = token.text.split(".")
        seconds = int(whole) * _SECONDS_AN_HOUR + int(minutes_text) * _SECONDS_A_MINUTE
    else:
        seconds = int(hours * _SECONDS_AN_HOUR)
    return Step(_clock(seconds, half=half, hour=int(hours), sure=int(hours) > _NOON), end)


def _minutes_past(tokens: Tokens, at: int, value: Value, *, hours: Fraction) -> Step | None:
    """Read 10 बजकर 30 मिनट, সকাল ৯টা ৩০ মিনিট: hours, a word of clocks, minutes."""
    if not (value.plain and (tokens.word(value.end) in _MINUTES_PAST or _is_hour_behind_part(tokens, at, value))):
        return None
    token = tokens.at(value.end + 1)
    unit = unit_of(tokens.at(value.end + 2).text) if tokens.at(value.end + 2).kind == "word" else None
    if token.kind != "number" or not token.text.isdecimal() or unit is None:
        return None
    minutes = int(token.text)
    if unit.size != _SECONDS_A_MINUTE or unit.dimension != "clock" or minutes >= _SIXTIETHS:
        return None
    half, _ = _half_of_day(tokens, at, value.end + 3)
    seconds = int(hours) * _SECONDS_AN_HOUR + minutes * _SECONDS_A_MINUTE
    return Step(_clock(seconds, half=half, hour=int(hours), sure=int(hours) > _NOON), value.end + 3)


def _is_hour_behind_part(tokens: Tokens, at: int, value: Value) -> bool:
    return tokens.word(value.end) in _HOURS_BEHIND_A_PART and tokens.word(at - 1) in MORNING | AFTERNOON | NIGHT


def _whole_hour(tokens: Tokens, at: int, value: Value, *, hours: Fraction) -> Step | None:
    """Read রাত ৯টা, காலை 7 மணி."""
    if not _is_hour_behind_part(tokens, at, value):
        return None
    half, _ = _half_of_day(tokens, at, value.end + 1)
    seconds = int(hours * _SECONDS_AN_HOUR)
    return Step(_clock(seconds, half=half, hour=int(hours), sure=int(hours) > _NOON), value.end + 1)


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
