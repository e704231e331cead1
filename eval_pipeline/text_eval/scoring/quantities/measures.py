"""What stands behind a number: its unit, or the word that it counts."""

from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word
from eval_pipeline.text_eval.scoring.quantities.signposts import NO_NOUNS
from eval_pipeline.text_eval.scoring.quantities.units import PROPORTION, Unit, unit_of

_CURRENCY_SIGNS = frozenset("$€£¥₹₦৳")
_ORDINALS = frozenset({"st", "nd", "rd", "th", "वां", "वीं", "वें", "वाँ", "er", "ère", "ème", "e", "o", "a", "º", "ª"})
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PROPORTION_UNIT = Unit(PROPORTION, Fraction(1, 100))
_LONGEST_ABBREVIATION = 2
_CELSIUS, _FAHRENHEIT = Unit("celsius"), Unit("fahrenheit")


def read_unit(tokens: Tokens, at: int, *, money: Unit | None) -> tuple[Unit | None, str, int]:
    """Return the unit or noun behind a number, and the token behind it."""
    token = tokens.at(at)
    if token.kind == "word" and token.glued and fold_word(token.text) in _ORDINALS and unit_of(token.text) is None:
        at += 1
        token = tokens.at(at)
    match token.kind:
        case "sign":
            return _unit_sign(tokens, at, money=money)
        case "word":
            return _unit_word(tokens, at)
        case _:
            return None, "", at


def _unit_word(tokens: Tokens, at: int) -> tuple[Unit | None, str, int]:
    token = tokens.at(at)
    if tokens.word(at) in {"per", "por", "pour"} and tokens.word(at + 1) in {"cent", "ciento", "cento"}:
        return _PROPORTION_UNIT, "", at + 2
    unit = unit_of(token.text)
    if unit is None:
        return None, _noun(fold_word(token.text)), at
    power = tokens.at(at + 1)
    if unit.dimension == "length" and power.kind == "power" and len(power.text) == 1:
        exponent = int(power.text.translate(_POWERS))
        return Unit(f"length^{exponent}", unit.size**exponent), "", at + 2
    abbreviated = tokens.is_sign(at + 1, ".") and tokens.at(at + 1).glued and len(token.text) <= _LONGEST_ABBREVIATION
    return unit, "", at + 1 + abbreviated


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
    if not slash and tokens.word(at) not in {"per", "प्रति"}:
        return None, at
    token = tokens.at(at + 1)
    unit = unit_of(token.text) if token.kind == "word" else None
    return (None, at) if unit is None else (unit, at + 2)


def _noun(word: str) -> str:
    if word in NO_NOUNS:
        return ""
    return word[:-1] if word.isascii() and len(word) > 3 and word.endswith("s") else word  # noqa: PLR2004 - "gas" stays
