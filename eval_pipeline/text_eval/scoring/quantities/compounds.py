"""What several amounts make together: ranges, shares, ratios, calculations, sums such as 1 year 6 months."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.amounts import read_amount
from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.days import day_first
from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Calculation, Quantity, Range, Ratio, Share
from eval_pipeline.text_eval.scoring.quantities.measures import read_unit
from eval_pipeline.text_eval.scoring.quantities.signposts import AND_WORDS, OPENING_RANGE, RANGE_WORDS
from eval_pipeline.text_eval.scoring.quantities.units import PROPORTION, unit_of
from eval_pipeline.text_eval.scoring.quantities.values import literal, read_value

_MOST_TERMS = 40
_GRAM = 1000
_LARGEST_ONE_IN = 1000
_LONGEST_TERM = 10**40
_DASHES = frozenset("-–—‒~〜～")  # noqa: RUF001 - dashes
_OPERATORS = frozenset("+×·*÷/-±")  # noqa: RUF001 - the multiplication sign
_TIMES = frozenset({"×", "·", "*", "x", "X"})  # noqa: RUF001 - the multiplication sign
_EQUALS = frozenset("=≈≃")
_FIRST_YEAR, _LAST_YEAR = 1000, 2999
_CENTURY = 100
_FEET, _INCHES, _INCHES_A_FOOT = frozenset("'\u2019\u2032"), frozenset('"\u201d\u2033'), 12
_LEAST_SYSTOLIC, _MOST_SYSTOLIC, _LEAST_DIASTOLIC = 60, 300, 30
_SHORT_YEAR = 2
"""Digits of the second year in 2023-24."""


def spaced_ratio(tokens: Tokens, value: Value) -> Step | None:
    """Read 1 : 4, with a space before the colon."""
    if not (value.plain and tokens.is_sign(value.end, ":") and not tokens.at(value.end).glued):
        return None
    other = read_value(tokens, value.end + 1)
    if other is None or not other.plain or value.value is None or other.value is None:
        return None
    if value.value.factor.denominator != 1 or other.value.factor.denominator != 1:
        return None
    return Step(Ratio((int(value.value.factor), int(other.value.factor))), other.end)


def share_of(tokens: Tokens, at: int) -> Step | None:
    """Read 5 में से 4, which names the whole first."""
    if tokens.tokens[at].kind != "number" or tokens.word(at + 1) not in {"में", "मध्ये", "পৈকী"}:
        return None
    whole, part = read_value(tokens, at), read_value(tokens, at + 3)
    if tokens.word(at + 2) not in {"से", "सं"} or part is None or whole is None:
        return None
    if whole.value is None or part.value is None:
        return None
    return Step(Share(part.value, whole.value), part.end)


def read_feet(tokens: Tokens, at: int) -> Step | None:
    """Read 6'2", feet and inches."""
    feet, mark, inches, end = (tokens.at(at + place) for place in range(4))
    if feet.kind != "number" or inches.kind != "number" or mark.text not in _FEET or end.text not in _INCHES:
        return None
    high, low = literal(feet.text), literal(inches.text)
    if high is None or low is None or low >= _INCHES_A_FOOT or not (mark.glued and end.glued):
        return None
    return Step(Amount(Exact(high + low / _INCHES_A_FOOT), unit=unit_of("ft"), compound=True), at + 4)


def read_feet_and_inches(tokens: Tokens, at: int) -> Step | None:
    """Read 5 ft 6 in, whose last word is most often another one."""
    feet, unit, inches, end = (tokens.at(at + place) for place in range(4))
    if feet.kind != "number" or inches.kind != "number" or unit.kind != "word" or end.text not in {"in", "in."}:
        return None
    high, low = literal(feet.text), literal(inches.text)
    if unit_of(unit.text) != unit_of("ft") or high is None or low is None or low >= _INCHES_A_FOOT:
        return None
    return Step(Amount(Exact(high + low / _INCHES_A_FOOT), unit=unit_of("ft"), compound=True), at + 4)


