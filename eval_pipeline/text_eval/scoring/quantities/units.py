# ruff: noqa: E501 - tables of words in many scripts, whose widths differ
"""Units that are known, each with its dimension and its size in it: 90 minutes are 1.5 hours, 5 mg are not 5 g.

Years and months make one dimension, weeks down to seconds another: a month has no fixed number of days. A word that is
not here is no unit, and is not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.folding import fold_word, folded_words


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number is counted in; two units of one dimension differ by a factor."""

    dimension: str
    size: Fraction = Fraction(1)


_Lines = Mapping[int | Fraction, str]

_CALENDAR: _Lines = {
    1_200: "century centuries शताब्दी शताब्दियों सदी",
    120: "decade decades दशक दशकों",
    12: "year years yr yrs साल वर्ष बरस সাল বছর বছৰ বৎসর વર્ષ વરસ ਸਾਲ ਵਰ੍ਹੇ ବର୍ଷ سال برس mwaka miaka año años an ans année années"
    " ano anos ஆண்டு ஆண்டுகள் வருடம் வருடங்கள் సంవత్సరం సంవత్సరాలు సంవత్సరాల ఏళ్లు ఏళ్ళు ವರ್ಷ ವರ್ಷಗಳು വർഷം വയസ്സ്",
    1: "month months mth mths महीना महीने महीनों माह मास महिना महिने महिन्यां মাস মাহ મહિનો મહિના મહિને ਮਹੀਨਾ ਮਹੀਨੇ ମାସ مہینہ مہینے ماہ"
    " mwezi miezi mes meses mois mês மாதம் மாதங்கள் నెల నెలలు నెలల ತಿಂಗಳು ತಿಂಗಳ മാസം",
}
_CLOCK: _Lines = {
    1_209_600: "fortnight fortnights पखवाड़ा पखवाड़े",
    604_800: "week weeks wk wks सप्ताह हफ्ता हफ्ते हफ़्ते हफ़्ता आठवडा आठवडे आठवड्यां সপ্তাহ অঠোৱা અઠવાડિયું અઠવાડિયા ਹਫ਼ਤਾ ਹਫ਼ਤੇ ହପ୍ତା ସପ୍ତାହ"
    " ہفتہ ہفتے wiki semana semanas semaine semaines வாரம் வாரங்கள் వారం వారాలు వారాల ವಾರ ವಾರಗಳು ആഴ്ച",
    86_400: "day days दिन दिनों दिवस दिवसां দিন દિવસ ਦਿਨ ଦିନ دن siku día días jour jours dia dias நாள் நாட்கள் రోజు రోజులు రోజుల ದಿನ"
    " ದಿನಗಳು ദിവസം",
    3_600: "hour hours hr hrs घंटा घंटे घंटों घण्टा घण्टे तास तासां ঘণ্টা ঘন্টা কলাক કલાક ਘੰਟਾ ਘੰਟੇ ଘଣ୍ଟା گھنٹہ گھنٹے saa masaa hora horas"
    " heure heures மணிநேரம் గంట గంటలు గంటల ಗಂಟೆ ಗಂಟೆಗಳು മണിക്കൂർ",
    60: "minute minutes min mins मिनट मिनटों मिनिट मिनिटे মিনিট মিনিট મિનિટ ਮਿੰਟ ମିନିଟ منٹ dakika minuto minutos நிமிடம் நிமிடங்கள் నిమిషం"
    " నిమిషాలు నిమిషాల ನಿಮಿಷ ನಿಮಿಷಗಳು മിനിറ്റ്",
    1: "second seconds sec secs सेकंड सेकेंड सेकण्ड সেকেন্ড સેકન્ડ ਸਕਿੰਟ ସେକେଣ୍ଡ سیکنڈ sekunde segundo segundos seconde secondes"
    " விநாடி వినాడి సెకను సెకన్లు ಸೆಕೆಂಡು സെക്കൻഡ്",
}
_MASS: _Lines = {
    1_000_000_000: "tonne tonnes टन টন ટન ਟਨ toneladas tonelada",
    100_000_000: "quintal quintals क्विंटल कुंतल কুইন্টাল ક્વિન્ટલ ਕੁਇੰਟਲ",
    1_000_000: "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes किलो किग्रा किग्रॅ किलोग्राम किलोग्रॅम কিগ্রা ਕਿਗ੍ਰਾ ਕਿਲੋਗ੍ਰਾਮ கிகி கிலோகிராம் కిగ్రా కిలోగ్రాములు ಕಿಗ್ರಾ ಕಿಲೋಗ್ರಾಂ കിഗ്രാം കിലോഗ്രാം کلوگرام কেজি কিলো কিলোগ্রাম કિલો કિગ્રા ਕਿਲੋ"
    " କିଲୋ کلو கிலோ కిలో కిలోలు కేజీ ಕೆಜಿ ಕಿಲೋ കിലോ",
    Fraction(45_359_237, 100): "lb lbs",
    Fraction(45_359_237, 1600): "oz ounce ounces",
    1_000: "g gm gms gram grams gramme grammes ग्राम গ্রাম ગ્રામ ਗ੍ਰਾਮ ଗ୍ରାମ گرام gramos gramas gramo grama gramu கிராம் గ్రాము గ్రాములు"
    " ಗ್ರಾಂ ഗ്രാം",
    1: "mg mgs milligram milligrams मिग्रा मिग्रॅ मिलीग्राम मिलिग्रॅम मिग्राम মিগ্রা મિગ્રા ਮਿਗ੍ਰਾ ਮਿਲੀਗ੍ਰਾਮ மிகி மில்லிகிராம் మిగ్రా మిల్లీగ్రాములు ಮಿಗ್ರಾಂ ಮಿಗ್ರಾ ಮಿಲಿಗ್ರಾಂ മിഗ്രാം മില്ലിഗ്രാം ملیگرام মিলিগ্রাম મિલિગ્રામ miligramos miligramas",
    Fraction(1, 1000): "mcg µg μg ug microgram micrograms माइक्रोग्राम",
}
_VOLUME: _Lines = {
    1_000: "l L litre litres liter liters ltr ltrs लीटर लिटर লিটার લિટર ਲੀਟਰ ଲିଟର لیٹر lita litro litros லிட்டர் లీటరు లీటర్లు ಲೀಟರ್ ലിറ്റർ",
    100: "dl decilitre decilitres deciliter deciliters",
    10: "cl",
    1: "ml mL millilitre millilitres milliliter milliliters मिली मिलीलीटर मिलि मिलीलिटर મિલિ ਮਿਲੀ மிலீ மில்லிலிட்டர் మిలీ మిలి మిల్లీలీటర్లు ಮಿಲೀ ಮಿಲಿ ಮಿಲಿಲೀಟರ್ മിലി മില്ലിലിറ്റർ ملی মিলি মিলিলিটার મિલી ਮਿਲੀਲੀਟਰ மிலி cc",
}
_LENGTH: _Lines = {
    1_000: "km kms kilometre kilometres kilometer kilometers किमी किलोमीटर কিমি কিমী কিলোমিটার ਕਿਮੀ કિમી કિલોમીટર ਕਿਲੋਮੀਟਰ کلومیٹر kilomita"
    " kilómetros kilómetro kilomètres kilomètre quilómetros quilômetros கிமீ கிலோமீட்டர் కిమీ ಕಿಮೀ കിമീ",
    1: "m metre metres meter meters मीटर মিটার મીટર ਮੀਟਰ میٹر mita metros metro mètres mètre",
    Fraction(
        1, 100
    ): "cm cms centimetre centimetres centimeter centimeters सेमी सेंमी सेंटीमीटर सेंटीमिटर ਸੈਂਟੀਮੀਟਰ ਸੈਮੀ செமீ செண்டிமீட்டர் சென்டிமீட்டர் సెమీ సెంమీ సెంటీమీటర్లు ಸೆಂಮೀ ಸೆಂಟಿಮೀಟರ್ സെമീ സെമി സെന്റിമീറ്റർ সেমি সেন্টিমিটার સેમી centímetros",
    Fraction(1, 1000): "mm millimetre millimetres millimeter millimeters मिमी मिलीमीटर মিমি",
    Fraction(1609344, 1000): "mile miles mi मील মাইল",
    Fraction(3048, 10000): "ft feet foot फीट फुट ফুট ફૂટ",
    Fraction(254, 10000): "inch inches इंच ইঞ্চি ઇંચ",
}
_RUPEE: _Lines = {
    100: "₹ rs re rupee rupees inr रुपये रुपए रुपया रुपयों रू रु रुपयां রুপি રૂપિયા રૂપિયો રૂ ਰੁਪਏ ਰੁਪਇਆ ଟଙ୍କା روپے روپیہ ரூபாய் ரூ రూపాయలు"
    " రూపాయల రూ ರೂಪಾಯಿ ರೂ രൂപ rupias roupies",
    1: "paisa paise पैसे पैसा paisas",
}
_DOLLAR: _Lines = {
    100: "$ us$ usd dollar dollars डॉलर ডলার ડોલર ਡਾਲਰ ڈالر dola dólares dólar டாலர் డాలర్లు ಡಾಲರ್ ഡോളർ",
    1: "cent cents ¢",
}
_OTHERS = {
    "euro": "€ eur euro euros यूरो ইউরো",
    "sterling": "£ gbp",
    "yen": "¥ jpy yen",
    "taka": "৳ টাকা taka bdt",
    "shilling": "kes ksh tzs tsh ugx shilling shillings shilingi",
    "naira": "₦ ngn naira",
    "rand": "zar rand",
    "celsius": "°c ℃ celsius centigrade सेल्सियस",
    "fahrenheit": "°f ℉ fahrenheit फ़ारेनहाइट फारेनहाइट",
    "kelvin": "kelvin",
    "rupiah": "rp idr rupiah",
    "dong": "₫ vnd dong đồng",
    "franc": "chf",
    "kcal": "kcal kcals kilocalories",
    "before_christ": "bc bce ईसापूर्व",
    "after_christ": "ad ce ईस्वी",
}
_AREA: _Lines = {
    10_000: "hectare hectares ha हेक्टेयर হেক্টর હેક્ટર ਹੈਕਟੇਅਰ ஹெக்டேர்",
    Fraction(40_468_564_224, 10_000_000): "acre acres एकड़ একর એકર ਏਕੜ ஏக்கர் ఎకరం ఎకరాలు ಎಕರೆ ഏക്കർ",
}
_DATA: _Lines = {
    10**12: "tb terabyte terabytes",
    10**9: "gb gigabyte gigabytes जीबी",
    10**6: "mb megabyte megabytes एमबी",
    10**3: "kb kilobyte kilobytes",
    1: "byte bytes",
}
_POWER: _Lines = {
    10**9: "gw gigawatt gigawatts",
    10**6: "megawatt megawatts मेगावाट",
    1000: "kw kilowatt kilowatts किलोवाट",
    1: "watt watts वाट",
    Fraction(1, 1000): "milliwatt milliwatts",
}
_ENERGY: _Lines = {10**6: "mwh", 1000: "kwh", 1: "wh"}
_FREQUENCY: _Lines = {10**9: "ghz", 10**6: "mhz", 1000: "khz", 1: "hz hertz"}
_VOLTAGE: _Lines = {1000: "kv kilovolt kilovolts", 1: "volt volts"}
_PROPORTION: _Lines = {
    Fraction(
        1, 100
    ): "% ٪ percent percentage pct प्रतिशत फीसदी फ़ीसदी टक्के टक्का শতাংশ শতকরা ટકા પ્રતિશત ਫ਼ੀਸਦੀ ਫੀਸਦੀ ਪ੍ਰਤੀਸ਼ਤ ପ୍ରତିଶତ"
    " فیصد asilimia சதவீதம் சதவிகிதம் విகతం శాతం శాతము ಶೇಕಡಾ ಪ್ರತಿಶತ ശതമാനം pourcent",
    Fraction(1, 1000): "‰",
}
PROPORTION = "proportion"
MONEY = frozenset(
    {"rupee", "dollar", "euro", "sterling", "yen", "taka", "shilling", "naira", "rand", "rupiah", "dong", "franc"}
)


