"""Numbers in words, for texts that have no digits: eighteen, half an hour, three quarters, a year and a half."""

from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.amounts import and_a_half, scaled_by_words
from eval_pipeline.text_eval.scoring.quantities.cursor import Step, Tokens, Value
from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Found
from eval_pipeline.text_eval.scoring.quantities.magnitudes import (
    ADDED_PARTS,
    DOZENS,
    HALVES,
    POWERS_BEFORE,
    power_of_ten,
)
from eval_pipeline.text_eval.scoring.quantities.measures import read_unit
from eval_pipeline.text_eval.scoring.quantities.number_words import (
    ENGLISH_ORDINALS,
    ENGLISH_SMALL,
    ENGLISH_TENS,
    FRACTIONS,
    ORDINALS,
    SINGLE,
)
from eval_pipeline.text_eval.scoring.quantities.signposts import MINUS_WORDS
from eval_pipeline.text_eval.scoring.quantities.units import unit_of
from eval_pipeline.text_eval.scoring.quantities.values import (
    half_behind,
    read_words,
    read_words_value,
    value_behind_part,
)

_ARTICLES = frozenset({"a", "an", "un", "une", "una", "um", "uma"})
_BEFORE_NO_ORDINAL = frozenset({"a", "one", "per", "each", "every", "at", "of"})
_LONG_TIMES = frozenset({"fortnight", "decade", "century"})
_NO_UNIT = 10
_NUMERATORS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4}


def words_only(tokens: Tokens) -> list[Found]:
    """Return the numbers that are written out, for texts without digits: two lakh, half an hour, three quarters."""
    return [found for found in _all_written_out(tokens) if not is_ordinal(found)]


def ordinals_only(tokens: Tokens) -> list[Found]:
    """Return the numbers of a row that are written out: third, twenty-first, तीसरा."""
    return [found for found in _all_written_out(tokens) if is_ordinal(found)]


def is_ordinal(found: Found) -> bool:
    """Tell whether a number says which of a row."""
    return isinstance(found.quantity, Amount) and found.quantity.ordinal


def in_digits(tokens: Tokens) -> str:
    """Write whole numbers in digits, for what only several of them make: five to seven days, one in four."""
    pieces, at, begin = [], 0, 0
    while at < len(tokens.tokens):
        ordinal = _ordinal(tokens, at)
        value = ordinal or _whole(tokens, at)
        if value is None or value.value is None:
            at += 1
            continue
        ending = "th" if ordinal is not None else ""
        pieces += [tokens.text[begin : tokens.tokens[at].begin], f"{value.value.factor}{ending}"]
        at = value.end
        begin = tokens.tokens[at - 1].end
    return "".join([*pieces, tokens.text[begin:]])


def _whole(tokens: Tokens, at: int) -> Value | None:
    word = tokens.word(at)
    if word in _ARTICLES:
        return None
    if word in SINGLE and word not in ENGLISH_SMALL and word not in ENGLISH_TENS:
        return Value(Exact(Fraction(SINGLE[word])), at + 1)
    return read_words(tokens, at)


def _ordinal(tokens: Tokens, at: int) -> Value | None:
    """Read third, twenty-first, तीसरा; not "a second", nor "First, wash"."""
    word = tokens.word(at)
    if word in ENGLISH_TENS:
        units = at + 1 + (tokens.is_sign(at + 1, "-") and tokens.at(at + 1).glued)
        unit = ENGLISH_ORDINALS.get(tokens.word(units), _NO_UNIT)
        return Value(Exact(Fraction(ENGLISH_TENS[word] + unit)), units + 1) if unit < _NO_UNIT else None
    if word not in ORDINALS or tokens.word(at - 1) in _BEFORE_NO_ORDINAL:
        return None
    if (
        word == "first"
        and (tokens.is_sign(at + 1, ",") or tokens.word(at + 1) in {"of", ""})
        and at == 0 < len(tokens.tokens) - 1
    ):
        return None
    return Value(Exact(Fraction(ORDINALS[word])), at + 1)


