"""The script that a text is written in, letter by letter.

Python knows no script property; the names of characters begin with the script's name, which serves for all scripts that
``language_table`` uses.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache

_SCRIPTS_BY_NAME: Mapping[str, str] = {
    "ADLAM": "Adlm",
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "BENGALI": "Beng",
    "BOPOMOFO": "Bopo",
    "CANADIAN": "Cans",
    "CHAKMA": "Cakm",
    "CJK": "Hani",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi",
    "FULLWIDTH": "Latn",
    "GEORGIAN": "Geor",
    "GREEK": "Grek",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "HALFWIDTH": "Kana",
    "HANGUL": "Hang",
    "HANIFI": "Rohg",
    "HEBREW": "Hebr",
    "HIRAGANA": "Hira",
    "JAVANESE": "Java",
    "KANNADA": "Knda",
    "KATAKANA": "Kana",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "LATIN": "Latn",
    "MALAYALAM": "Mlym",
    "MEETEI": "Mtei",
    "MONGOLIAN": "Mong",
    "MYANMAR": "Mymr",
    "NKO": "Nkoo",
    "OL": "Olck",
    "ORIYA": "Orya",
    "SINHALA": "Sinh",
    "SYRIAC": "Syrc",
    "TAI": "Lana",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAANA": "Thaa",
    "THAI": "Thai",
    "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng",
    "WARANG": "Wara",
    "YI": "Yiii",
}


def count_scripts(text: str) -> Counter[str]:
    """Count letters and marks by script (ISO 15924): vowel signs count, or five Latin letters outweigh three aksharas.

    Characters that belong to no script, or to one that is not known here, are left out.
    """
    counts: Counter[str] = Counter()
    for character, occurrences in Counter(text).items():
        script = _script(character)
        if script is not None:
            counts[script] += occurrences
    return counts


@cache
def _script(character: str) -> str | None:
    if unicodedata.category(character)[0] not in "LM":
        return None
    return _SCRIPTS_BY_NAME.get(unicodedata.name(character, "").partition(" ")[0])
