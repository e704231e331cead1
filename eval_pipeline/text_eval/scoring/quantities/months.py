# ruff: noqa: E501, RUF001 - tables of words in many scripts, whose widths differ
"""The names of the months."""

from eval_pipeline.text_eval.scoring.quantities.folding import fold_word, folded_words

_NAMES = (
    "january يناير januar januari gennaio января январь ocak jan जनवरी जानेवारी জানুয়ারি জানুয়ারী জানুৱাৰী જાન્યુઆરી ਜਨਵਰੀ ஜனவரி జనవరి ಜನವರಿ ജനുവരി ଜାନୁଆରୀ جنوری januari enero janvier janeiro",
    "february فبراير februar februari febbraio февраля февраль şubat feb फरवरी फ़रवरी फेब्रुवारी फेब्रुअरी ফেব্রুয়ারি ফেব্রুয়ারী ফেব্ৰুৱাৰী ફેબ્રુઆરી ਫਰਵਰੀ ਫ਼ਰਵਰੀ பிப்ரவரி ఫిబ్రవరి ಫೆಬ್ರವರಿ ഫെബ്രുവരി ଫେବୃଆରୀ فروری februari febrero février fevereiro",
    "march مارس märz maret марта март mart mar मार्च মার্চ মাৰ্চ માર્ચ ਮਾਰਚ மார்ச் మార్చి ಮಾರ್ಚ್ മാർച്ച് ମାର୍ଚ୍ଚ مارچ machi marzo mars março",
    "april أبريل إبريل ابريل aprile апреля апрель nisan apr अप्रैल एप्रिल अप्रिल এপ্রিল এপ্ৰিল એપ્રિલ ਅਪ੍ਰੈਲ ஏப்ரல் ఏప్రిల్ ಏಪ್ರಿಲ್ ഏപ്രിൽ ଅପ୍ରେଲ اپریل aprili abril avril",
    "may مايو maggio мая май mayıs मई मे মে মে' મે ਮਈ மே మే ಮೇ മേയ് മെയ് ମଇ مئی mei mayo mai maio",
    "june يونيو giugno июня июнь haziran jun जून জুন જૂન ਜੂਨ ஜூன் జూన్ ಜೂನ್ ജൂൺ ଜୁନ جون juni junio juin junho",
    "july يوليو luglio июля июль temmuz jul जुलाई जुलै जुलाइ জুলাই જુલાઈ ਜੁਲਾਈ ஜூலை జులై జూలై ಜುಲೈ ജൂലൈ ଜୁଲାଇ جولائی julai julio juillet julho",
    "august أغسطس اغسطس agustus августа август ağustos aug अगस्त ऑगस्ट अगष्ट আগস্ট আগষ্ট ઓગસ્ટ ઑગસ્ટ ਅਗਸਤ ஆகஸ்ட் ఆగస్టు ఆగస్ట్ ಆಗಸ್ಟ್ ഓഗസ്റ്റ് ଅଗଷ୍ଟ اگست agosti agosto août",
    "september سبتمبر settembre сентября сентябрь eylül sep sept सितंबर सितम्बर सप्टेंबर सेप्टेम्बर সেপ্টেম্বর ছেপ্টেম্বৰ સપ્ટેમ્બર ਸਤੰਬਰ செப்டம்பர் సెప్టెంబర్ సెప్టెంబరు ಸೆಪ್ಟೆಂಬರ್ സെപ്റ്റംബർ ସେପ୍ଟେମ୍ବର ستمبر septemba septiembre setiembre septembre setembro",
    "october أكتوبر اكتوبر oktober ottobre октября октябрь ekim oct अक्टूबर अक्तूबर ऑक्टोबर अक्टोबर অক্টোবর અક્ટોબર ઓક્ટોબર ਅਕਤੂਬਰ அக்டோபர் అక్టోబర్ అక్టోబరు ಅಕ್ಟೋಬರ್ ഒക്ടോബർ ଅକ୍ଟୋବର اکتوبر oktoba octubre octobre outubro",
    "november نوفمبر ноября ноябрь kasım nov नवंबर नवम्बर नोव्हेंबर नोभेम्बर নভেম্বর নৱেম্বৰ નવેમ્બર ਨਵੰਬਰ நவம்பர் నవంబర్ నవంబరు ನವೆಂಬರ್ നവംബർ ନଭେମ୍ବର نومبر novemba noviembre novembre novembro",
    "december ديسمبر dezember desember dicembre декабря декабрь aralık dec दिसंबर दिसम्बर डिसेंबर डिसेम्बर ডিসেম্বর ডিচেম্বৰ ડિસેમ્બર ਦਸੰਬਰ டிசம்பர் డిసెంబర్ డిసెంబరు ಡಿಸೆಂಬರ್ ഡിസംബർ ଡିସେମ୍ବର دسمبر desemba diciembre décembre dezembro",
)
_MONTHS = {word: month for month, names in enumerate(_NAMES, 1) for word in folded_words(names)}
_STEMS = {word: month for word, month in _MONTHS.items() if not word.isascii() and len(word) > 3}  # noqa: PLR2004 - a stem
_COMMON_WORDS = frozenset({"may", "march", "mar", "mars", "jan", "jun", "dec", "sep", "mai", "मे"})
_LONGEST_ENDING = 4


def month_number(word: str) -> int | None:
    """Return the month that the word (as written) names, or None."""
    folded = fold_word(word)
    month = _MONTHS.get(folded)
    if month is not None or folded.isascii():
        return month
    for cut in range(1, _LONGEST_ENDING + 1):
        month = _STEMS.get(folded[:-cut])
        if month is not None:
            return month
    return None


def is_surely_month(word: str) -> bool:
    """Tell whether the word is a month also beside a lone number: "may" and "march" are words of their own."""
    return fold_word(word) not in _COMMON_WORDS or word[:1].isupper()
