# ruff: noqa: RUF001 - letters of many languages
"""How models decline to transcribe, in many languages.

"I'm sorry, I can't hear you" may be what was said: only words about audio, a recording or transcribing count, beside
words that say that it cannot be done.
"""

import re
import unicodedata

LONGEST_REFUSAL = 500

_SORRY = (
    r"\s*(?:(?:(?:i'm|i am|we're|we are)\ )?(?:very\ |so\ )?sorry|(?:my\ )?apologies|i\ apologi[sz]e|unfortunately)?"
    r"[\s,.;:!-]*(?:but\ )?"
)
_MODEL = r"as\ an?\ (?:ai|(?:large\ )?language\ model)\b"
_CANNOT = r"(?:can(?:not|'t|\ not)|could(?:\ not|n't)|(?:am|'m|was)\ (?:not\ able|unable)\ to|do(?:\ not|n't)\ have)"
_AUDIO = r"(?:transcri(?:be|bing|pts?|ptions?)|audio|recordings?|sound\ files?)"
_CLIP = r"(?:audio|recording|sound)(?:\ (?:file|clip|recording|sample))?"
_ENGLISH = re.compile(
    rf"""{_SORRY}(?:
         (?:{_MODEL}[^,.\n]*,\ )?i\ ?{_CANNOT}\b[^.\n]{{0,80}}\b{_AUDIO}\b
       | {_MODEL}
       | please\ (?:provide|upload|share|attach)\b[^.\n]{{0,30}}\b(?:audio|recording)\b
       | (?:there\ (?:is|was)\ )?no\ audio\b[^.\n]{{0,20}}\b(?:provided|attached|uploaded)\b
       | i\ ?{_CANNOT}\ ?(?:assist|help)(?:\ you)?\ with\ (?:that|this)(?:\ request)?[.!]?\s*\Z
       | (?:the|this|your)\ (?:provided\ |attached\ |uploaded\ )?{_CLIP}\ (?:
             (?:is|was|seems|appears)\ (?:to\ be\ )?(?:empty|silent|blank|inaudible)\b
           | (?:contains|has|includes)\ (?:no|only|just)\b
           | does(?:\ not|n't)\ contain\b)
       | there\ (?:is|was)\ no\ (?:\w+\ ){{0,2}}(?:speech|voice|sound|talking)\b[^.\n]{{0,30}}\b(?:the|this)\ {_CLIP}\b
       | no\ (?:\w+\ ){{0,2}}(?:speech|voice)\ (?:was\ |is\ |could\ be\ )?(?:detected|found|present|heard)\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_OTHERS: tuple[tuple[str, str, str], ...] = (
    # what opens such a sentence, what it is about, what says that it cannot be or was not done
    (
        "क्षमा|माफ|माफ़|खेद|मुझे खेद|मैं|मुझे|एक एआई|एक ai|एक भाषा मॉडल|दुर्भाग्य|कृपया|कोई ऑडियो",
        "ऑडियो|आडियो|रिकॉर्डिंग|रिकार्डिंग|ट्रांसक्रा|ट्रांसक्रि|प्रतिलेख|लिप्यंतर|ध्वनि",
        "नहीं|असमर्थ|अक्षम|प्रदान करें|अपलोड करें|साझा करें",
    ),
    (
        "क्षमस्व|माफ|क्षमा|मला|मी|दुर्दैव|कृपया|एक एआय|एआय|कोणताही ऑडिओ",
        "ऑडिओ|ऑडियो|रेकॉर्डिंग|ट्रान्सक्रि|ट्रान्सक्रा|लिप्यंतर|प्रतिलेख",
        "नाही|नाहीत|शकत नाही|असमर्थ|अक्षम|प्रदान करा|अपलोड करा",
    ),
    (
        "দুঃখিত|ক্ষমা|মাফ|আমি|আমার|দুর্ভাগ্য|একটি এআই|অনুগ্রহ|দয়া করে|কোনো অডিও",
        "অডিও|রেকর্ডিং|ট্রান্সক্রা|ট্রান্সক্রি|প্রতিলিপি|লিপ্যন্তর",
        "পারি না|পারছি না|পারব না|পারবো না|অক্ষম|সক্ষম নই|নেই|করতে পারি না|প্রদান করুন|আপলোড করুন|শেয়ার করুন|না",
    ),
    (
        "மன்னிக்க|மன்னிப்பு|என்னால்|நான்|துரதிர்ஷ்ட|ஒரு ai|தயவு|ஆடியோ",
        "ஆடியோ|ஒலி|பதிவை|பதிவு|டிரான்ஸ்கிரி|எழுத்துப்பெயர்|படியெடு|ஒலிப்பதிவ",
        "முடியாது|முடியவில்லை|இயலாது|இயலவில்லை|இல்லை|வழங்கவும்|பதிவேற்றவும்",
    ),
    (
        "క్షమించ|మన్నించ|నేను|నాకు|దురదృష్ట|దయచేసి|ఒక ai|ఆడియో",
        "ఆడియో|రికార్డింగ్|ట్రాన్స్క్రి|ట్రాన్స్‌క్రి|లిప్యంతర",
        "లేను|లేకపోతున్నాను|చేయలేను|వినలేను|లేదు|సాధ్యం కాదు|అందించండి|అప్‌లోడ్ చేయండి",
    ),
    (
        "ಕ್ಷಮಿಸಿ|ನಾನು|ನನಗೆ|ದುರದೃಷ್ಟ|ದಯವಿಟ್ಟು|ಒಂದು ai|ಆಡಿಯೋ",
        "ಆಡಿಯೋ|ಆಡಿಯೊ|ರೆಕಾರ್ಡಿಂಗ್|ಟ್ರಾನ್ಸ್ಕ್ರಿ|ಟ್ರಾನ್ಸ್‌ಕ್ರಿ|ಲಿಪ್ಯಂತರ|ಪ್ರತಿಲಿಪಿ",
        "ಸಾಧ್ಯವಿಲ್ಲ|ಸಾಧ್ಯವಾಗುತ್ತಿಲ್ಲ|ಆಗುವುದಿಲ್ಲ|ಆಗಲಿಲ್ಲ|ಇಲ್ಲ|ಒದಗಿಸಿ|ಅಪ್‌ಲೋಡ್ ಮಾಡಿ",
    ),
    (
        "ക്ഷമിക്ക|എനിക്ക്|ഞാൻ|നിർഭാഗ്യ|ദയവായി|ഒരു ai|ഓഡിയോ",
        "ഓഡിയോ|റെക്കോർഡിംഗ്|റെക്കോർഡിങ്|ട്രാൻസ്ക്രി|ലിപ്യന്തര",
        "കഴിയില്ല|കഴിയുന്നില്ല|സാധിക്കില്ല|സാധ്യമല്ല|ഇല്ല|നൽകുക|അപ്‌ലോഡ് ചെയ്യുക",
    ),
    (
        "માફ|ક્ષમા|હું|મને|દુર્ભાગ્ય|કૃપા|એક ai|કોઈ ઓડિયો",
        "ઓડિયો|ઑડિયો|રેકોર્ડિંગ|ટ્રાન્સક્રા|ટ્રાન્સક્રિ|લિપ્યંતર|પ્રતિલિપિ",
        "નથી|અસમર્થ|શકતો નથી|શકતી નથી|પ્રદાન કરો|અપલોડ કરો",
    ),
    (
        "ਮਾਫ਼|ਮਾਫ|ਮੁਆਫ਼|ਖਿਮਾ|ਮੈਂ|ਮੈਨੂੰ|ਕਿਰਪਾ",
        "ਆਡੀਓ|ਰਿਕਾਰਡਿੰਗ|ਟ੍ਰਾਂਸਕ੍ਰਾ|ਟ੍ਰਾਂਸਕ੍ਰਿ|ਪ੍ਰਤੀਲਿਪੀ",
        "ਨਹੀਂ|ਅਸਮਰੱਥ|ਪ੍ਰਦਾਨ ਕਰੋ|ਅੱਪਲੋਡ ਕਰੋ",
    ),
    (
        "କ୍ଷମା|ଦୁଃଖିତ|ମୁଁ|ଦୟାକରି",
        "ଅଡିଓ|ରେକର୍ଡିଂ|ଟ୍ରାନ୍ସକ୍ରି|ପ୍ରତିଲିପି",
        "ପାରିବି ନାହିଁ|ପାରୁନାହିଁ|ନାହିଁ|ଅକ୍ଷମ|ପ୍ରଦାନ କରନ୍ତୁ",
    ),
    (
        "معذرت|معاف|افسوس|میں|مجھے|بدقسمتی|براہ|براہِ|ایک اے آئی",
        "آڈیو|ریکارڈنگ|ٹرانسکر|نقل حرفی|تحریر",
        "نہیں|قاصر|فراہم کریں|اپ لوڈ کریں",
    ),
    (
        "عذرا|عذرًا|آسف|أعتذر|لا يمكنني|لا أستطيع|للأسف|يرجى|الرجاء|بصفتي|كنموذج",
        "الصوت|صوتي|التسجيل|تسجيل|تفريغ|نسخ",
        "لا يمكنني|لا أستطيع|غير قادر|لا يوجد|لم|تزويدي|تقديم|تحميل|رفع",
    ),
    (
        "متاسف|متأسف|ببخشید|پوزش|من نمی|لطفا|لطفاً",
        "صوت|صوتی|ضبط|فایل",
        "نمی‌توانم|نمیتوانم|نمی توانم|قادر نیستم|ارائه|بارگذاری",
    ),
    (
        "lo siento|lo lamento|disculp|perdón|lamentable|desafortunada|como modelo|como una ia|no puedo|por favor",
        "audio|grabación|transcri|archivo de sonido",
        "no puedo|no es posible|no soy capaz|no tengo|incapaz|no se ha|no hay|no he|proporcion|adjunt|sube",
    ),
    (
        "désolé|je suis désolé|je regrette|malheureusement|excusez|en tant que|je ne peux|je ne suis|veuillez|aucun",
        "audio|enregistrement|transcri|fichier son",
        "ne peux pas|ne suis pas|ne puis|incapable|impossible|n'ai pas|aucun|veuillez|fournir",
    ),
    (
        "desculp|sinto muito|lamento|infelizmente|como um modelo|como uma ia|não posso|não consigo|por favor|nenhum",
        "áudio|audio|gravação|transcri|arquivo de som",
        "não posso|não consigo|não é possível|não sou capaz|incapaz|não tenho|não foi|nenhum|forneça|envie",
    ),
    (
        "samahani|pole|naomba radhi|kwa bahati mbaya|kama modeli|siwezi|tafadhali|hakuna",
        "sauti|rekodi|kunukuu|nukuu|nakili|faili|unukuzi",
        "siwezi|sina uwezo|haiwezekani|hakuna|siwezi|toa|pakia|tuma",
    ),
    (
        "es tut mir leid|entschuldig|leider|ich kann|als ki|als sprachmodell|bitte",
        "audio|aufnahme|transkri|tondatei",
        "nicht|keine|kein|unmöglich|bereitstellen|hochladen",
    ),
    (
        "mi dispiace|spiacente|scusa|purtroppo|non posso|come modello|per favore",
        "audio|registrazione|trascri",
        "non posso|non sono in grado|impossibile|non ho|non è|fornisci|carica",
    ),
    (
        "maaf|mohon maaf|saya tidak|sebagai model|sayangnya|silakan|tolong",
        "audio|rekaman|transkri|mentranskrip",
        "tidak dapat|tidak bisa|tidak mampu|tidak ada|berikan|unggah",
    ),
    (
        "paumanhin|pasensya|sorry|hindi ko|pakiusap",
        "audio|recording|i-transcribe|transkri",
        "hindi|walang|pakibigay",
    ),
    (
        "извин|к сожалению|прости|я не могу|как языковая|пожалуйста",
        "аудио|запис|транскри|расшифр",
        "не могу|не в состоянии|невозможно|нет|предостав|загруз",
    ),
    (
        "üzgünüm|özür|maalesef|bir yapay|lütfen",
        "ses|kayd|kayıt|transkri|yazıya",
        "edemem|edemiyorum|yapamam|yapamıyorum|dinleyemem|yok|mümkün değil|sağlayın|yükleyin",
    ),
    (
        "抱歉|对不起|對不起|很遗憾|很遺憾|作为|作為|我无法|我無法|我不能|请提供|請提供|没有",
        "音频|音頻|录音|錄音|转写|轉寫|转录|轉錄|语音|語音",
        "无法|無法|不能|没有|沒有|不支持|请提供|請提供|上传|上傳",
    ),
    (
        "申し訳|すみません|ごめん|残念|私は|音声",
        "音声|録音|文字起こし|書き起こし",
        "できません|できない|できかね|ありません|提供してください|アップロード",
    ),
    (
        "죄송|미안|유감|저는|오디오",
        "오디오|음성|녹음|전사|받아쓰기",
        "수 없|못|없습니다|제공해|업로드",
    ),
    (
        "ขออภัย|ขอโทษ|เสียใจ|ฉันไม่|ผมไม่|กรุณา|โปรด",
        "เสียง|ไฟล์|ถอดความ|ถอดเสียง|บันทึก",
        "ไม่สามารถ|ไม่ได้|ไม่มี|อัปโหลด",
    ),
    (
        "xin lỗi|rất tiếc|tôi không|là một mô hình|vui lòng",
        "âm thanh|ghi âm|phiên âm|chép lời",
        "không thể|không có|cung cấp|tải lên",
    ),
)
_CLAUSE = 120
_REFUSALS = tuple(
    re.compile(
        rf"\s*(?:{opening})(?=.{{0,{_CLAUSE}}}?(?:{about}))(?=.{{0,{2 * _CLAUSE}}}?(?:{cannot}))"
        rf"|(?=\s*(?:{opening}))(?=\s*(?:{cannot})).{{0,{_CLAUSE}}}?(?:{about})",
        re.IGNORECASE | re.DOTALL,
    )
    for opening, about, cannot in ([unicodedata.normalize("NFC", words) for words in three] for three in _OTHERS)
)


def is_refusal(text: str) -> bool:
    """Tell whether the text begins like a model that declines, in at most 500 characters."""
    if len(text) > LONGEST_REFUSAL:
        return False
    plain = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    return _ENGLISH.match(plain) is not None or any(refusal.match(plain) for refusal in _REFUSALS)
