"""The labels that models put before a transcript, such as ``Here is the transcript:``, in some languages.

What they put behind it is in ``cleaning_translations``, the language alone in ``cleaning_languages``.
"""

import re

_ENGLISH = r"""
    (?:(?:sure|certainly|okay|ok|of\ course)[,.!]?\s+)?
    (?:(?:here\ is|here's|here\u2019s|this\ is|below\ is|the\ following\ is)\s+)?
    (?:(?:the|a|your)\s+)?
    (?:(?:verbatim|full|complete|exact|requested|audio|english|hindi|marathi|gujarati|punjabi|bengali|odia|tamil|telugu
          |kannada|malayalam|urdu)\s+){0,2}
    (?:transcript|transcription|transcribed\ text)
    (?:\s+(?:of|for|from)\s+(?:the|this|your)\s+(?:provided\ |attached\ )?
       (?:audio|recording|clip|speech|file)(?:\s+(?:file|clip|recording))?)?
    (?:\s*,?\s*(?:in|into|written\ in)\s+(?:the\s+)?(?:original\s+)?\w+
       (?:\s+(?:script|language|\([^()\n]{2,30}\))){0,2})?
    (?:\s*\([^()\n]{2,30}\))?
"""
_INTRODUCED = r"""
    (?:(?:sure|certainly|okay|ok|of\ course)[,.!]?\s+)?
    (?:here\ is|here's|here\u2019s|this\ is|below\ is|the\ following\ is)\s[^:.!?\n]{0,60}?
    (?:transcript|transcription|transcribed|json|(?:was|is|were)\ (?:said|spoken|heard)|spoken\ (?:text|words)
      |i\ (?:heard|hear))
    [^:.!?\n]{0,80}
"""
_CHATTER = r"""
    (?:(?:sure|certainly|okay|ok|of\ course)[,.!]?\s+)?here\ you\ go
  | (?:the\ )?(?:(?:audio|verbatim|full)\ )?(?:transcript|transcription|audio)
    \ (?:reads|says|follows|is(?:\ as\ follows)?)
  | i\ heard(?:\ the\ following)? | original\ (?:text|transcript|speech|audio) | original(?=\s*:\s*[^\x00-\x7f])
  | (?:final|corrected|cleaned|raw|recogni[sz]ed)\ (?:transcript|transcription|text|answer)
  | asr\ (?:output|result|transcript) | audio\ (?:text|content)
"""
_ON_ITS_LINE = r"(?:text|output|answer|result|response|audio|speech|content|spoken\ text|utterance)"
"""May be the first word that was said, unless it stands alone."""
_SAID = r"""
    (?:in\ (?:the|this)\ (?:audio|recording|clip),?\s+)?the\ (?:audio|recording|clip|speaker|person|voice)
    (?:\ in\ (?:the|this)\ (?:audio|recording|clip))?\ (?:says|said|is\ saying|states)
"""
_SAID_OTHERWISE = r"""
    (?:ऑडियो|आडियो|रिकॉर्डिंग|वक्ता|स्पीकर|क्लिप|ऑडिओ|ध्वनिमुद्रण)[^:\uff1a।\n]{0,40}
      (?:कह\ रह|कहता|कहती|कहते|कहा\ गया|कहा\ जा|बोल\ रह|बोला\ गया|म्हणत)[^:\uff1a।\n]{0,20}
  | (?:অডিও|রেকর্ডিং|বক্তা)[^:\uff1a।\n]{0,40}(?:বল|কথা)[^:\uff1a।\n]{0,20}
  | (?:ஆடியோ|பேச்சாளர்)[^:\uff1a\n]{0,40}(?:கூற|சொல்)[^:\uff1a\n]{0,20}
  | (?:ఆడియో|వక్త)[^:\uff1a\n]{0,40}(?:చెప్ప|అన్)[^:\uff1a\n]{0,20}|(?:ಆಡಿಯೋ|ಭಾಷಣಕಾರ)[^:\uff1a\n]{0,40}ಹೇಳ[^:\uff1a\n]{0,20}
  | (?:ઓડિયો|વક્તા)[^:\uff1a\n]{0,40}કહ[^:\uff1a\n]{0,20}|(?:آڈیو|اسپیکر)[^:\uff1a\n]{0,40}کہ[^:\uff1a\n]{0,20}
"""
_LANGUAGE_LINE = r"""
    (?:detected\s+)?language\s*[:=]\s*[^\W\d_]+(?:\ [^\W\d_]+)?(?:\s*\([\w-]{2,12}\))?\s*\n\s*(?:text\s*:\s*)?
"""
_FACT_LINE = r"""
    (?:confidence(?:\s+score)?|(?:audio\s+)?duration|audio\s+file|file(?:\s*name)?|model|date|number\ of\ speakers
      |speakers?)\s*[:=]\s*[^\n]{1,60}
    \n\s*(?=\S[^\n]{0,40}[:\uff1a])
"""
"""Before another label alone: the last of them is that of the transcript."""
_HEADING = r"""
    (?:\#{1,6}\s+|[*_]{2,3}|\[|[=-]{2,}\s*)
    (?:(?:verbatim|full|audio|hindi|english|original)\s+)?(?:transcript|transcription)
    [*_]{0,3}\]?(?:\s*[=-]{2,})?\s*\n\s*
  | (?-i:(?:(?:Verbatim|Full|Audio|Hindi|English|Original)\ )?
      (?:Transcript|Transcription|TRANSCRIPT|TRANSCRIPTION))[ \t]*\n\s*
"""
_STEMS = (
    "प्रतिलेख|ट्रांसक्रि|ट्रान्सक्रि|ट्रांस्क्रि|लिप्यंतर|लिप्यांतर|लिखित रूप|लिखित पाठ|सबटाइटल|उपशीर्षक|प्रतिलिपि"
    "|লিপ্যন্তর|প্রতিলিপি|ট্রান্সক্রি|ট্রান্সক্রা|অনুলিপি|ਟ੍ਰਾਂਸਕ੍ਰਿ|ਪ੍ਰਤੀਲਿਪੀ|ટ્રાન્સક્રિ"
    "|ટ્રાંસ્ક્રિ|લિપ્યંતર|પ્રતિલિપિ|ଟ୍ରାନ୍ସକ୍ରି|ପ୍ରତିଲିପି|டிரான்ஸ்கிரி|ட்ரான்ஸ்கிரி|படியெடு"
    "|எழுத்து வடிவ|ట్రాన్స్క్రి|ట్రాన్స్‌క్రి|లిప్యంతర|ప్రతిలేఖన|ಟ್ರಾನ್ಸ್ಕ್ರಿ|ಟ್ರಾನ್ಸ್‌ಕ್ರಿ"
    "|ಪ್ರತಿಲಿಪಿ|ಪ್ರತಿಲೇಖ|ಲಿಪ್ಯಂತರ|ട്രാൻസ്ക്രി|ലിപ്യന്തര|ٹرانسکر|نقل حرفی|متن کی نقل|تحریری متن"
    "|transcripci|transcriç|transcripti|trascrizion|transkript|transkrip|unukuzi|nakala ya"
    "|maandishi ya sauti|транскрип|расшифров|النص المكتوب|نسخة نصية|التفريغ|文字起こし|書き起こし|文字稿|转写"
    "|轉寫|转录|轉錄|필사본|전사|প্ৰতিলিপি|transkrypcj|bản ghi|bản chép|phiên âm|บทถอด|ถอดความ|ถอดเสียง|පිටපත|ግልባጭ"
    "|metin dökümü|תמלול|رونوشت|متن پیاده"
)
_OPENERS = (
    "यह|यहाँ|यहां|ये|नीचे|निम्न|ऑडियो|दिए गए|दी गई|ज़रूर|जरूर|बिल्कुल|निश्चित|ठीक है|हिंदी"
    "|हिन्दी|मराठी|येथे|खाली|हे|हा|ही|दिलेल्या|नक्की|এখানে|এই|নিচে|অডিও|প্রদত্ত|অবশ্যই|বাংলা"
    "|ਇਹ|ਇੱਥੇ|ਹੇਠ|ਆਡੀਓ|અહીં|આ |નીચે|ઓડિયો|ଏହା|ଏଠାରେ|ଅଡିଓ|இதோ|இங்கே|ஆடியோ|கீழே|தமிழ்|ఇక్కడ"
    "|ఇదిగో|ఆడియో|క్రింద|తెలుగు|ಇಲ್ಲಿ|ಆಡಿಯೋ|ಕೆಳಗ|ಕನ್ನಡ|ഇതാ|ഇവിടെ|ഓഡിയോ|താഴെ|یہ|یہاں|آڈیو|نیچے"
    "|ضرور|اردو|aquí|a continuación|esta es|la |claro|por supuesto|voici|ci-dessous|bien sûr"
    "|aqui|segue|abaixo|esta é|a |claro,|ecco|hier|hapa|hii|ifuatayo|berikut|ini|вот|ниже|هذا"
    "|هذه|إليك|فيما يلي|以下|这是|這是|これ|다음|여기"
)
_ENDING = r"[^\s:\uff1a.!?\u0964]{0,16}"
_CLAUSE = r"[^:\uff1a.!?\u0964\n]{0,80}"
_STEMS_PATTERN, _OPENERS_PATTERN = (names.replace(" ", r"\ ") for names in (_STEMS, _OPENERS))
_EMPHASIS = r"[*_]{0,3}"
_LABEL = re.compile(
    rf"""(?:\#{{1,6}}\s+)?{_EMPHASIS}
         (?:{_ENGLISH}|{_INTRODUCED}|{_CHATTER}|{_SAID}|{_SAID_OTHERWISE}|(?:{_STEMS_PATTERN}){_ENDING}
           |(?:{_OPENERS_PATTERN}){_CLAUSE}(?:{_STEMS_PATTERN}){_CLAUSE})
         {_EMPHASIS}[ \u00a0]?[:\uff1a]{_EMPHASIS}\s*
       | (?-i:Transcript(?:ion)?)\s[-\u2013\u2014]\s
       | {_LANGUAGE_LINE} | {_FACT_LINE} | {_HEADING}
       | {_EMPHASIS}{_ON_ITS_LINE}{_EMPHASIS}[ \u00a0]?[:\uff1a]{_EMPHASIS}[ \t]*\n\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def without_label(text: str) -> str | None:
    """Return the text behind a leading label with its colon; None where there is no label."""
    label = _LABEL.match(text)
    return None if label is None else text[label.end() :]
