"""Spellings of the scripts of India that are the same word: the folds of ``lenient``.

Each fold holds for the scripts in which both spellings are in use for one pronunciation, and for no other. Sources: the
Unicode Standard, chapter 12 (South and Central Asia-I), sections of the scripts; for anusvara in Hindi and Marathi the
spelling rules of India's Central Hindi Directorate. The blocks share the layout of ISCII, so that one offset names the
same letter in each.
"""

import re
import unicodedata

from eval_pipeline.core.spellings import whole_letters

_DEVANAGARI, _BENGALI, _GURMUKHI, _GUJARATI, _ORIYA = 0x0900, 0x0980, 0x0A00, 0x0A80, 0x0B00
_TELUGU, _KANNADA, _MALAYALAM = 0x0C00, 0x0C80, 0x0D00
_BLOCK_MASK = ~0x7F
_CHANDRABINDU, _ANUSVARA, _VISARGA, _NUKTA, _VIRAMA = 0x01, 0x02, 0x03, 0x3C, 0x4D
_GURMUKHI_TIPPI = 0x0A70
_VELAR = 0x15
_CLASSES = (_VELAR, 0x1A, 0x1F, 0x24, 0x2A)
"""First letters of the five classes: four stops, then their nasal. ka, ca, tta, ta, pa."""
_STOPS_PER_CLASS = 4
_NUKTA_SCRIPTS = (_DEVANAGARI, _GURMUKHI, _GUJARATI, _TELUGU, _KANNADA)
_CHANDRABINDU_SCRIPTS = (_DEVANAGARI, _GURMUKHI, _GUJARATI)
_LETTERS_WITH_NUKTA = {0x0929: 0x0928, 0x0934: 0x0933}
"""Devanagari letters that NFC keeps whole (nnna, llla; rra below); all other letters with nukta it takes apart."""
_RRA_WITH_A_VOWEL = re.compile("\u0931(?!\u094d)")
"""With virama it is the eyelash ra, which is another sign than ra with virama: दऱ्या, valleys, and दर्या, sea."""
_RA = "\u0930"
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
_MALAYALAM_AU = re.compile("\u0d46*[\u0d4c\u0d57]+")
_MALAYALAM_AU_FORM = "\u0d57"
_MALAYALAM_HALF_U = re.compile("\u0d41\u0d4d(?=\\s|$)")
_MALAYALAM_VIRAMA = "\u0d4d"
_MALAYALAM_DOT_REPH, _MALAYALAM_CHILLU_RR = "\u0d4e", "\u0d7c"
_FINAL_TA = re.compile("\u09a4\u09cd(?=\\s|$)")
_KHANDA_TA = "\u09ce"

_ENDING_IN_VISARGA = (
    "अत अंतत अक्षरश अंशत अन्यत आंशिकत इतस्तत उभयत एकश कोटिश क्रमश खंडश छ तत तत्वत तत्त्वत दु नम नि "
    "निश्चयत नियमत न्यायत पदश परिणामत पुन पूर्णत पूर्वत प्रथमत प्रधानत प्रमुखत प्रात प्राय प्रायश "
    "फलत बहुश भागश मुख्यत मूलत यथार्थत वस्तुत वास्तवत विशेषत शतश शब्दश शांति संपूर्णत संभवत सर्वत "
    "समानत सहस्रश साधारणत सामान्यत स्पष्टत स्वत स्वभावत हेतुत"
)
"""Words that end in visarga, without it and as the other folds leave them: people type a colon, or nothing, for it."""
_VA, _BA = 0x35, 0x2C


def fold_spellings(text: str) -> str:
    """Fold what one word may be spelled with, script by script.

    - Nukta goes in Devanagari, Gurmukhi, Gujarati, Telugu and Kannada. In Bengali and Oriya it makes letters of the
      alphabet (ড় ঢ় য়, ଡ଼ ଢ଼) and stays.
    - Chandrabindu becomes anusvara in Devanagari and Gujarati; tippi and adak bindi become bindi in Gurmukhi. In
      Bengali, Oriya, Telugu and Kannada the two are different sounds. Addak doubles a consonant and stays.
    - A nasal with virama before a stop of its own class becomes anusvara in Devanagari, Gurmukhi, Gujarati, Telugu and
      Kannada; in Bengali and Oriya only the velar one, where anusvara is that very sound. A nasal before a nasal stays.
    - The Malayalam cluster nta has one form of the three that chapter 12.9 describes; the sign of au has its new form,
      dot reph its chillu, and the half u at a word's end is the virama alone.
    - Bengali ta with hasanta at a word's end is khanda ta.
    - The visarga at the end of words that are known to have one goes: at ``standard`` a colon there is punctuation.
    - Eyelash ra of Marathi stays what it is. Tamil and Sinhala have no such spellings.
    """
    folded = _HOMORGANIC_NASAL.sub(_to_anusvara, _RRA_WITH_A_VOWEL.sub(_RA, whole_letters(text.translate(_MARKS))))
    folded = _FINAL_VISARGA.sub(r"\1", _FINAL_TA.sub(_KHANDA_TA, folded))
    return unicodedata.normalize("NFC", whole_letters(_fold_malayalam(folded)))


def _fold_malayalam(text: str) -> str:
    if not _MALAYALAM_LETTER.search(text):
        return text
    clusters = _MALAYALAM_NTA.sub(_MALAYALAM_NTA_FORM, text.replace(_MALAYALAM_DOT_REPH, _MALAYALAM_CHILLU_RR))
    return _MALAYALAM_HALF_U.sub(_MALAYALAM_VIRAMA, _MALAYALAM_AU.sub(_MALAYALAM_AU_FORM, clusters))


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


def _in_block(word: str, block: int) -> str:
    """Write a word of Devanagari in another script of the layout of ISCII; Bengali and Oriya write ba for va."""
    offsets = [ord(letter) - _DEVANAGARI for letter in word]
    own = [_BA if offset == _VA and block in {_BENGALI, _ORIYA} else offset for offset in offsets]
    return "".join(chr(block + offset) for offset in own)


def _words_ending_in_visarga() -> str:
    blocks = (_DEVANAGARI, _BENGALI, _GUJARATI, _ORIYA, _TELUGU, _KANNADA, _MALAYALAM)
    return "|".join(
        f"{_in_block(word, block)}(?={chr(block + _VISARGA)})"
        for block in blocks
        for word in _ENDING_IN_VISARGA.split()
    )


_VISARGAS = "".join(
    chr(block + _VISARGA) for block in (_DEVANAGARI, _BENGALI, _GUJARATI, _ORIYA, _TELUGU, _KANNADA, _MALAYALAM)
)
_FINAL_VISARGA = re.compile(rf"(?<!\S)({_words_ending_in_visarga()})[{_VISARGAS}]+(?=\s|$)")
_MALAYALAM_LETTER = re.compile("[\u0d00-\u0d7f]")
