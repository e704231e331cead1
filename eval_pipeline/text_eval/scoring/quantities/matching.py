"""What equals what: a golden quantity against one of the answer. What cannot be decided is said, not guessed."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.kinds import (
    Amount,
    Calculation,
    Clock,
    Day,
    Digits,
    Quantity,
    Range,
    Ratio,
    Read,
    Share,
    Unreadable,
)
from eval_pipeline.text_eval.scoring.quantities.units import PROPORTION, Unit

_HALF_DAY_S = 43_200
_HOUR_S, _MINUTES_AN_HOUR = 3600, 60
_ODDS = 100
"""From here on 1:1000 and 1 in 1000 are the same to anybody."""
_FIRST_YEAR, _LAST_YEAR, _CENTURY = 1000, 2999, 100
_LEAST_SUBSCRIBER, _LONGEST_COUNTRY_CODE = 8, 3


class Verdict(StrEnum):
    """What comparing two quantities came to."""

    SAME = "same"
    OTHER = "other"
    UNCLEAR = "unclear"
    """Written so that both are possible."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a number may be off: the greater of the two."""

    absolute: Fraction = Fraction(0)
    relative: Fraction = Fraction(0)

    def allows(self, found: Exact, expected: Exact) -> bool:
        """Tell whether one number is near enough to the other; without tolerance they must be equal."""
        if self.absolute == 0 and self.relative == 0:
            return found == expected
        golden = expected.approximate()
        return abs(found.approximate() - golden) <= max(self.absolute, self.relative * abs(golden))


def compare(golden: Quantity, found: Quantity, tolerance: Tolerance) -> Verdict:
    """Compare one quantity of the golden answer with one of the answer."""
    if isinstance(golden, Unreadable):
        return Verdict.UNCLEAR
    if isinstance(found, Unreadable):
        return Verdict.UNCLEAR if found.is_number and isinstance(golden, Amount) else Verdict.OTHER
    if isinstance(found, Calculation) or isinstance(golden, Calculation):
        return _calculation(golden, found, tolerance)
    return _read(golden, found, tolerance)


def _read(golden: Read, found: Read, tolerance: Tolerance) -> Verdict:
    match golden:
        case Amount():
            verdict = _amount(golden, found, tolerance)
        case Range():
            verdict = _range(golden, found, tolerance)
        case Ratio():
            verdict = _ratio(golden, found)
        case Share():
            verdict = _share(golden, found, tolerance)
        case Clock():
            verdict = _clock(golden, found)
        case Day():
            verdict = _day(golden, found)
        case Digits():
            verdict = _digits(golden, found)
        case _:
            assert_never(golden)
    return verdict


def _truth(claim: bool) -> Verdict:
    return Verdict.SAME if claim else Verdict.OTHER


def _calculation(golden: Quantity, found: Quantity, tolerance: Tolerance) -> Verdict:
    """Judge what stops before its result: right at best, and nobody can say that it is."""
    if golden == found:
        return Verdict.SAME
    if isinstance(golden, Calculation):
        both_margins = isinstance(found, Calculation) and {"±"} == set(golden.terms[1::2]) == set(found.terms[1::2])
        return Verdict.OTHER if both_margins else Verdict.UNCLEAR
    if not isinstance(golden, Amount) or not isinstance(found, Calculation):
        return Verdict.OTHER
    return Verdict.UNCLEAR if found.value is None or tolerance.allows(found.value, golden.value) else Verdict.OTHER


def _amount(golden: Amount, found: Read, tolerance: Tolerance) -> Verdict:
    match found:
        case Amount():
            return _amounts(golden, found, tolerance)
        case Share():
            return _truth(_is_share(golden, found, tolerance))
        case Day():
            return _truth(_is_part_of_day(golden, found))
        case Digits():
            return _truth(golden.unit is None and _is_number_of(golden.value, found.digits))
        case Clock():
            return _truth(_is_duration(golden, found))
        case Ratio() | Range():
            return Verdict.OTHER
        case _:
            assert_never(found)


def _is_duration(amount: Amount, clock: Clock) -> bool:
    """Tell whether 2:30 and 2h30 are the 2 hours 30 minutes that were asked for, and 5:30 the 5 minutes 30 seconds."""
    if amount.unit is None or amount.unit.dimension != "clock" or not amount.compound:
        return False
    if not amount.value.rational:
        return False
    seconds = amount.value.factor * amount.unit.size
    return clock.seconds in {seconds, seconds * _MINUTES_AN_HOUR if amount.unit.size < _HOUR_S else seconds}