def _all_written_out(tokens: Tokens) -> list[Found]:
    found, at = [], 0
    while at < len(tokens.tokens):
        step = _unit_and_a_half(tokens, at) or _in_a_row(tokens, at) or _written_out(tokens, at)
        if step is None:
            at += 1
            continue
        begin, end = tokens.tokens[at].begin, tokens.tokens[step.end - 1].end
        found.append(Found(step.quantity, tokens.text[begin:end], begin=begin, end=end))
        at = step.end
    return found


def _in_a_row(tokens: Tokens, at: int) -> Step | None:
    """Read an ordinal with what it counts."""
    value = _ordinal(tokens, at)
    if value is None or value.value is None or _part(tokens, at) is not None:
        return None
    unit, noun, end = read_unit(tokens, value.end, money=None)
    return Step(Amount(value.value, unit=unit, noun=noun, ordinal=True), max(end, value.end))


def _unit_and_a_half(tokens: Tokens, at: int) -> Step | None:
    """Read "a year and a half"."""
    unit = unit_of(tokens.at(at + 1).text) if tokens.word(at) in {"a", "an", "one"} and tokens.word(at + 1) else None
    if unit is None:
        return None
    step = and_a_half(tokens, Step(Amount(Exact(Fraction(1)), unit=unit), at + 2))
    return step if step.end > at + 2 else None


def _written_out(tokens: Tokens, at: int) -> Step | None:
    """Read number words with their scale and unit."""
    value = _words_or_part(tokens, at)
    if value is None or value.value is None:
        return None
    scaled = scaled_by_words(tokens, value, money=None)
    if scaled.value is None:
        return None
    exact = scaled.value.scaled(-1) if tokens.word(at - 1) in MINUS_WORDS else scaled.value
    unit_at = scaled.end + (tokens.word(scaled.end) == "of")
    unit_at += tokens.word(unit_at) in {"a", "an"}
    unit, noun, end = read_unit(tokens, unit_at, money=None)
    return Step(Amount(exact, unit=unit, noun=noun), max(end, scaled.end))


def _words_or_part(tokens: Tokens, at: int) -> Value | None:
    """Read number words, a half, three quarters, half a million."""
    word = tokens.word(at)
    is_added = word in ADDED_PARTS and value_behind_part(tokens, at) is not None
    if word in HALVES or is_added or (word in POWERS_BEFORE and tokens.word(at + 1) in SINGLE):
        return read_words_value(tokens, at)
    part = _part(tokens, at)
    if part is not None:
        return part
    if word in {"a", "an"} and _counts_itself(tokens, at + 1):
        return Value(Exact(Fraction(1)), at + 1)
    if word in SINGLE and word not in ENGLISH_SMALL and word not in ENGLISH_TENS:
        return Value(Exact(Fraction(SINGLE[word])), at + 1)
    number = read_words(tokens, at)
    half = None if number is None else half_behind(tokens, number.end)
    if number is None or number.value is None or half is None or half.value is None:
        return number
    return Value(number.value.plus(half.value.factor), half.end)


def _counts_itself(tokens: Tokens, at: int) -> bool:
    """Tell whether an article before a word is one of it: a dozen, a million, a fortnight; not "twice a day"."""
    token = tokens.at(at)
    if token.kind != "word":
        return False
    return tokens.word(at) in DOZENS | _LONG_TIMES or power_of_ten(token.text) is not None


def _part(tokens: Tokens, at: int) -> Value | None:
    """Read an English fraction; "half a million" ends before its scale word."""
    word = tokens.word(at)
    below = at + 1 + (tokens.is_sign(at + 1, "-") and tokens.at(at + 1).glued)
    numerator, denominator = (
        _NUMERATORS.get(word) or (SINGLE.get(word) if word else None),
        FRACTIONS.get(tokens.word(below)),
    )
    if numerator is not None and denominator is not None and numerator < denominator:
        return Value(Exact(Fraction(numerator, denominator)), below + 1)
    if word not in {"half", "quarter"} and (word.isascii() or word not in FRACTIONS):
        return None
    following = at + 1 + (tokens.word(at + 1) == "a")
    is_scale = tokens.at(following).kind == "word" and (
        power_of_ten(tokens.at(following).text) is not None or tokens.word(following) in DOZENS
    )
    return Value(Exact(Fraction(1, FRACTIONS[word])), following if is_scale else at + 1)
