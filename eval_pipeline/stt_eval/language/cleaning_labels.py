"""The labels that models put before a transcript, such as ``Here is the transcript:``, in some languages."""

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
"""
_OTHERS = (
    "प्रतिलेख",
    "प्रतिलेखन",
    "ट्रांसक्रिप्ट",
    "ट्रांसक्रिप्शन",
    "ट्रान्सक्रिप्ट",
    "लिप्यंतरण",
    "প্রতিলিপি",
    "ট্রান্সক্রিপ্ট",
    "ট্রান্সক্রিপশন",
    "ਟ੍ਰਾਂਸਕ੍ਰਿਪਟ",
    "ટ્રાન્સક્રિપ્ટ",
    "டிரான்ஸ்கிரிப்ட்",
    "ట్రాన్స్క్రిప్ట్",
    "ಪ್ರತಿಲಿಪಿ",
    "ಟ್ರಾನ್ಸ್ಕ್ರಿಪ್ಟ್",
    "ട്രാൻസ്ക്രിപ്റ്റ്",
    "ٹرانسکرپٹ",
    "transcripción",
    "transcrição",
    "trascrizione",
    "transkript",
    "transkription",
    "transkrip",
    "transkripsi",
    "транскрипция",
    "расшифровка",
    "文字起こし",
    "文字稿",
    "转写",
    "转录",
)
_EMPHASIS = r"[*_]{0,3}"
_LABEL = re.compile(
    rf"""(?:\#{{1,6}}\s+)?{_EMPHASIS}
         (?:{_ENGLISH}|{"|".join(_OTHERS)})
         {_EMPHASIS}[ \u00a0]?[:\uff1a]{_EMPHASIS}\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def without_label(text: str) -> str | None:
    """Return the text behind a leading label with its colon; None where there is no label."""
    label = _LABEL.match(text)
    return None if label is None else text[label.end() :]
