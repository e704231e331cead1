"""Texts without digits: the one number that they write in words, or what several make: five to seven, one in four."""

import re
from collections.abc import Sequence
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.clocks import read_midday
from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens
from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Found
from eval_pipeline.text_eval.scoring.quantities.magnitudes import power_of_ten
from eval_pipeline.text_eval.scoring.quantities.number_words import ONES
from eval_pipeline.text_eval.scoring.quantities.reading import read_quantities
from eval_pipeline.text_eval.scoring.quantities.respelling import respelt
from eval_pipeline.text_eval.scoring.quantities.tokens import Token, tokenise
from eval_pipeline.text_eval.scoring.quantities.written_out import in_digits, is_ordinal, ordinals_only, words_only

_FEW_WORDS, _FEW_LISTED_WORDS = 4, 12
_MOST_CHARACTERS = 400


def read_words_alone(text: str) -> tuple[Found, ...]:
    """Return what a text without digits writes in words, where that is safe."""
    if re.search(r"\d", text):
        return ()
    tokens = tokenise(text)
    words = [fold_word(token.text) for token in tokens if token.kind == "word"]
    found = words_only(Tokens(tokens, text)) or ordinals_only(Tokens(tokens, text))
    middays = read_midday(Tokens(tokens, text))
    if len(middays) == 1 and not found:
        return (Found(middays[0], text.strip(), begin=0, end=len(text)),)
    if not found and len(words) == 1:
        return _scale_alone(text, words[0])
    if len(found) != 1 or is_ordinal(found[0]):
        composed = _composed(text, tokens, words=len(words))
        return composed or tuple(found[:1] if len(found) == 1 else ())
    one = isinstance(found[0].quantity, Amount) and found[0].quantity.value == Exact(Fraction(1))
    opens = bool(words) and words[0] in ONES and len(words) <= _FEW_WORDS
    return tuple(found) if opens or not one else ()


def _scale_alone(text: str, word: str) -> tuple[Found, ...]:
    """Return a thousand where that is all that is said, and not "thousands"."""
    power = power_of_ten(text.strip(" .।"))
    if power is None or (word.isascii() and word.endswith("s")):
        return ()
    return (Found(Amount(Exact(Fraction(10**power))), text.strip(), begin=0, end=len(text)),)


def _composed(text: str, tokens: Sequence[Token], *, words: int) -> tuple[Found, ...]:
    """Return what several numbers in words make: five to seven days, one in four; or all of a few that are listed."""
    if len(text) > _MOST_CHARACTERS:
        return ()
    plain = in_digits(Tokens(tokens, text))
    written = respelt(plain)
    found = read_quantities(tokenise(written), written)
    is_one_number = isinstance(found[0].quantity, Amount) and not found[0].quantity.compound if found else False
    if len(found) == 1 and (not is_one_number or written != plain):  # 12.5 of "twelve point five"
        return tuple(found)
    amounts = [one.quantity for one in found]
    is_list = len(found) > 1 and words <= _FEW_LISTED_WORDS
    counts = all(isinstance(one, Amount) and one.value != Exact(Fraction(1)) and not one.ordinal for one in amounts)
    return tuple(found) if is_list and counts else ()
