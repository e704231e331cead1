"""What stands behind a number: its unit, or the word that it counts."""

from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word, folded_words
from eval_pipeline.text_eval.scoring.quantities.plain import CLOSE, OPEN
from eval_pipeline.text_eval.scoring.quantities.signposts import NO_NOUNS
from eval_pipeline.text_eval.scoring.quantities.units import PROPORTION, Unit, unit_of

_CURRENCY_SIGNS = frozenset("$€£¥₹₦৳₫")
ORDINAL_ENDINGS = folded_words(
    "st nd rd th वां वीं वें वाँ वा वी वे ला री रा थ था थी ठा ঠা er ère ème e o a º ª ম য় শে ই লা માં મો ਵਾਂ వ ನೇ ാം"
)
"""Behind a number in digits, which they make one of a row."""
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PROPORTION_UNIT = Unit(PROPORTION, Fraction(1, 100))
_LONGEST_ABBREVIATION = 2
_POWER_WORDS = {
    word: power
    for power, words in {2: "square sq वर्ग चौरस বর্গ ચોરસ ਵਰਗ சதுர చదరపు ಚದರ ചതുരശ്ര", 3: "cubic cu घन ঘন"}.items()
    for word in folded_words(words)
}
_HOUR = Unit("clock", Fraction(3600))
"""The h of 2h 15m; a letter of its own is no unit (H2O)."""
_EVERY = frozenset({"a", "an", "every", "each"})
"""Before a time: ₹6,000 a year."""
_SHORT_TIMES = {"s": "sec", "h": "hr", "hr": "hr", "d": "day", "min": "min"}
"""Behind a slash."""
_CELSIUS, _FAHRENHEIT = Unit("celsius"), Unit("fahrenheit")


def read_unit(tokens: Tokens, at: int, *, money: Unit | None) -> tuple[Unit | None, str, int]:
    """Return the unit or noun behind a number, and the token behind it."""
    at += is_ordinal_ending(tokens, at)
    token = tokens.at(at)
    match token.kind:
        case "sign":
            return _unit_sign(tokens, at, money=money)
        case "word":
            return _unit_word(tokens, at)
        case _:
            return None, "", at


def is_ordinal_ending(tokens: Tokens, at: int) -> bool:
    """Tell whether the word here makes the number before it one of a row: 3rd, 10वीं."""
    token = tokens.at(at)
    return (
        token.kind == "word"
        and token.glued
        and fold_word(token.text) in ORDINAL_ENDINGS
        and unit_of(token.text) is None
    )


def _unit_word(tokens: Tokens, at: int) -> tuple[Unit | None, str, int]:
    token = tokens.at(at)
    if tokens.word(at) in {"per", "por", "pour"} and tokens.word(at + 1) in {"cent", "ciento", "cento"}:
        return _PROPORTION_UNIT, "", at + 2
    squared = _square_or_cubic(tokens, at)
    if squared is not None:
        return squared
    unit = _HOUR if token.text == "h" and token.glued else unit_of(token.text)
    dotted = _dotted_unit(tokens, at)
    if dotted is not None:
        return dotted, "", at + 3 + (tokens.is_sign(at + 3, ".") and tokens.at(at + 3).glued)
    if unit is None:
        return None, _noun(fold_word(token.text)), at
    exponent, end = _exponent(tokens, at + 1)
    if unit.dimension == "length" and exponent > 1:
        return Unit(f"length^{exponent}", unit.size**exponent), "", end
    abbreviated = tokens.is_sign(at + 1, ".") and tokens.at(at + 1).glued and len(token.text) <= _LONGEST_ABBREVIATION
    return unit, "", at + 1 + abbreviated


