# ruff: noqa: E501 - tables of words in many scripts, whose widths differ
"""Words for powers of ten, such as lakh, करोड़, milioni: by language, with the endings that a script glues to them."""

from collections.abc import Mapping
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.folding import fold_word, folded_words

_EXACT = {
    2: "hundred hundreds सौ शे শ শো শত সো સો ਸੌ ଶହ ଶ سو cien ciento cientos cent cents cem",
    3: "thousand thousands tausend ribu тысяч тысяча тысячи ألف آلاف الف nghìn ngàn mila हजार हज़ार হাজার হাজাৰ હજાર ਹਜ਼ਾਰ ହଜାର ہزار mil mille milliers",
    5: "lakh lakhs lac lacs lakhs लाख লাখ লক্ষ লক্ষাধিক લાખ ਲੱਖ ଲକ୍ଷ لاکھ",
    6: "million millions mn mln millionen milyon juta миллион миллиона миллионов مليون ملايين triệu मिलियन মিলিয়ন મિલિયન ਮਿਲੀਅਨ ମିଲିୟନ ملین millón millones milhão milhões millon milhao",
    7: "crore crores cr करोड़ करोड कोटी कोटि কোটি કરોડ ਕਰੋੜ କୋଟି کروڑ karor",
    9: "billion billions bn bln milliarden milliarde milyar miliar miliardi миллиард миллиарда миллиардов مليار अरब अब्ज बिलियन বিলিয়ন અબજ બિલિયન ਅਰਬ ବିଲିୟନ ارب arab milliard milliards bilhão bilhões",
    11: "खरब kharab کھرب",
    12: "trillion trillions tn trn ट्रिलियन ট্রিলিয়ন billón billones bilião biliões trilhão trilhões",
}
"""French *billion* is 10^12 in its own language; English has the word far more often."""

_BEGINNINGS = {
    2: "நூற நூறு వంద ನೂರ നൂറ",
    4: "万 萬 만",
    8: "亿 億 억",
    3: "हजारां हज़ारां হাজার হাজাৰ હજાર ஆயிர వేల వెయ్యి వేయి ಸಾವಿರ ആയിര ହଜାର",
    5: "लाखां লাখ লক্ষ લાખ இலட்ச லட்ச లక్ష ಲಕ್ಷ ലക്ഷ ଲକ୍ଷ",
    6: "மில்லியன మిలియన ಮಿಲಿಯನ ದಶಲಕ್ಷ മില്യ ദശലക്ഷ",
    7: "कोटीं কোটি કરોડ கோடி కోటి కోట్ల ಕೋಟಿ കോടി କୋଟି",
    9: "பில்லியன బిలియన ಬಿಲಿಯನ ബില്യ",
}
"""Stems whose case endings are written together with them."""
_LONGEST_ENDING = 5

_BEFORE = {2: "mia", 3: "elfu", 5: "laki", 6: "milioni", 9: "bilioni", 12: "trilioni"}
"""Swahili, where the scale comes first: elfu 5."""

GLUED = {"k": 3, "K": 3, "M": 6, "bn": 9, "mn": 6, "Cr": 7, "cr": 7, "B": 9, "lakh": 5}
"""Directly behind the digits: 5k, 3M."""
GLUED_TO_MONEY = {"m": 6, "b": 9, "L": 5, "l": 5, "T": 12, "t": 12}
"""Units elsewhere (metre, litre, tonne), scales behind a sum of money."""
BEHIND_MONEY = {"L": 5, "K": 3, "M": 6, "B": 9}
"""With a space as well: ₹2.5 L."""

DOZENS = folded_words("dozen dozens दर्जन ডজন ડઝન ਦਰਜਨ درجن")

_HALVES = {
    Fraction(3, 2): "डेढ़ डेढ दीड দেড় ডেৰ દોઢ ਡੇਢ ଦେଢ ڈیڑھ dedh ஒன்றரை ఒకటిన్నర ಒಂದೂವರೆ ഒന്നര",
    Fraction(5, 2): "ढाई अढ़ाई अडीच আড়াই আঢ়ৈ અઢી ਢਾਈ ଅଢ଼େଇ ڈھائی dhai இரண்டரை రెండున్నర ಎರಡೂವರೆ രണ്ടര",
    Fraction(3, 4): "पौन पाऊण",
    Fraction(1, 2): "आधा आधी आधे अर्धा अर्धी अर्धे আধা আধ অর্ধেক અડધો અડધા અડધી ਅੱਧਾ ਅੱਧੀ ଅଧା آدھا آدھی அரை అర ಅರ್ಧ അര nusu",
}
_ADDED = {
    Fraction(1, 2): "साढ़े साढे साडे সাড়ে চাৰে સાડા ਸਾਢੇ ସାଢ଼େ ساڑھے sadhe saadhe",
    Fraction(1, 4): "सवा सव्वा সওয়া সোয়া સવા ਸਵਾ ସଓ୍ୱା سوا sava",
    Fraction(-1, 4): "पौने पावणे পৌনে પોણા ਪੌਣੇ ପୌଣେ پونے paune",
}


def _by_word(table: Mapping[int, str]) -> dict[str, int]:
    return {word: power for power, words in table.items() for word in folded_words(words)}


def _fractions(table: Mapping[Fraction, str]) -> dict[str, Fraction]:
    return {word: value for value, words in table.items() for word in folded_words(words)}


_POWERS = _by_word(_EXACT)
_STEMS = _by_word(_BEGINNINGS)
_STEM_LENGTHS = sorted({len(stem) for stem in _STEMS}, reverse=True)
POWERS_BEFORE = _by_word(_BEFORE)
HALVES = _fractions(_HALVES)
"""Numbers of their own: डेढ़ is one and a half."""
ADDED_PARTS = _fractions(_ADDED)
"""What a word adds to the number behind it: साढ़े 5 is five and a half."""


def power_of_ten(word: str) -> int | None:
    """Return the power of ten that the word (as written) multiplies by, or None."""
    folded = fold_word(word)
    power = _POWERS.get(folded)
    if power is not None or folded.isascii():
        return power
    for length in _STEM_LENGTHS:
        stem = _STEMS.get(folded[:length])
        if stem is not None and len(folded) - length <= _LONGEST_ENDING:
            return stem
    return None
