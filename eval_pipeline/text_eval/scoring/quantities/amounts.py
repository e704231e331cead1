"""Numbers with their sign, currency, scale and unit: -₹5.5 लाख, 12 lakh people, 5 mg."""

from dataclasses import replace
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.bounds import read_bound
from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Unreadable
from eval_pipeline.text_eval.scoring.quantities.magnitudes import (
    ADDED_PARTS,
    BEHIND_MONEY,
    DOZENS,
    GLUED,
    GLUED_TO_MONEY,
    HALVES,
    POWERS_BEFORE,
    power_of_ten,
)
from eval_pipeline.text_eval.scoring.quantities.measures import is_ordinal_ending, read_per, read_unit
from eval_pipeline.text_eval.scoring.quantities.number_words import ENGLISH_SMALL, ENGLISH_TENS, HINDI, SINGLE
from eval_pipeline.text_eval.scoring.quantities.plain import CLOSE, FRACTION, PI
from eval_pipeline.text_eval.scoring.quantities.signposts import CLOCK_WORDS, MINUS_WORDS
from eval_pipeline.text_eval.scoring.quantities.units import MONEY, Unit, unit_of
from eval_pipeline.text_eval.scoring.quantities.values import read_value, read_words, value_behind_part

MAX_NUMBER_CHARACTERS = 400
"""Longer ones are a model caught in a loop; exact arithmetic on millions of digits takes minutes."""
_CURRENCY_SIGNS = frozenset("$€£¥₹₦৳₫")
_DOLLARS = frozenset({"us", "a", "c", "hk", "s", "nz", "au"})
_DASHES = frozenset("-–—‒~〜～")  # noqa: RUF001 - dashes
_TIMES = frozenset({"×", "·", "*", "x", "X"})  # noqa: RUF001 - the multiplication sign
_ALGEBRA = frozenset("xyznXYZ")
_MOST_SCALES = 4
_BARE_SUM_POWER, _LEAST_BARE_ADDEND = 3, 10


def read_amount(tokens: Tokens, at: int, *, behind_dash: bool = False) -> Step | None:
    """Read a number with sign, currency, scale and unit."""
    key = (at, behind_dash)
    if key not in tokens.amounts:
        tokens.amounts[key] = _new_amount(tokens, at, behind_dash=behind_dash)
    return tokens.amounts[key]


def _new_amount(tokens: Tokens, at: int, *, behind_dash: bool) -> Step | None:
    number, negative, money = _head(tokens, at, behind_dash=behind_dash)
    if number is None:
        return None
    value = read_value(tokens, number)
    if value is None:
        return None
    if value.value is None or _is_algebra(tokens, number, value):
        too_long = tokens.at(number).kind == "number" and len(tokens.at(number).text) > MAX_NUMBER_CHARACTERS
        return Step(Unreadable(is_number=not (too_long or _has_variable(tokens, value))), value.end)
    scaled = scaled_by_words(tokens, value, money=money)
    exact = scaled.value
    if exact is None:
        return Step(Unreadable(), scaled.end)
    unit, noun, end = read_unit(tokens, scaled.end, money=money)
    if negative:
        exact = exact.scaled(-1)
    if money is not None and tokens.is_sign(end, "/") and tokens.is_sign(end + 1, "-") and tokens.at(end + 1).glued:
        end += 2  # Rs. 5000/-
    per, end = read_per(tokens, end)
    bound = read_bound(tokens, at, end)
    ordinal = is_ordinal_ending(tokens, scaled.end)
    amount = Amount(exact, unit=unit or money, per=per, noun=noun, bound=bound, ordinal=ordinal)
    return and_a_half(tokens, Step(amount, end))


def _is_algebra(tokens: Tokens, number: int, value: Value) -> bool:
    """Tell whether a variable or an operator without its other side holds the number: 2x + 3, (1/2)^2."""
    if _has_variable(tokens, value):
        return True
    before = tokens.at(number - 1)
    return before.kind == "sign" and (
        before.text == "^" or (before.text in "*×·÷/" and tokens.at(number - 2).text in {")", "]"})  # noqa: RUF001
    )