def _is_number_of(value: Exact, digits: str) -> bool:
    """Tell whether a number without separators is the telephone number."""
    return value == Exact(Fraction(int(digits or "0"))) or (
        value.rational and value.factor.denominator == 1 and _is_same_line(str(value.factor), digits)
    )


def _is_share(golden: Amount, found: Share, tolerance: Tolerance) -> bool:
    """Tell whether 4 of 5 is the 4 that was asked for, or 4/5, or 80 %."""
    quotient = found.part.over(found.whole)
    if golden.unit is None:
        return (quotient is not None and tolerance.allows(quotient, golden.value)) or tolerance.allows(
            found.part, golden.value
        )
    is_proportion = golden.unit.dimension == PROPORTION and quotient is not None
    return (
        is_proportion and quotient is not None and tolerance.allows(quotient.scaled(1 / golden.unit.size), golden.value)
    )


def _is_part_of_day(golden: Amount, found: Day) -> bool:
    """Tell whether a bare number is the year of a date, or the day of one without a year."""
    if golden.unit is not None or not golden.value.rational:
        return False
    number = golden.value.factor
    if _FIRST_YEAR <= number <= _LAST_YEAR:
        return found.year == number
    return found.year is None and found.day == number


def _amounts(golden: Amount, found: Amount, tolerance: Tolerance) -> Verdict:
    if golden.bound is not None and found.bound is not None and golden.bound != found.bound:
        return Verdict.OTHER
    if golden.unit is not None and found.unit is not None:
        if {golden.unit.dimension, found.unit.dimension} == {"celsius", "fahrenheit"}:
            return _truth(tolerance.allows(_in_degrees_of(golden.unit, found.value), golden.value))
        same_kind = golden.unit.dimension == found.unit.dimension
        base = _base_factor(golden.per, found.per)
        if not same_kind or base is None:
            return Verdict.OTHER
        converted = found.value.scaled(found.unit.size / golden.unit.size * base)
        return _truth(tolerance.allows(converted, golden.value))
    if golden.compound or found.compound:
        return Verdict.OTHER
    return _truth(tolerance.allows(found.value, golden.value) or _is_same_proportion(golden, found))


def _base_factor(golden: Unit | None, found: Unit | None) -> Fraction | None:
    """Return what 36 km/h is multiplied by to be a second's; 1 where one side names no base, None for other bases."""
    if golden is None or found is None:
        return Fraction(1)
    return golden.size / found.size if golden.dimension == found.dimension else None


def _in_degrees_of(scale: Unit, value: Exact) -> Exact:
    """Return the temperature of the other scale: 98.6 °F is 37 °C."""
    degrees = value.approximate()
    return Exact((degrees - 32) * 5 / 9 if scale.dimension == "celsius" else degrees * 9 / 5 + 32)


def _is_same_proportion(golden: Amount, found: Amount) -> bool:
    """Tell whether 0.25 stands against 25 %."""
    units = {amount.unit.dimension for amount in (golden, found) if amount.unit is not None}
    if units != {PROPORTION}:
        return False
    bare, percent = (golden, found) if golden.unit is None else (found, golden)
    if percent.unit is None or not bare.value.rational or bare.value.factor.denominator == 1:
        return False
    return percent.value.scaled(percent.unit.size) == bare.value


def _range(golden: Range, found: Read, tolerance: Tolerance) -> Verdict:
    if isinstance(found, Range):
        low, high = _amounts(golden.low, found.low, tolerance), _amounts(golden.high, found.high, tolerance)
        return _truth(low is Verdict.SAME and high is Verdict.SAME)
    return _truth(isinstance(found, Ratio) and [Exact(Fraction(part)) for part in found.parts] == _ends(golden))


def _ends(span: Range) -> list[Exact]:
    return [span.low.value, span.high.value]


