"""One sign, one spelling: what Unicode lets people encode in several ways, brought to one of them.

Not a matter of taste: both spellings look the same and are read the same, so no flow may tell them apart. What is the
same word in another orthography is decided by who compares. Sources: the Unicode Standard, chapters 9 (Middle East),
12 (South and Central Asia-I), there the tables of vowels that are not to be spelled in parts, and 16 (Southeast Asia);
its compatibility mappings, by their tags.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

ZERO_WIDTH_SPACE = "\u200b"
"""Parts words, unlike its neighbours: web pages write it where a line may break."""
TATWEEL = "\u0640"
"""Stretches a word of Arabic letters, and is none itself, although Unicode counts it among them."""
LETTER_APOSTROPHES = frozenset("\u02bb\u02bc\ua78c")
"""Apostrophes that Unicode counts among the letters."""

_JOINER = "\u200d"
_WITH_A_JOINER: Mapping[str, str] = {
    "\u0d23\u0d4d": "\u0d7a",  # Malayalam: nna, na, ra, la, lla, ka with virama, and their chillus
    "\u0d28\u0d4d": "\u0d7b",
    "\u0d30\u0d4d": "\u0d7c",
    "\u0d32\u0d4d": "\u0d7d",
    "\u0d33\u0d4d": "\u0d7e",
    "\u0d15\u0d4d": "\u0d7f",
    "\u09a4\u09cd": "\u09ce",  # Bengali: ta with hasanta, and khanda ta
    "\u0930\u094d": "\u0931\u094d",  # Devanagari: ra with virama, and the eyelash ra of Marathi, Konkani and Nepali
}
_JOINED = re.compile(f"({'|'.join(_WITH_A_JOINER)}){_JOINER}")

_VOWELS_IN_PARTS: Mapping[str, str] = {
    **{f"\u0905{sign}": vowel for sign, vowel in zip("\u093e\u0945\u0949\u094a\u094b\u094c", "आॲऑऒओऔ", strict=True)},
    **{f"\u0906{sign}": vowel for sign, vowel in zip("\u0945\u0946\u0947\u0948", "ऑऒओऔ", strict=True)},
    **{f"\u090f{sign}": vowel for sign, vowel in zip("\u0945\u0946\u0947", "ऍऎऐ", strict=True)},
    **{
        f"\u093e{sign}": whole
        for sign, whole in zip("\u0945\u0946\u0947\u0948", "\u0949\u094a\u094b\u094c", strict=True)
    },
    "\u0909\u0941": "\u090a",
    "\u0985\u09be": "\u0986",
    "\u098b\u09c3": "\u09e0",
    **{f"\u0a05{sign}": vowel for sign, vowel in zip("\u0a3e\u0a48\u0a4c", "\u0a06\u0a10\u0a14", strict=True)},
    **{f"\u0a72{sign}": vowel for sign, vowel in zip("\u0a3f\u0a40\u0a47", "\u0a07\u0a08\u0a0f", strict=True)},
    **{f"\u0a73{sign}": vowel for sign, vowel in zip("\u0a41\u0a42\u0a4b", "\u0a09\u0a0a\u0a13", strict=True)},
    **{
        f"\u0a85{sign}": vowel
        for sign, vowel in zip(
            "\u0abe\u0ac5\u0ac7\u0ac8\u0ac9\u0acb\u0acc", "\u0a86\u0a8d\u0a8f\u0a90\u0a91\u0a93\u0a94", strict=True
        )
    },
    "\u0b85\u0bc2": "\u0b86",
    "\u0c12\u0c4c": "\u0c14",
    "\u0c12\u0c55": "\u0c13",
    "\u0c92\u0ccc": "\u0c94",
    "\u0d07\u0d57": "\u0d08",
    "\u0d09\u0d57": "\u0d0a",
    "\u0d0e\u0d46": "\u0d10",
    "\u0d12\u0d3e": "\u0d13",
    "\u0d12\u0d57": "\u0d14",
}
_TONES_OF_AM: Mapping[str, str] = {"\u0e4d": "\u0e48\u0e49\u0e4a\u0e4b", "\u0ecd": "\u0ec8\u0ec9\u0eca\u0ecb"}
"""Of Thai and Lao: the ring of the vowel am, and the tones that are typed before or behind it."""
_VOWELS_OF_SOUTHEAST_ASIA: Mapping[str, str] = {
    "\u0e4d\u0e32": "\u0e33",
    "\u0ecd\u0eb2": "\u0eb3",
    **{f"\u0e4d{tone}\u0e32": f"{tone}\u0e33" for tone in _TONES_OF_AM["\u0e4d"]},
    **{f"\u0ecd{tone}\u0eb2": f"{tone}\u0eb3" for tone in _TONES_OF_AM["\u0ecd"]},
    "\u0e40\u0e40": "\u0e41",  # Thai and Lao: e twice is ae
    "\u0ec0\u0ec0": "\u0ec1",
    "\u17c1\u17b8": "\u17be",  # Khmer: oe and oo of two signs
    "\u17c1\u17b6": "\u17c4",
    "\u1025\u103a": "\u1009\u103a",  # Burmese: the vowel u with asat is the letter nya
}
_TAMIL_SHRI: Mapping[str, str] = {"\u0bb8\u0bcd\u0bb0\u0bc0": "\u0bb6\u0bcd\u0bb0\u0bc0"}
SEQUENCES: Mapping[str, str] = {**_VOWELS_IN_PARTS, **_VOWELS_OF_SOUTHEAST_ASIA, **_TAMIL_SHRI}
"""Letters that can be written in parts, or as another sequence that is drawn alike."""
_SEQUENCE = re.compile("|".join(SEQUENCES))

_COLONS = ":\u02d0\u2236\ua789\uff1a"
_VISARGA = 0x03
_SCRIPTS_WITH_VISARGA = (0x0900, 0x0980, 0x0A00, 0x0A80, 0x0B00, 0x0C00, 0x0C80, 0x0D00, 0x0D80)
_BLOCK_SIZE = 0x80
_COLON_IN_A_WORD = re.compile(
    "|".join(
        f"(?<=[{chr(block + 0x05)}-{chr(block + 0x4C)}])[{_COLONS}](?=[{chr(block + 0x05)}-{chr(block + 0x39)}])"
        for block in _SCRIPTS_WITH_VISARGA
    )
)
"""Between two letters of one script, or behind a vowel sign; a virama or a digit before it makes it punctuation."""

_DRAWN_ALIKE = frozenset({"<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>", "<font>", "<square>"})
"""Compatibility mappings that are a matter of width, place in the word or face."""
_FIRST_SQUARE, _LAST_SQUARE = 0x3300, 0x33FF
"""Units and abbreviations of CJK typesetting; other squares are emoji."""
_SMALL_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"
_SMALL_DIGIT = str.maketrans(_SMALL_DIGITS, "0123456789" * 2)
_POWER_OF_A_NUMBER = re.compile(rf"(?<=\d)(?=[{_SMALL_DIGITS}])")

_KEHEH_LANGUAGES = frozenset(
    ["ur", "fa", "prs", "pa", "pnb", "skr", "hno", "ks", "ps", "ckb", "ku", "kmr", "bal", "brh", "khw", "haz", "mzn"]
)
_OTHER_YEH = frozenset(["ps"])
"""Pashto has the Arabic yeh and the Farsi one as two letters."""
_HEH_GOAL_LANGUAGES = frozenset(["ur", "pa", "pnb", "skr", "hno", "ks", "khw", "brh"])
LANGUAGES_WITH_OWN_LETTERS = _KEHEH_LANGUAGES | _HEH_GOAL_LANGUAGES
_FARSI_YEH, _YEH_WITH_HAMZA, _HAMZA_ABOVE = "\u06cc", "\u0626", "\u0654"
_MARKS_BEFORE_HAMZA = "[\u064b-\u0652\u0670]*"
_YEH_AND_HAMZA = re.compile(f"{_FARSI_YEH}({_MARKS_BEFORE_HAMZA}){_HAMZA_ABOVE}")


_UNSEEN_MARKS = frozenset(
    [
        "\u034f",  # combining grapheme joiner
        "\u20e3",  # the keycap of an emoji
        *map(chr, range(0x180B, 0x180E)),  # Mongolian free variation selectors
        "\u180f",
        *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
        *map(chr, range(0xE0100, 0xE01F0)),
    ]
)
"""Marks that are no part of a word: they choose a glyph (Unicode Standard, chapter 23.4), mostly that of an emoji."""


class _BareCharacters(dict[int, str]):
    """A table for ``str.translate``: drops what nobody sees or what only stretches, writes digits in ASCII."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        category = unicodedata.category(character)
        if category == "Nd":
            character = str(unicodedata.decimal(character))
        elif character == ZERO_WIDTH_SPACE:
            character = " "
        elif category == "Cf" or character in _UNSEEN_MARKS or character == TATWEEL:
            character = ""
        self[code_point] = character
        return character


