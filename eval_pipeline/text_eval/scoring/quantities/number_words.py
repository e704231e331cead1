"""Numbers written out: English and Hindi up to 99, one to ten in the other languages.

Beside scale words they are read always (two lakh, पाँच करोड़); alone only where a text has no digits, since "one of
them" is no quantity. A language whose tens are not here has its words read only where one stands alone.
"""

from eval_pipeline.text_eval.scoring.quantities.folding import fold_word, folded_words

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_HINDI = (
    "शून्य एक दो तीन चार पांच छह सात आठ नौ"
    " दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस"
    " बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस"
    " तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस"
    " चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास"
    " पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ"
    " साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर"
    " सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उन्यासी"
    " अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी"
    " नब्बे इक्यानवे बानवे तिरानवे चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे"
)
_HINDI_VARIANTS = {
    "पाँच": 5, "छः": 6, "छ": 6, "छै": 6, "पन्द्रह": 15, "सतरह": 17, "अट्ठारह": 18, "उन्नीस": 19, "बाइस": 22, "तेइस": 23,
    "सत्ताइस": 27, "अठाईस": 28, "अट्ठाइस": 28, "उन्तीस": 29, "तेंतीस": 33, "चौतीस": 34, "पैतीस": 35, "चवालीस": 44,
    "चौंसठ": 64, "छियासठ": 66, "उन्यासी": 79, "पाँचवां": 5,
}  # fmt: skip
_ONE_TO_TEN = (
    "एक दोन तीन चार पाच सहा सात आठ नऊ दहा",
    "এক দুই তিন চার পাঁচ ছয় সাত আট নয় দশ",
    "এক দুই তিনি চাৰি পাঁচ ছয় সাত আঠ ন দহ",
    "એક બે ત્રણ ચાર પાંચ છ સાત આઠ નવ દસ",
    "ਇੱਕ ਦੋ ਤਿੰਨ ਚਾਰ ਪੰਜ ਛੇ ਸੱਤ ਅੱਠ ਨੌਂ ਦਸ",
    "ଏକ ଦୁଇ ତିନି ଚାରି ପାଞ୍ଚ ଛଅ ସାତ ଆଠ ନଅ ଦଶ",
    "ஒன்று இரண்டு மூன்று நான்கு ஐந்து ஆறு ஏழு எட்டு ஒன்பது பத்து",
    "ఒకటి రెండు మూడు నాలుగు అయిదు ఆరు ఏడు ఎనిమిది తొమ్మిది పది",
    "ఒకటి రెండు మూడు నాలుగు ఐదు ఆరు ఏడు ఎనిమిది తొమ్మిది పది",
    "ಒಂದು ಎರಡು ಮೂರು ನಾಲ್ಕು ಐದು ಆರು ಏಳು ಎಂಟು ಒಂಬತ್ತು ಹತ್ತು",
    "ഒന്ന് രണ്ട് മൂന്ന് നാല് അഞ്ച് ആറ് ഏഴ് എട്ട് ഒമ്പത് പത്ത്",
    "ایک دو تین چار پانچ چھ سات آٹھ نو دس",
    "एक दुई तीन चार पाँच छ सात आठ नौ दश",
    "moja mbili tatu nne tano sita saba nane tisa kumi",
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "un deux trois quatre cinq six sept huit neuf dix",
    "um dois três quatro cinco seis sete oito nove dez",
    "uma duas três quatro cinco seis sete oito nove dez",
)


def _count(line: str, *, begin: int, step: int = 1) -> dict[str, int]:
    return {fold_word(word): begin + step * at for at, word in enumerate(line.split())}