def read_pressure(tokens: Tokens, at: int) -> Step | None:
    """Read 120/80, a blood pressure: no fraction that somebody would write so, and equal only to itself."""
    above, slash, below = (tokens.at(at + place) for place in range(3))
    if above.kind != "number" or below.kind != "number" or slash.text != "/" or not (slash.glued and below.glued):
        return None
    if not (above.text.isdecimal() and below.text.isdecimal()) or tokens.at(at + 3).text in _OPERATORS | _TIMES:
        return None
    high, low = int(above.text[:4]), int(below.text[:4])
    if not (_LEAST_SYSTOLIC <= high <= _MOST_SYSTOLIC and _LEAST_DIASTOLIC <= low < high):
        return None
    return Step(Share(Exact(Fraction(high)), Exact(Fraction(low))), at + 3)


def read_range(tokens: Tokens, first: Step, *, begin: int) -> Step | None:
    """Read 5-7 days, 5 to 7, between 5 and 7, 10-15 lakh, 2023-24; unit and scale of the second hold for both."""
    low = first.quantity
    if not isinstance(low, Amount):
        return None
    at = first.end
    dash = tokens.at(at)
    is_dash = dash.kind == "sign" and dash.text in _DASHES
    between = tokens.word(begin - 1) in OPENING_RANGE and tokens.word(at) in AND_WORDS
    if not (is_dash or between or tokens.word(at) in RANGE_WORDS):
        return None
    begin = at + 1
    if is_dash and dash.text == "-" and not dash.glued and tokens.at(begin).glued:
        return None  # "10 -15"
    second = read_amount(tokens, begin, behind_dash=is_dash)
    if second is None or not isinstance(second.quantity, Amount) or _is_date_ahead(tokens, begin):
        return None
    high = second.quantity
    shared = _shared_range(low, high, low_text=tokens.at(at - 1).text, high_text=tokens.at(begin).text)
    if shared is None or (tokens.is_sign(second.end, _EQUALS) and is_dash):
        return None
    return Step(shared, second.end)


def _is_date_ahead(tokens: Tokens, at: int) -> bool:
    value = read_value(tokens, at)
    return value is not None and day_first(tokens, value) is not None


def read_share(tokens: Tokens, first: Step) -> Step | None:
    """Read 4 of 5, 4 out of 5, 4 in 5."""
    part = first.quantity
    if not isinstance(part, Amount) or part.unit is not None or part.noun not in {"", "of", "out", "in"}:
        return None
    at = first.end
    if tokens.word(at) == "out" and tokens.word(at + 1) == "of":
        at += 2
    elif tokens.word(at) == "of":
        at += 1 + (tokens.word(at + 1) in {"the", "every"})
    elif tokens.word(at) == "in":
        return _one_in_four(tokens, part, at + 1 + (tokens.word(at + 1) == "every"))
    else:
        return None
    whole = read_value(tokens, at)
    if whole is None or whole.value is None or not whole.plain or whole.value.factor < part.value.factor:
        return None
    return Step(Share(part.value, whole.value), whole.end)


def _one_in_four(tokens: Tokens, part: Amount, at: int) -> Step | None:
    """Read 1 in 4; not "18 in 2020", nor "5 in 10 minutes"."""
    whole = read_value(tokens, at)
    if whole is None or whole.value is None or not whole.plain or not part.value.rational:
        return None
    unit, _, _ = read_unit(tokens, whole.end, money=None)
    size = whole.value.factor
    if unit is not None or not part.value.factor < size <= _LARGEST_ONE_IN or size.denominator != 1:
        return None
    return Step(Share(part.value, whole.value), whole.end)


def read_calculation(tokens: Tokens, begin: int, first: Step) -> Step | None:
    """Read 3 + 4, 16 - 3 - 4, 252 x 7, 80,000*1.5: what has no result yet."""
    terms, operands = [_written(tokens, begin, first.end)], [first.quantity]
    at = first.end
    while len(operands) < _MOST_TERMS:
        operator = tokens.at(at)
        if not (operator.text in _OPERATORS or operator.text in _TIMES) or operator.kind not in {"sign", "word"}:
            break
        if operator.text == "-" and not operator.glued and tokens.at(at + 1).glued:
            break  # "5 -3": a list
        term = read_amount(tokens, at + 1, behind_dash=True)
        if term is None:
            break
        terms += [operator.text, _written(tokens, at + 1, term.end)]
        operands.append(term.quantity)
        at = term.end
    return None if at == first.end else Step(Calculation(tuple(terms), _worked_out(operands, terms[1::2])), at)


