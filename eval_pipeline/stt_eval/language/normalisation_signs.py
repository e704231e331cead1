"""What becomes of signs at ``standard``.

The tables fill themselves with what occurs, from the Unicode data of the running Python: a scan of all code points
would cost some 0.3 s at import. Categories are those of the Unicode Standard, chapter 4.5.
"""

import unicodedata

from eval_pipeline.core.spellings import LETTER_APOSTROPHES

PER_CENT_SIGN = "%"
_FRACTION_SLASH = "\u2044"
_ARABIC_PER_CENT_SIGN = "\u066a"


class _SpacedSigns(dict[int, str]):
    """A table for ``str.translate``: signs and control characters become spaces, per cent and currency stand alone."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        category = unicodedata.category(character)
        if category == "Sc" or _canonical_sign(character) == PER_CENT_SIGN:
            character = f" {_canonical_sign(character)} "
        elif category[0] in "PS" or category == "Cc" or character in LETTER_APOSTROPHES:
            character = " "
        elif category == "No" and _FRACTION_SLASH in (parts := unicodedata.normalize("NFKC", character)):
            character = f" {parts.replace(_FRACTION_SLASH, ' ')} "  # ½ is 1/2
        self[code_point] = character
        return character


def _canonical_sign(sign: str) -> str:
    """Return the plain form of a wide or small sign; a currency sign that stands for letters stays."""
    if sign == _ARABIC_PER_CENT_SIGN:
        return PER_CENT_SIGN
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 and unicodedata.category(plain)[0] in "PS" else sign


SPACED_SIGNS = _SpacedSigns()