def _units() -> dict[str, Unit]:
    named: list[tuple[str, _Lines]] = [
        ("calendar", _CALENDAR),
        ("clock", _CLOCK),
        ("mass", _MASS),
        ("volume", _VOLUME),
        ("length", _LENGTH),
        ("length^2", _AREA),
        ("data", _DATA),
        ("power", _POWER),
        ("watt_hour", _ENERGY),
        ("frequency", _FREQUENCY),
        ("voltage", _VOLTAGE),
        ("rupee", _RUPEE),
        ("dollar", _DOLLAR),
        (PROPORTION, _PROPORTION),
    ]
    named += [(name, {1: words}) for name, words in _OTHERS.items()]
    return {
        word: Unit(dimension, Fraction(size))
        for dimension, lines in named
        for size, words in lines.items()
        for word in folded_words(words)
    }


_UNITS = _units()
_SHORTEST_STEM = 4
_FIRST_INDIC_LETTER = "\u0904"
_INFLECTED = {
    word: unit for word, unit in _UNITS.items() if len(word) >= _SHORTEST_STEM and word[0] >= _FIRST_INDIC_LETTER
}
_LONGEST_ENDING = 4
_CASED: dict[str, Unit | None] = {
    **dict.fromkeys(("M", "G", "S", "T", "Mg", "AN", "An", "Re")),
    "MW": Unit("power", Fraction(10**6)),
    "mW": Unit("power", Fraction(1, 1000)),
    "W": Unit("power"),
    "V": Unit("voltage"),
    "mV": Unit("voltage", Fraction(1, 1000)),
}
"""Signs whose capital is another thing, or a word."""


def unit_of(word: str) -> Unit | None:
    """Return the unit that the word (as written) names, or None."""
    if word in _CASED:
        return _CASED[word]
    folded = fold_word(word)
    unit = _UNITS.get(folded)
    if unit is not None or folded.isascii():
        return unit
    for cut in range(1, _LONGEST_ENDING + 1):
        unit = _INFLECTED.get(folded[:-cut])
        if unit is not None:
            return unit
    return None