def _has_variable(tokens: Tokens, value: Value) -> bool:
    letter, after = tokens.at(value.end), tokens.at(value.end + 1)
    is_letter = letter.kind == "word" and letter.glued and letter.text in _ALGEBRA
    return is_letter and (after.kind == "power" or (after.kind == "sign" and after.text in "+-=^*/"))


def and_a_half(tokens: Tokens, step: Step) -> Step:
    """Read "one hour and a half" as 1.5 hours."""
    amount = step.quantity
    at = step.end
    if not isinstance(amount, Amount) or amount.unit is None or tokens.word(at) != "and":
        return step
    half = at + 1 + (tokens.word(at + 1) == "a")
    if tokens.word(half) != "half" or tokens.at(half + 1).kind in {"word", "number"}:
        return step
    added = amount.value.plus(Fraction(1, 2))
    return step if added is None else Step(replace(amount, value=added), half + 1)


def scaled_by_words(tokens: Tokens, value: Value, *, money: Unit | None) -> Value:
    """Multiply by the scale words behind the number, and add what a smaller scale says: 2 crore 50 lakh."""
    total, end, power = _times_scale(tokens, value, money=money)
    for _ in range(_MOST_SCALES):
        if total is None or power is None:
            break
        begin = end + (tokens.word(end) in {"and", "और", "na", "ও"})
        part, part_end, part_power = _addend(tokens, begin)
        if part is None or not part.rational:
            break
        smaller = part_power is not None and part_power < power
        near = begin == end or tokens.at(begin).kind == "word"  # 2 hundred and fifty; not "2 hundred and 50"
        bare = part_power is None and near and power <= _BARE_SUM_POWER and part.factor.denominator == 1
        if not (smaller or (bare and _LEAST_BARE_ADDEND <= part.factor < 10**power)):
            break
        total, end, power = total.plus(part.factor), part_end, part_power
    return Value(total, end)


def _addend(tokens: Tokens, at: int) -> tuple[Exact | None, int, int | None]:
    """Read the smaller number of "2 crore 50 lakh", as ``_times_scale`` gives it."""
    token = tokens.at(at)
    swahili = POWERS_BEFORE.get(tokens.word(at))
    if swahili is not None:
        number = read_value(tokens, at) if tokens.at(at + 1).kind == "number" else None
        return (None, at, None) if number is None else (number.value, number.end, swahili)
    number = read_value(tokens, at) if token.kind == "number" and not token.glued else read_words(tokens, at)
    return (None, at, None) if number is None else _times_scale(tokens, number, money=None)


def _times_scale(tokens: Tokens, value: Value, *, money: Unit | None) -> tuple[Exact | None, int, int | None]:
    """Return the number with its scale words, what is behind them, and the last power of ten."""
    total, end, last = value.value, value.end, None
    if total is None:
        return None, end, None
    glued = tokens.at(end)
    if glued.kind == "word" and glued.glued:
        power = GLUED.get(glued.text) or (GLUED_TO_MONEY.get(glued.text) if money is not None else None)
        if power is not None:
            return total.scaled(10**power), end + 1, power
    if money is not None and glued.kind == "word" and glued.text in BEHIND_MONEY:
        power = BEHIND_MONEY[glued.text]
        return total.scaled(10**power), end + 1, power
    for _ in range(3):
        word = tokens.at(end)
        if word.kind != "word":
            break
        power = power_of_ten(word.text)
        if power is None or (word.text == "cent" and money is not None):
            if fold_word(word.text) in DOZENS:
                total, end = total.scaled(12), end + 1
            break
        if fold_word(word.text) in {"cent", "cents"}:
            break
        total, end, last = total.scaled(10**power), end + 1, power
    return total, end, last


def opening(tokens: Tokens, at: int, *, behind_dash: bool = False) -> int | None:
    """Return the token of the number that begins here, behind its sign and currency; None if none does."""
    number, _, _ = _head(tokens, at, behind_dash=behind_dash)
    return number


