"""The form in which scorers compare texts: one spelling of every sign, as in speech, and plain typography."""

import re
import unicodedata
from functools import lru_cache

from eval_pipeline.core.spellings import one_spelling

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bb\u02bc\u2032\ua78c\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
        "\u2026": "...",
    }
)
"""Quotes, dashes and dots as a typewriter has them."""
_ALIKE_IN_ARABIC = str.maketrans({"\u0643": "\u06a9", "\u064a": "\u06cc", "\u0647": "\u06c1", "\u06d5": "\u06c1"})
"""Kaf, yeh and heh, which keyboards of Arabic and of Urdu encode apart. Speech knows the language of a clip, and folds
more by it; here the letters of both are one, as no language but Pashto has two of them."""
_PASHTO_LETTERS = re.compile("[\u067c\u0681\u0685\u0689\u0693\u0696\u069a\u06ab\u06bc\u06cd\u06d0]")
_PUNCTUATION = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm", "Sk"})
"""Unicode's punctuation, and the symbols (currency, mathematical, modifier) that SQuAD strips in ASCII. Not emoji."""
_WITHOUT_SPACES = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai and Lao, Tibetan, Burmese, Khmer, Japanese and Chinese: scripts that put no spaces between words."""
_BREAK_WITHIN = re.compile(f"(?<=[{_WITHOUT_SPACES}])\u200b+(?=[{_WITHOUT_SPACES}])")
"""Where a line may break in a script without spaces: no space between words."""
_TOKEN = re.compile(f"[{_WITHOUT_SPACES}]|[^{_WITHOUT_SPACES}]+")


def fold(text: str, *, case: bool, space: bool = True, punctuation: bool = False) -> str:
    """Return the form that is compared, without what the flags say to ignore."""
    plain = _one_alphabet(one_spelling(_BREAK_WITHIN.sub("", text))).translate(_TYPOGRAPHY)
    if case:
        plain = unicodedata.normalize("NFC", plain.casefold())
    if punctuation:
        plain = "".join(character for character in plain if not is_punctuation(character))
    return " ".join(plain.split()) if space else plain


def _one_alphabet(text: str) -> str:
    if text.isascii() or _PASHTO_LETTERS.search(text):
        return text
    return text.translate(_ALIKE_IN_ARABIC).replace("\u06cc\u0654", "\u0626")  # yeh with hamza, typed in parts


def tokens(text: str) -> list[str]:
    """Part a folded text into words; into characters, each with its marks, where a script has no spaces."""
    return [token for word in text.split() for token in _parts(word)]


def _parts(word: str) -> list[str]:
    parts: list[str] = []
    for match in _TOKEN.finditer(word):
        if parts and unicodedata.category(match[0][0])[0] == "M":
            parts[-1] += match[0]
        else:
            parts.append(match[0])
    return parts


@lru_cache(maxsize=4096)
def is_punctuation(character: str) -> bool:
    """Tell whether a character is left out where punctuation does not count."""
    return unicodedata.category(character) in _PUNCTUATION