_BARE_CHARACTERS = _BareCharacters()


def map_joined(text: str) -> str:
    """Write letters that were spelled with a zero width joiner in the way that Unicode recommends since.

    Must come before joiners are removed, which would leave another letter. Takes NFC.
    """
    return _JOINED.sub(lambda found: _WITH_A_JOINER[found[1]], text) if _JOINER in text else text


def plain_forms(text: str) -> str:
    """Return letters and digits without their width, face and place in the word, CJK units as letters.

    ``10²`` keeps its power apart from the number. Takes and returns NFC.
    """
    if text.isascii():
        return text
    apart = _POWER_OF_A_NUMBER.sub(" ", text).translate(_SMALL_DIGIT)
    return unicodedata.normalize("NFC", apart.translate(_PLAIN))


class _PlainForms(dict[int, str]):
    """A table for ``str.translate`` that fills itself with what occurs."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        self[code_point] = unicodedata.normalize("NFKC", character) if _is_drawn_alike(character) else character
        return self[code_point]


_PLAIN = _PlainForms()


def _is_drawn_alike(character: str) -> bool:
    """Tell whether a character is another one in another form; a currency sign that stands for letters is none."""
    tag = unicodedata.decomposition(character).partition(" ")[0]
    if tag == "<circle>":
        return unicodedata.category(character) == "No"  # a number, not a letter in a ring
    if tag not in _DRAWN_ALIKE or unicodedata.category(character) == "Sc":
        return tag == "<compat>" and unicodedata.category(character) == "So"
    return tag != "<square>" or _FIRST_SQUARE <= ord(character) <= _LAST_SQUARE


def visarga_for_colon(text: str) -> str:
    """Write the visarga for a colon within a word of an Indic script: keyboards without one make people type it."""
    if text.isascii() or not any(colon in text for colon in _COLONS):
        return text
    return _COLON_IN_A_WORD.sub(lambda colon: _visarga_after(text[colon.start() - 1]), text)


def _visarga_after(letter: str) -> str:
    return chr(ord(letter) // _BLOCK_SIZE * _BLOCK_SIZE + _VISARGA)


def whole_letters(text: str) -> str:
    """Write letters whole that were typed in parts; until nothing is left to join."""
    if text.isascii():
        return text
    joined = _SEQUENCE.sub(lambda found: SEQUENCES[found[0]], text)
    return text if joined == text else whole_letters(joined)


def one_spelling(text: str) -> str:
    """Return a text in the one spelling that every comparison of texts begins with, in either flow.

    NFC; joined letters as they are recommended; letters without width and face; the visarga that was typed as a colon;
    without characters that nobody sees; digits in ASCII; letters whole.
    """
    spelled = visarga_for_colon(plain_forms(map_joined(unicodedata.normalize("NFC", text))))
    return whole_letters(unicodedata.normalize("NFC", spelled.translate(_BARE_CHARACTERS)))


def letters_of_language(text: str, *, language: str | None) -> str:
    """Write the Arabic letters that a language does not have as its own that look alike: kaf, yeh and heh in Urdu.

    Args:
        text: NFC.
        language: primary subtag, as in ``ur``; None leaves all as it is.
    """
    table = _own_letters(language)
    if not table or text.isascii():
        return text
    own = text.translate(table)
    return unicodedata.normalize("NFC", _YEH_AND_HAMZA.sub(rf"{_YEH_WITH_HAMZA}\1", own))


@cache
def _own_letters(language: str | None) -> Mapping[int, str]:
    own: dict[str, str] = {}
    if language in _KEHEH_LANGUAGES:
        own["\u0643"] = "\u06a9"
        if language not in _OTHER_YEH:
            own |= {"\u064a": _FARSI_YEH, "\u0649": _FARSI_YEH}
    if language in _HEH_GOAL_LANGUAGES:
        own |= {"\u0647": "\u06c1", "\u06d5": "\u06c1", "\u0629": "\u06c3", "\u06c0": "\u06c2"}
    return str.maketrans(own)