def _written(tokens: Tokens, begin: int, end: int) -> str:
    return "".join(token.text for token in tokens.tokens[begin:end])


def summed(tokens: Tokens, first: Step) -> Step:
    """Add the smaller units that follow: 1 year 6 months, 5 rupees and 50 paise, 5 ft 6 in."""
    total, end = first.quantity, first.end
    for _ in range(3):
        if not isinstance(total, Amount) or total.unit is None or total.unit.dimension == PROPORTION:
            break
        at = end
        if tokens.is_sign(at, ","):
            at += 1
        if tokens.word(at) in AND_WORDS:
            at += 1
        part = read_amount(tokens, at)
        added = None if part is None else _added(total, _as_minutes(tokens, total, part))
        if part is None or added is None:
            break
        total, end = added, part.end
    return Step(total, end)


def _as_minutes(tokens: Tokens, total: Amount, part: Step) -> Quantity:
    """Return the m of "2h 15m" as minutes."""
    is_hours = total.unit is not None and total.unit.dimension == "clock"
    if not (is_hours and isinstance(part.quantity, Amount) and tokens.at(part.end - 1).text == "m"):
        return part.quantity
    return replace(part.quantity, unit=unit_of("min"))


def _worked_out(operands: Sequence[Quantity], operators: Sequence[str]) -> Exact | None:
    """Return the result, products before sums; None where a term is no plain fraction."""
    values = [one.value.factor for one in operands if isinstance(one, Amount) and one.value.rational]
    if len(values) != len(operands) or "±" in operators or any(value.denominator > _LONGEST_TERM for value in values):
        return None
    total, product = Fraction(0), values[0]
    for operator, value in zip(operators, values[1:], strict=True):
        if operator in _TIMES:
            product *= value
        elif operator in {"÷", "/"}:
            if value == 0:
                return None
            product /= value
        else:
            total, product = total + product, -value if operator == "-" else value
    return Exact(total + product)


def _shared_range(low: Amount, high: Amount, *, low_text: str, high_text: str) -> Range | None:
    """Return the range, its ends counted alike; None where it goes down and so is none."""
    if low.unit is not None and high.unit is not None and low.unit.dimension != high.unit.dimension:
        return None
    if low.unit is None and low.noun:
        low = replace(low, noun="")
    if low.unit is None:
        low = replace(low, unit=high.unit, noun=high.noun)
        low = _scaled_alike(low, high, high_text=high_text)
    if high.unit is None and low.unit is not None:
        high = replace(high, unit=low.unit)
    first, last = low.value.approximate(), high.value.approximate()
    is_year = _FIRST_YEAR <= first <= _LAST_YEAR and len(high_text) == _SHORT_YEAR
    if is_year and low_text.isdecimal() and high_text.isdecimal():
        century = int(first) // _CENTURY * _CENTURY
        return Range(low, replace(high, value=Exact(Fraction(century + int(high_text)))))
    size = Fraction(1) if low.unit is None else low.unit.size
    other = Fraction(1) if high.unit is None else high.unit.size
    return Range(low, high) if first * size < last * other else None


def _scaled_alike(low: Amount, high: Amount, *, high_text: str) -> Amount:
    """Give the lower end the scale of the upper: 10-15 lakh."""
    written = literal(high_text) if high_text[:1].isdecimal() else None
    if not written or not high.value.rational:
        return low
    scale = abs(high.value.factor / written)
    is_scale = scale.denominator == 1 and scale > 1 and set(str(scale.numerator).rstrip("0")) == {"1"}
    return replace(low, value=low.value.scaled(scale)) if is_scale and low.value.factor < scale else low


def _added(total: Amount, part: Quantity) -> Amount | None:
    """Return the sum of an amount and one in a smaller unit of the same dimension."""
    if not isinstance(part, Amount) or total.unit is None or part.unit is None:
        return None
    if part.unit.dimension != total.unit.dimension or part.unit.size >= total.unit.size:
        return None
    if total.unit.dimension == "mass" and total.unit.size < _GRAM:
        return None  # 100 mg and 500 mcg: of two things
    if not part.value.rational or part.value.factor < 0 or part.value.factor * part.unit.size >= total.unit.size:
        return None
    value = total.value.plus(part.value.factor * part.unit.size / total.unit.size)
    return None if value is None else replace(total, value=value, compound=True)