def _square_or_cubic(tokens: Tokens, at: int) -> tuple[Unit, str, int] | None:
    """Read square metres, sq. km, cubic metres, वर्ग किमी."""
    power = _POWER_WORDS.get(tokens.word(at))
    if power is None:
        return None
    place = at + 1 + (tokens.is_sign(at + 1, ".") and tokens.at(at + 1).glued)
    unit = unit_of(tokens.at(place).text) if tokens.at(place).kind == "word" else None
    if unit is None or unit.dimension != "length":
        return None
    dotted = tokens.is_sign(place + 1, ".") and tokens.at(place + 1).glued and len(tokens.at(place).text) <= 2  # noqa: PLR2004 - an abbreviation
    return Unit(f"length^{power}", unit.size**power), "", place + 1 + dotted


def _exponent(tokens: Tokens, at: int) -> tuple[int, int]:
    """Return the power behind a unit, 1 where there is none, and the token behind it: m², m^2, m^{2}."""
    token = tokens.at(at)
    if token.kind == "power" and len(token.text) == 1:
        return int(token.text.translate(_POWERS)), at + 1
    if not (tokens.is_sign(at, "^") and token.glued):
        return 1, at
    braced = tokens.is_sign(at + 1, OPEN)
    number = tokens.at(at + 1 + braced)
    closed = not braced or tokens.is_sign(at + 3, CLOSE)
    return (int(number.text), at + 2 + 2 * braced) if number.text in {"2", "3"} and closed else (1, at)


def _dotted_unit(tokens: Tokens, at: int) -> Unit | None:
    """Return the unit of two parts with a dot between them: मि.ग्रा., कि. मी."""
    first, second = tokens.at(at), tokens.at(at + 2)
    if not (tokens.is_sign(at + 1, ".") and tokens.at(at + 1).glued and second.kind == "word") or first.text.isascii():
        return None
    return unit_of(first.text + second.text)


def _unit_sign(tokens: Tokens, at: int, *, money: Unit | None) -> tuple[Unit | None, str, int]:
    token = tokens.at(at)
    if token.text == "°":
        scale = tokens.word(at + 1)
        if scale in {"c", "f"}:
            return (_CELSIUS if scale == "c" else _FAHRENHEIT), "", at + 2
        unit = unit_of(tokens.at(at + 1).text) if tokens.at(at + 1).kind == "word" else None
        return unit, "", at + 1 + (unit is not None)
    if token.text in "%‰℃℉" or (token.text in _CURRENCY_SIGNS and money is None and not _begins_sum(tokens, at)):
        return unit_of(token.text), "", at + 1
    if token.text == "-" and token.glued and tokens.at(at + 1).kind == "word" and tokens.at(at + 1).glued:
        unit = unit_of(tokens.at(at + 1).text)  # a 20-year-old
        return (unit, "", at + 2) if unit is not None else (None, _noun(tokens.word(at + 1)), at + 2)
    return None, "", at


def _begins_sum(tokens: Tokens, at: int) -> bool:
    """Tell whether the currency sign belongs to the number behind it: "5 $10"."""
    return tokens.at(at + 1).kind == "number" and tokens.at(at + 1).glued


def read_per(tokens: Tokens, at: int) -> tuple[Unit | None, int]:
    """Return what the amount is of: mg/kg, mg per kg."""
    slash = tokens.is_sign(at, "/") and tokens.at(at).glued
    word = tokens.word(at)
    if not slash and word not in {"per", "प्रति"} | _EVERY:
        return None, at
    token = tokens.at(at + 1)
    unit = unit_of(token.text) if token.kind == "word" else None
    if word in _EVERY and (unit is None or unit.dimension not in {"calendar", "clock"}):
        return None, at
    if token.text in _SHORT_TIMES:
        unit = unit_of(_SHORT_TIMES[token.text])
    if unit is None:
        return None, at
    exponent, end = _exponent(tokens, at + 2)
    return (unit if exponent == 1 else Unit(f"{unit.dimension}^{exponent}", unit.size**exponent)), end


def _noun(word: str) -> str:
    if word in NO_NOUNS:
        return ""
    return word[:-1] if word.isascii() and len(word) > 3 and word.endswith("s") else word  # noqa: PLR2004 - "gas" stays
