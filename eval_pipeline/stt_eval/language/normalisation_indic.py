"""Spellings of the scripts of India that are the same word: older encodings, and the folds of ``lenient``.

Each fold holds for the scripts in which both spellings are in use for one pronunciation, and for no other. Sources: the
Unicode Standard, chapter 12 (South and Central Asia-I), sections of the scripts; for anusvara in Hindi and Marathi the
spelling rules of India's Central Hindi Directorate. The blocks share the layout of ISCII, so that one offset names the
same letter in each.
"""

import re
import unicodedata

_DEVANAGARI, _BENGALI, _GURMUKHI, _GUJARATI, _ORIYA = 0x0900, 0x0980, 0x0A00, 0x0A80, 0x0B00
_TELUGU, _KANNADA = 0x0C00, 0x0C80
_BLOCK_MASK = ~0x7F
_CHANDRABINDU, _ANUSVARA, _NUKTA, _VIRAMA = 0x01, 0x02, 0x3C, 0x4D
_GURMUKHI_TIPPI = 0x0A70
_VELAR = 0x15
_CLASSES = (_VELAR, 0x1A, 0x1F, 0x24, 0x2A)
"""First letters of the five classes: four stops, then their nasal. ka, ca, tta, ta, pa."""
_STOPS_PER_CLASS = 4
_ZERO_WIDTH_JOINER = "\u200d"

_LEGACY = {
    "\u0d23": "\u0d7a",  # Malayalam: nna, na, ra, la, lla, ka and their chillus
    "\u0d28": "\u0d7b",
    "\u0d30": "\u0d7c",
    "\u0d32": "\u0d7d",
    "\u0d33": "\u0d7e",
    "\u0d15": "\u0d7f",
    "\u09a4": "\u09ce",  # Bengali: ta and khanda ta
}
_LEGACY_SEQUENCE = re.compile("(?:([\u0d23\u0d28\u0d30\u0d32\u0d33\u0d15])\u0d4d|(\u09a4)\u09cd)\u200d")

_NUKTA_SCRIPTS = (_DEVANAGARI, _GURMUKHI, _GUJARATI, _TELUGU, _KANNADA)
_CHANDRABINDU_SCRIPTS = (_DEVANAGARI, _GURMUKHI, _GUJARATI)
_LETTERS_WITH_NUKTA = {0x0929: 0x0928, 0x0931: 0x0930, 0x0934: 0x0933}
"""The Devanagari letters that NFC keeps whole (nnna, rra, llla); all other letters with nukta it takes apart."""
_MARKS = {
    **{block + _NUKTA: None for block in _NUKTA_SCRIPTS},
    **{block + _CHANDRABINDU: block + _ANUSVARA for block in _CHANDRABINDU_SCRIPTS},
    **_LETTERS_WITH_NUKTA,
    _GURMUKHI_TIPPI: _GURMUKHI + _ANUSVARA,
}

_NASAL_CLASSES = {
    **dict.fromkeys((_DEVANAGARI, _GURMUKHI, _GUJARATI, _TELUGU, _KANNADA), _CLASSES),
    **dict.fromkeys((_BENGALI, _ORIYA), (_VELAR,)),
}
_MALAYALAM_NTA = re.compile("(?:\u0d7b\u0d4d?|\u0d28\u0d4d)\u0d31")
_MALAYALAM_NTA_FORM = "\u0d28\u0d4d\u0d31"


def map_legacy_sequences(text: str) -> str:
    """Write chillus and khanda ta with their own code points where they are spelled with a zero width joiner.

    Unicode 5.1 and 4.1 gave them code points; older texts and keyboards write consonant, virama, joiner. Must come
    before format characters are removed, which would leave another letter.
    """
    if _ZERO_WIDTH_JOINER not in text:
        return text
    return _LEGACY_SEQUENCE.sub(lambda found: _LEGACY[found[1] or found[2]], text)


def fold_spellings(text: str) -> str:
    """Fold what one word may be spelled with, script by script.

    - Nukta goes in Devanagari, Gurmukhi, Gujarati, Telugu and Kannada. In Bengali and Oriya it makes letters of the
      alphabet (ড় ঢ় য়, ଡ଼ ଢ଼) and stays.
    - Chandrabindu becomes anusvara in Devanagari and Gujarati; tippi and adak bindi become bindi in Gurmukhi. In
      Bengali, Oriya, Telugu and Kannada the two are different sounds. Addak doubles a consonant and stays.
    - A nasal with virama before a stop of its own class becomes anusvara in Devanagari, Gurmukhi, Gujarati, Telugu and
      Kannada; in Bengali and Oriya only the velar one, where anusvara is that very sound. A nasal before a nasal stays.
    - The Malayalam cluster nta has one form of the three that chapter 12.9 describes. Tamil and Sinhala have no such
      spellings.
    """
    folded = _HOMORGANIC_NASAL.sub(_to_anusvara, text.translate(_MARKS))
    return unicodedata.normalize("NFC", _MALAYALAM_NTA.sub(_MALAYALAM_NTA_FORM, folded))


def _to_anusvara(nasal: re.Match[str]) -> str:
    return chr((ord(nasal[0][0]) & _BLOCK_MASK) + _ANUSVARA)


def _nasal_before_its_stops(block: int, first_stop: int) -> str:
    stop = block + first_stop
    nasal = stop + _STOPS_PER_CLASS
    return f"{chr(nasal)}{chr(block + _VIRAMA)}(?=[{chr(stop)}-{chr(nasal - 1)}])"


_HOMORGANIC_NASAL = re.compile(
    "|".join(
        _nasal_before_its_stops(block, first_stop)
        for block, classes in _NASAL_CLASSES.items()
        for first_stop in classes
    )
)
