"""Bare numbers: literals, powers, roots, fractions, those of LaTeX, and number words."""

from decimal import Decimal
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.exact import Exact, square_root
from eval_pipeline.text_eval.scoring.quantities.magnitudes import ADDED_PARTS, HALVES, POWERS_BEFORE, power_of_ten
from eval_pipeline.text_eval.scoring.quantities.number_words import ENGLISH_SMALL, ENGLISH_TENS, HINDI, SINGLE
from eval_pipeline.text_eval.scoring.quantities.plain import CLOSE, FRACTION, OPEN, PI

MAX_NUMBER_CHARACTERS = 400
"""Longer ones are a model caught in a loop; exact arithmetic on millions of digits takes minutes."""
_DEEPEST = 6
_MOST_WORDS = 20
_TIMES = frozenset({"×", "·", "*", "x", "X"})  # noqa: RUF001 - the multiplication sign
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_CENTURY = 100


def read_value(tokens: Tokens, at: int, *, depth: int = 0) -> Value | None:
    """Read a number of the text or of LaTeX: powers, roots, fractions, mixed numbers, times ten to the power."""
    if depth:
        return _new_value(tokens, at, depth=depth)
    if at not in tokens.values:
        tokens.values[at] = _new_value(tokens, at, depth=0)
    return tokens.values[at]