def _head(tokens: Tokens, at: int, *, behind_dash: bool = False) -> tuple[int | None, bool, Unit | None]:
    """Return where the number is, whether it is negative, and its currency."""
    token = tokens.at(at)
    negative, unit, position = False, None, at
    if token.kind == "word" and tokens.word(at) in MINUS_WORDS:
        if tokens.at(at - 1).kind == "number":
            return None, False, None
        negative, position = True, at + 1
    if tokens.is_sign(position, "-+") and (behind_dash or not _hugs(tokens, position)):
        if not tokens.at(position + 1).glued and not behind_dash:
            return None, False, None
        negative ^= tokens.at(position).text == "-"
        position += 1
    currency = _currency(tokens, position)
    if currency is not None:
        unit, position = currency
        if tokens.is_sign(position, "-") and tokens.at(position).glued:
            negative, position = not negative, position + 1
    if tokens.is_sign(position, ".") and tokens.at(position + 1).kind == "number" and not _hugs(tokens, position):
        position += 1
    return (
        (position if _begins_number(tokens, position, glued_ok=behind_dash or position != at) else None),
        negative,
        unit,
    )


def _hugs(tokens: Tokens, at: int) -> bool:
    """Tell whether the sign here stands directly behind a word, a number or a bracket: a hyphen, no minus."""
    before = tokens.at(at - 1)
    return tokens.at(at).glued and (before.kind != "sign" or before.text in ")]%‰°€" + CLOSE)


def _currency(tokens: Tokens, at: int) -> tuple[Unit, int] | None:
    token = tokens.at(at)
    if token.kind == "sign" and token.text in _CURRENCY_SIGNS:
        unit = unit_of(token.text)
        return None if unit is None else (unit, at + 1)
    if token.kind != "word":
        return None
    if tokens.is_sign(at + 1, "$") and tokens.at(at + 1).glued and tokens.word(at) in _DOLLARS:
        dollar = unit_of("$")
        return None if dollar is None else (dollar, at + 2)
    unit = unit_of(token.text)
    if unit is None or unit.dimension not in MONEY:
        return None
    behind = at + 1
    if tokens.is_sign(behind, "./") and tokens.at(behind).glued:
        behind += 1 + (tokens.is_sign(behind + 1, "-") and tokens.at(behind + 1).glued)
    return unit, behind


def _begins_number(tokens: Tokens, at: int, *, glued_ok: bool) -> bool:
    token = tokens.at(at)
    match token.kind:
        case "number":
            return glued_ok or not _is_in_name(tokens, at)
        case "sign":
            return token.text in {FRACTION, PI, "√"}
        case "word":
            return _begins_words(tokens, at)
    return False


def _is_in_name(tokens: Tokens, at: int) -> bool:
    """Tell whether letters hold the number: H2O, x_2, COVID-19."""
    token, before = tokens.at(at), tokens.at(at - 1)
    if not token.glued:
        return False
    if before.kind == "word":
        if before.text == "h" and before.glued and tokens.at(at - 2).kind == "number":
            return False  # 2h30m
        return before.text[-1] < "\u0250" and unit_of(before.text) is None and before.text.lower() not in _TIMES
    if before.text == "_":
        return True
    hyphen = before.kind == "sign" and before.text in _DASHES and before.glued
    return hyphen and tokens.at(at - 2).kind == "word"


def _begins_words(tokens: Tokens, at: int) -> bool:
    word = tokens.word(at)
    if word in ADDED_PARTS:
        return value_behind_part(tokens, at) is not None
    if word in HALVES:
        following = tokens.at(at + 1)
        return following.kind == "word" and (
            power_of_ten(following.text) is not None
            or unit_of(following.text) is not None
            or tokens.word(at + 1) in CLOCK_WORDS
        )
    if word in POWERS_BEFORE:
        return tokens.at(at + 1).kind == "number" or tokens.word(at + 1) in SINGLE
    if word in ENGLISH_SMALL or word in ENGLISH_TENS or word in HINDI:
        value = read_words(tokens, at)
        return value is not None and _is_scaled(tokens, at, value)
    return False


def _is_scaled(tokens: Tokens, at: int, value: Value) -> bool:
    """Tell whether a scale word is part of the number's words: two lakh, five hundred."""
    return any(power_of_ten(tokens.at(place).text) is not None for place in range(at, value.end + 1))