def _ratio(golden: Ratio, found: Read) -> Verdict:
    if isinstance(found, Range):
        return _truth([Exact(Fraction(part)) for part in golden.parts] == _ends(found))
    if isinstance(found, Share):
        return _odds(golden, found)
    if not isinstance(found, Ratio):
        return Verdict.OTHER
    if golden.parts == found.parts:
        return Verdict.SAME
    if len(golden.parts) != len(found.parts) or golden.like_clock or found.like_clock:
        return Verdict.OTHER
    pairs = list(zip(golden.parts, found.parts, strict=True))
    first_golden, first_found = pairs[0]
    return _truth(all(first_golden * other == first_found * one for one, other in pairs) and first_found != 0)


def _odds(ratio: Ratio, share: Share) -> Verdict:
    """Judge 1 in 1000 against 1:1000; of small numbers nobody knows whether 1:4 is one of four, or of five."""
    if [Exact(Fraction(part)) for part in ratio.parts] != [share.part, share.whole]:
        return Verdict.OTHER
    return Verdict.SAME if ratio.parts[-1] >= _ODDS else Verdict.UNCLEAR


def _share(golden: Share, found: Read, tolerance: Tolerance) -> Verdict:
    if isinstance(found, Share):
        return _truth(found.part == golden.part and found.whole == golden.whole)
    if isinstance(found, Ratio):
        return _odds(found, golden)
    quotient = golden.part.over(golden.whole)
    if not isinstance(found, Amount) or quotient is None:
        return Verdict.OTHER
    if found.unit is not None and found.unit.dimension == PROPORTION:
        return _truth(tolerance.allows(found.value.scaled(found.unit.size), quotient))
    is_fraction = found.unit is None and found.value.rational and found.value.factor.denominator != 1
    return _truth(is_fraction and tolerance.allows(found.value, quotient))


def _clock(golden: Clock, found: Read) -> Verdict:
    if isinstance(found, Amount):
        return _truth(_is_duration(found, golden) or _is_military(found, golden))
    if not isinstance(found, Clock):
        return Verdict.OTHER
    if golden.seconds == found.seconds:
        return Verdict.SAME
    half_a_day_off = abs(golden.seconds - found.seconds) == _HALF_DAY_S
    return Verdict.UNCLEAR if half_a_day_off and golden.sure != found.sure else Verdict.OTHER


def _is_military(amount: Amount, clock: Clock) -> bool:
    """Tell whether 2230 hrs is the time of day 22:30."""
    if amount.unit is None or amount.unit.dimension != "clock" or amount.compound or not amount.value.rational:
        return False
    hours, minutes = divmod(amount.value.factor, 100)
    written = amount.unit.size == _HOUR_S and minutes.denominator == 1 and minutes < _MINUTES_AN_HOUR
    return written and hours * _HOUR_S + minutes * 60 == clock.seconds


def _day(golden: Day, found: Read) -> Verdict:
    if not isinstance(found, Day):
        return Verdict.OTHER
    if _covers(golden, found):
        return Verdict.SAME
    swapped = (golden.swapped and _covers(_swap(golden), found)) or (found.swapped and _covers(golden, _swap(found)))
    return Verdict.UNCLEAR if swapped and golden.swapped != found.swapped else Verdict.OTHER


def _covers(golden: Day, found: Day) -> bool:
    """Tell whether the answer says what the golden date says; it may say more."""
    years = (golden.year, found.year)
    if (golden.short or found.short) and golden.year is not None and found.year is not None:
        years = (golden.year % _CENTURY, found.year % _CENTURY)
    pairs = (years, (golden.month, found.month), (golden.day, found.day))
    return all(expected is None or expected == told for expected, told in pairs)


def _swap(day: Day) -> Day:
    return Day(day.year, day.day, day.month, short=day.short)


def _digits(golden: Digits, found: Read) -> Verdict:
    if isinstance(found, Digits):
        return _truth(found.digits == golden.digits or _is_same_line(golden.digits, found.digits))
    is_number = isinstance(found, Amount) and found.unit is None and found.value.rational
    if not is_number or not isinstance(found, Amount):
        return Verdict.OTHER
    said = str(found.value.factor)
    return _truth(said == golden.digits or _is_same_line(golden.digits, said))


def _is_same_line(one: str, other: str) -> bool:
    """Tell whether a telephone number stands with and without the code of its country or the 0 before it."""
    short, long = sorted((one, other), key=len)
    code = long.removesuffix(short)
    return (
        len(short) >= _LEAST_SUBSCRIBER
        and 0 < len(code) <= _LONGEST_COUNTRY_CODE
        and len(code) + len(short) == len(long)
    )
