# ruff: noqa: RUF001 - words of many languages
"""Names of speakers before what they said, such as ``Speaker 1:`` and ``[वक्ता 2, 00:14]``.

A number or a letter beside a word for who speaks tells a label from speech; other words are labels only where every
line has one: "Student 5: absent" may have been said.
"""

import re

from eval_pipeline.stt_eval.language.cleaning_times import FEWEST_LINES, RANGE

_SPEAKERS = (
    "speaker|spk|spkr|वक्ता|स्पीकर|বক্তা|স্পিকার|பேச்சாளர்|ஸ்பீக்கர்|వక్త|స్పీకర్|ಭಾಷಣಕಾರ|ಸ್ಪೀಕರ್|സ്പീക്കർ|വക്താവ്|વક્તા|સ્પીકર"
    "|ਬੁਲਾਰਾ|ਸਪੀਕਰ|ବକ୍ତା|ସ୍ପିକର|مقرر|اسپیکر|المتحدث|متحدث|گوینده|hablante|orador|locutor|locuteur|intervenant|falante"
    "|msemaji|mzungumzaji|sprecher|sprecherin|pembicara|спикер|говорящий|konuşmacı|说话人|話者|话者|說話人|发言人"
    "|スピーカー|화자|참석자|ผู้พูด|người nói"
)
_PARTS = "person|voice|participant|respondent|interviewer|interviewee|व्यक्ति|प्रश्नकर्ता|persona|personne|pessoa"
"""Names of parts in a conversation, which have a number only there."""
_ROLES = (
    f"{_PARTS}|host|guest|moderator|agent|caller|customer"
    "|doctor|patient|teacher|student|male|female|man|woman|user|assistant|narrator|operator"
    "|पुरुष|महिला|डॉक्टर|मरीज|मरीज़|ग्राहक|एजेंट"
)
_DIGITS = r"[ _#-]?\d{1,3}"
_NUMBER = rf"(?:{_DIGITS}|[ _#-](?-i:[A-Z]))"
"""Which one; a letter stands apart: "doctors:" is speech."""
_EMPHASIS = r"[*_]{0,2}"
_ASIDE = rf"(?:\s*[,\u2013-]?\s*[\[(]?(?:{RANGE})[\])]?|\s*\([^()\n]{{1,20}}\))?"


def _numbered(words: str, *, number: str) -> str:
    """Return the pattern of one of the words with a number and a colon."""
    return (
        rf"{_EMPHASIS}[\[(]?(?:{words}){number}{_ASIDE}[\])]?{_EMPHASIS}\s*(?:[\[(]{RANGE}[\])]\s*)?"
        rf"[:\uff1a]{_EMPHASIS}\s*"
    )


_NUMBERED_SPEAKER = re.compile(
    rf"(?<!\S){_numbered(_SPEAKERS, number=_NUMBER)}|^\s*{_numbered(_PARTS, number=_DIGITS)}"
    rf"|^\s*{_EMPHASIS}[\[(]?(?:{_SPEAKERS}){_NUMBER}{_ASIDE}[\])]?{_EMPHASIS}\s*\n"
    rf"|\A\s*{_EMPHASIS}[\[(]?(?:unknown|unidentified)\ speaker[\])]?{_EMPHASIS}\s*[:\uff1a]{_EMPHASIS}\s*"
    rf"|^\s*[\[(](?:{_SPEAKERS}){_NUMBER}{_ASIDE}[\])]\s*",
    re.IGNORECASE | re.MULTILINE,
)
_SPEAKER_LINE = re.compile(
    rf"\s*{_EMPHASIS}(?:(?:{_SPEAKERS}|{_ROLES})(?:{_NUMBER})?|[A-Z]\d?)\s*{_EMPHASIS}[:\uff1a]{_EMPHASIS}\s*",
    re.IGNORECASE,
)


def without_speakers(text: str) -> str | None:
    """Return the text without who speaks: numbered labels anywhere, others where every line has one."""
    bare = _NUMBERED_SPEAKER.sub("", text)
    if bare != text:
        return bare
    lines = [line for line in text.splitlines() if line.strip()]
    labels = [_SPEAKER_LINE.match(line) for line in lines]
    if len(lines) < FEWEST_LINES or not all(labels):
        return None
    return "\n".join(line[label.end() :] for line, label in zip(lines, labels, strict=True) if label)
