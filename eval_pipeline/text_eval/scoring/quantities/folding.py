"""One form of a word for looking it up: case, accents, joiners and optional signs of Indic scripts do not count."""

import unicodedata
from functools import lru_cache

_DROPPED = frozenset(
    "\u093c\u09bc\u0a3c\u0abc\u0b3c"  # nukta of the scripts of India
    "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u0654\u0640"  # vowels of Arabic script, tatweel
)
_WRITTEN_ALIKE = str.maketrans(
    {
        "\u0901": "\u0902",  # chandrabindu, anusvara
        "\u0643": "\u06a9",  # Arabic kaf, Urdu keheh
        "\u064a": "\u06cc",  # Arabic yeh, Farsi yeh
        "\u0649": "\u06cc",
        "\u0647": "\u06c1",  # heh
        "\u06be": "\u06c1",
        "\u2019": "'",
        "\u02bc": "'",
    }
)
_FIRST_LATIN_MARK, _LAST_LATIN_MARK = 0x300, 0x36F


@lru_cache(maxsize=1 << 14)
def fold_word(word: str) -> str:
    """Return the form under which the tables of words have it."""
    lower = word.casefold().translate(_WRITTEN_ALIKE)
    if lower.isascii():
        return lower
    parts = unicodedata.normalize("NFKD", lower)
    return unicodedata.normalize("NFC", "".join(filter(_counts, parts)))


def folded_words(text: str) -> frozenset[str]:
    """Return the words of a table's line; ``_`` stands for a space within one."""
    return frozenset(fold_word(word) for word in text.split())


def _counts(character: str) -> bool:
    return not (
        character in _DROPPED
        or _FIRST_LATIN_MARK <= ord(character) <= _LAST_LATIN_MARK
        or unicodedata.category(character) == "Cf"
    )
