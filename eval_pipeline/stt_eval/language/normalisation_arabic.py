"""Vowel marks of Arabic letters: people write them or not, and the word is the same.

Separate because it depends on the language: Kashmiri writes its vowels with such marks.
"""

import re
import unicodedata

LANGUAGES_WRITING_THEIR_VOWELS = frozenset({"ks"})
_VOWEL_MARKS = re.compile("[\u064b-\u0652\u0656-\u0658\u0670]")
"""Tanwin, fatha, damma, kasra, shadda, sukun, and their kin. Hamza and madda make letters and stay."""
_HALF_YEH_BARREE = "\u06d3"
_YEH_BARREE_BEHIND_HAMZA = "\u0626\u06d2"


def fold_vowel_marks(text: str, *, language: str | None) -> str:
    """Leave out what need not be written; Urdu's yeh barree with hamza becomes the two letters it is also spelled with.

    Args:
        text: NFC.
        language: primary subtag.
    """
    if text.isascii() or language in LANGUAGES_WRITING_THEIR_VOWELS:
        return text
    bare = unicodedata.normalize("NFC", _VOWEL_MARKS.sub("", text))
    return bare.replace(_HALF_YEH_BARREE, _YEH_BARREE_BEHIND_HAMZA)