ENGLISH_SMALL = _count(_ENGLISH, begin=0)
ENGLISH_TENS = _count(_ENGLISH_TENS, begin=20, step=10)
HINDI = _count(_HINDI, begin=0) | {fold_word(word): number for word, number in _HINDI_VARIANTS.items()}
SINGLE = (
    {word: number for line in _ONE_TO_TEN for word, number in _count(line, begin=1).items()} | HINDI | ENGLISH_SMALL
)
"""Every number word that stands for itself; the grammar of compounds is known for English alone."""
SINGLE.update(ENGLISH_TENS)
SINGLE.update({"twice": 2, "thrice": 3})
ONES = folded_words("one एक এক એક ਇੱਕ ଏକ ایک moja un una uno um uma une a an")
"""Also articles and pronouns: numbers only where they open a text of a few words."""
_DENOMINATORS = {
    3: "तिहाई तृतीयांश তৃতীয়াংশ ਤਿਹਾਈ تہائی", 4: "चौथाई चतुर्थांश চতুর্থাংশ ચોથાઈ ਚੌਥਾਈ چوتھائی", 5: "पंचमांश পঞ্চমাংশ"
}  # fmt: skip
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth"
)
_OTHER_ORDINALS = (
    "पहला दूसरा तीसरा चौथा पांचवां छठा सातवां आठवां नौवां दसवां ग्यारहवां बारहवां",
    "पहली दूसरी तीसरी चौथी पांचवीं छठी सातवीं आठवीं नौवीं दसवीं ग्यारहवीं बारहवीं",
    "पहले दूसरे तीसरे चौथे पांचवें छठे सातवें आठवें नौवें दसवें ग्यारहवें बारहवें",
    "पहिला दुसरा तिसरा चौथा पाचवा सहावा सातवा आठवा नववा दहावा",
    "পহেলা দ্বিতীয় তৃতীয় চতুর্থ পঞ্চম ষষ্ঠ সপ্তম অষ্টম নবম দশম",
    "પહેલો બીજો ત્રીજો ચોથો પાંચમો છઠ્ઠો સાતમો આઠમો નવમો દસમો",
    "ਪਹਿਲਾ ਦੂਜਾ ਤੀਜਾ ਚੌਥਾ ਪੰਜਵਾਂ ਛੇਵਾਂ ਸੱਤਵਾਂ ਅੱਠਵਾਂ ਨੌਵਾਂ ਦਸਵਾਂ",
    "முதல் இரண்டாவது மூன்றாவது நான்காவது ஐந்தாவது ஆறாவது ஏழாவது எட்டாவது ஒன்பதாவது பத்தாவது",
    "మొదటి రెండవ మూడవ నాల్గవ ఐదవ ఆరవ ఏడవ ఎనిమిదవ తొమ్మిదవ పదవ",
    "ಮೊದಲ ಎರಡನೇ ಮೂರನೇ ನಾಲ್ಕನೇ ಐದನೇ ಆರನೇ ಏಳನೇ ಎಂಟನೇ ಒಂಬತ್ತನೇ ಹತ್ತನೇ",
    "ഒന്നാം രണ്ടാം മൂന്നാം നാലാം അഞ്ചാം ആറാം ഏഴാം എട്ടാം ഒമ്പതാം പത്താം",
    "پہلا دوسرا تیسرا چوتھا پانچواں چھٹا ساتواں آٹھواں نواں دسواں",
    "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo",
    "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
    "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième",
)
_TENTHS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
ENGLISH_ORDINALS = _count(_ORDINALS, begin=1) | _count(_TENTHS, begin=20, step=10)
ORDINALS = {word: number for line in _OTHER_ORDINALS for word, number in _count(line, begin=1).items()} | {
    fold_word(word): number for word, number in {"प्रथम": 1, "द्वितीय": 2, "तृतीय": 3, "चतुर्थ": 4, "पंचम": 5}.items()
}
ORDINALS.update(ENGLISH_ORDINALS)
"""Which of a row: third, तीसरा."""
_ENGLISH_PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
FRACTIONS = _ENGLISH_PARTS | {
    ordinal + ending: number
    for ordinal, number in ENGLISH_ORDINALS.items()
    if 3 <= number <= 10  # noqa: PLR2004 - third to tenth
    for ending in ("", "s")
}
FRACTIONS.update({f"{word}": number for word, number in {"hundredth": 100, "hundredths": 100}.items()})
FRACTIONS.update({word: part for part, words in _DENOMINATORS.items() for word in folded_words(words)})
"""Denominators, behind a, one, two, three or four."""