def _new_value(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    factor = _factor(tokens, at, depth=depth)
    first = factor if factor is None else _times_root(tokens, factor, depth=depth)
    if first is None or first.value is None:
        return first
    for read in (_latex_mixed, _mixed, _quotient, _times_ten, _mixed_half):
        found = read(tokens, first, depth=depth)
        if found is not None:
            return found
    return first


def _times_root(tokens: Tokens, first: Value, *, depth: int) -> Value:
    """Read the root or pi that is glued behind a number: 3√2, 2π."""
    following = tokens.at(first.end)
    if first.value is None or not (following.kind == "sign" and following.text in {"√", PI} and following.glued):
        return first
    second = _factor(tokens, first.end, depth=depth)
    if second is None or second.value is None:
        return Value(None, first.end + 1)
    return Value(first.value.times(second.value), second.end)


def _latex_mixed(tokens: Tokens, whole: Value, *, depth: int) -> Value | None:
    """Read a mixed number of LaTeX."""
    if whole.value is None or not whole.plain or whole.value.factor.denominator != 1:
        return None
    part = _factor(tokens, whole.end, depth=depth) if tokens.is_sign(whole.end, FRACTION) else None
    if part is None:
        return None
    if part.value is None or not part.value.rational:
        return Value(None, part.end)
    return Value(whole.value.plus(part.value.factor), part.end)


def _mixed_half(tokens: Tokens, whole: Value, *, depth: int) -> Value | None:
    del depth
    half = half_behind(tokens, whole.end) if whole.plain else None
    if half is None or half.value is None or whole.value is None:
        return None
    return Value(whole.value.plus(half.value.factor), half.end)


def half_behind(tokens: Tokens, at: int) -> Value | None:
    """Read the end of "2 and a half"."""
    if tokens.word(at) != "and":
        return None
    article = tokens.word(at + 1) in {"a", "one"}
    part = {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}.get(tokens.word(at + 1 + article))
    return None if part is None else Value(Exact(part), at + 2 + article)


def _mixed(tokens: Tokens, whole: Value, *, depth: int) -> Value | None:
    """Read 2 1/2."""
    del depth
    numerator, slash, denominator = (tokens.at(whole.end + place) for place in range(3))
    is_fraction = slash.text == "/" and slash.glued and denominator.kind == "number" and denominator.glued
    if not (whole.plain and numerator.kind == "number" and not numerator.glued and is_fraction):
        return None
    above, below = literal(numerator.text), literal(denominator.text)
    if whole.value is None or above is None or not below or above >= below or whole.value.factor.denominator != 1:
        return None
    return Value(whole.value.plus(above / below), whole.end + 3)


def _quotient(tokens: Tokens, above: Value, *, depth: int) -> Value | None:
    """Read the rest of 1/2."""
    at = above.end
    below = tokens.at(at + 1)
    begins = below.kind == "number" or (below.kind == "sign" and below.text in {"√", OPEN, PI})
    if above.value is None or not tokens.is_sign(at, "/") or not begins or tokens.at(at).glued != below.glued:
        return None
    denominator = _factor(tokens, at + 1, depth=depth)
    if denominator is None or (
        tokens.is_sign(denominator.end, "/") and tokens.at(denominator.end + 1).kind == "number"
    ):
        return None
    value = None if denominator.value is None else above.value.over(denominator.value)
    return Value(value, denominator.end)


def _times_ten(tokens: Tokens, first: Value, *, depth: int) -> Value | None:
    """Read the rest of 3 x 10^8."""
    at = first.end
    if first.value is None or tokens.at(at).text not in _TIMES or tokens.at(at + 1).text != "10":
        return None
    exponent = _exponent(tokens, at + 2, depth=depth)
    if exponent is None or exponent.value is None:
        return None
    power = Exact(Fraction(10)).to_the(exponent.value.factor)
    return Value(None if power is None else first.value.times(power), exponent.end)


def _factor(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    base = _base(tokens, at, depth=depth)
    if base is None or base.value is None:
        return base
    exponent = _exponent(tokens, base.end, depth=depth)
    if exponent is None:
        return base
    raised = None
    if exponent.value is not None and exponent.value.rational:
        raised = base.value.to_the(exponent.value.factor)
    return Value(raised, exponent.end)


def _exponent(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    token = tokens.at(at)
    if token.kind == "power" and token.glued:
        text = token.text.translate(_POWERS)
        return Value(Exact(Fraction(int(text))) if len(text) < 10 else None, at + 1)  # noqa: PLR2004 - longer is a loop
    doubled = tokens.is_sign(at, "*") and tokens.is_sign(at + 1, "*") and tokens.at(at + 1).glued
    if not doubled and not tokens.is_sign(at, "^"):
        return None
    begin = at + 1 + doubled
    negative = tokens.is_sign(begin, "-")
    group = _group(tokens, begin, depth=depth)
    value = group or _base(tokens, begin + negative, depth=depth)
    if value is None:
        return Value(None, begin)
    exponent = value.value.scaled(-1) if negative and value.value is not None else value.value
    return Value(exponent, value.end)


def _base(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    token = tokens.at(at)
    match token.kind:
        case "number":
            number = literal(token.text)
            return Value(None if number is None else Exact(number), at + 1, plain="e" not in token.text.lower())
        case "word":
            return read_words_value(tokens, at)
        case "sign" if depth < _DEEPEST:
            return _base_of_sign(tokens, at, depth=depth)
        case _:
            return None


def _base_of_sign(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    sign = tokens.at(at).text
    if sign == "√":
        inside = _group(tokens, at + 1, depth=depth) or _base(tokens, at + 1, depth=depth + 1)
        if inside is None:
            return Value(None, at + 1)
        return Value(None if inside.value is None else square_root(inside.value), inside.end)
    if sign == PI:
        return Value(Exact(Fraction(1), pi=1), at + 1)
    if sign == FRACTION:
        return _latex_fraction(tokens, at, depth=depth)
    return _group(tokens, at, depth=depth) if sign == OPEN else None


def _latex_fraction(tokens: Tokens, at: int, *, depth: int) -> Value:
    above = _group(tokens, at + 1, depth=depth)
    below = None if above is None else _group(tokens, above.end, depth=depth)
    if above is None or below is None:
        return Value(None, at + 1)
    value = above.value.over(below.value) if above.value is not None and below.value is not None else None
    return Value(value, below.end)


def _group(tokens: Tokens, at: int, *, depth: int) -> Value | None:
    """Read what stands between the braces of LaTeX."""
    if depth >= _DEEPEST or not tokens.is_sign(at, OPEN):
        return None
    negative = tokens.is_sign(at + 1, "-")
    inside = read_value(tokens, at + 1 + negative, depth=depth + 1)
    if inside is None or not tokens.is_sign(inside.end, CLOSE):
        return None
    value = inside.value.scaled(-1) if negative and inside.value is not None else inside.value
    return Value(value, inside.end + 1)


def read_words_value(tokens: Tokens, at: int) -> Value | None:
    """Read a number that begins with a word: डेढ़, साढ़े 5, elfu 5, two lakh."""
    word = tokens.word(at)
    if word in HALVES:
        return Value(Exact(HALVES[word]), at + 1)
    if word in ADDED_PARTS:
        behind = value_behind_part(tokens, at)
        if behind is None or behind.value is None:
            return None
        return Value(behind.value.plus(ADDED_PARTS[word]), behind.end)
    return _behind_scale(tokens, at, 10 ** POWERS_BEFORE[word]) if word in POWERS_BEFORE else read_words(tokens, at)


def _behind_scale(tokens: Tokens, at: int, scale: int) -> Value | None:
    """Read the number behind a scale word of Swahili: elfu 5, elfu tano."""
    if tokens.word(at + 1) in SINGLE:
        return Value(Exact(Fraction(SINGLE[tokens.word(at + 1)] * scale)), at + 2)
    number = read_value(tokens, at + 1) if tokens.at(at + 1).kind == "number" else None
    return None if number is None or number.value is None else Value(number.value.scaled(scale), number.end)


def value_behind_part(tokens: Tokens, at: int) -> Value | None:
    """Read the number behind a word that adds a part to it: the तीन of साढ़े तीन."""
    behind = tokens.at(at + 1)
    if behind.kind == "number":
        return read_value(tokens, at + 1)
    if behind.kind == "word" and tokens.word(at + 1) in SINGLE:
        return Value(Exact(Fraction(SINGLE[tokens.word(at + 1)])), at + 2)
    if behind.kind == "word" and power_of_ten(behind.text) is not None:
        return Value(Exact(Fraction(1)), at + 1)  # सवा लाख
    return None


def read_words(tokens: Tokens, at: int) -> Value | None:
    """Read an English number of several words, or a Hindi one of one word, without the scale at its end."""
    if tokens.word(at) in HINDI:
        return Value(Exact(Fraction(HINDI[tokens.word(at)])), at + 1)
    total: int | None = None
    end = place = at
    for _ in range(_MOST_WORDS):
        word = tokens.word(place)
        if word in ENGLISH_TENS or word in ENGLISH_SMALL:
            total = (total or 0) + (ENGLISH_TENS.get(word) or ENGLISH_SMALL.get(word) or 0)
        elif word == "hundred" and total is not None:
            total *= 100
        else:
            break
        place += 1
        end = place
        if (tokens.is_sign(place, "-") and tokens.at(place).glued and tokens.at(place + 1).glued) or (
            tokens.word(place) == "and" and total >= _CENTURY
        ):
            place += 1
    return None if total is None else Value(Exact(Fraction(total)), end)


def literal(text: str) -> Fraction | None:
    """Return the number that the digits write, or None if they are a loop."""
    if len(text) > MAX_NUMBER_CHARACTERS:
        return None
    commas, dots = text.count(","), text.count(".")
    if dots > 1 or (dots == 1 and commas and text.rfind(",") > text.rfind(".")):
        text = text.replace(".", "").replace(",", ".")  # 1.234.567,8
    return Fraction(Decimal(text.replace(",", "")))
