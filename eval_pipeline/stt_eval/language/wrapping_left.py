"""What is still around a transcript after cleaning, where nobody can tell how to take it off without losing speech."""

import re
from collections import Counter

_DATA = re.compile(r"""\s*(?:[\[(]\s*)*\{\s*["'][^"'\n]{1,60}["']\s*:""")
_MARKS = re.compile(
    r"""```|-->|^\s*WEBVTT\b|^Dialogue:\s*\d+,|</[A-Za-z][\w:.-]*\s*>|^\s*\|?(?:\s*:?-{3,}:?\s*\|)+
      | ^\s*[*_]{0,3}(?:transcript|transcription|translation|transliteration|note|english|romani[sz]ed)\b
        [^:\n]{0,30}[:\uff1a]""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_FIRST_WORD = re.compile(
    r"\s*(?:text|output|result|answer|response|content|speaker|narrator|male|female|man|woman|voice|caller|agent"
    r"|customer|doctor|patient|teacher|student|पाठ|টেক্সট|உரை|టెక్స్ట్|ಪಠ್ಯ|متن)(?:\ ?\d{1,3})?\s?[:\uff1a](?=\s)",
    re.IGNORECASE,
)
"""A label, or the first word that was said."""
_NAMED_LINE = re.compile(
    r"\s*[*_]{0,3}(?P<name>[^\s:\uff1a,.!?\u0964][^:\uff1a,.!?\u0964\n]{0,30}?)[*_]{0,3}\s?[:\uff1a](?=\s)"
)
_FEWEST_LINES = 2


def holds_wrapping(text: str) -> bool:
    """Tell whether a text still looks like data, markup, subtitles or labelled parts."""
    found = _DATA.match(text) or _FIRST_WORD.match(text) or _MARKS.search(text)
    return found is not None or _names_speakers(text)


def _names_speakers(text: str) -> bool:
    """Tell whether all lines begin with a name and a colon, and somebody has the word twice."""
    lines = [line for line in text.splitlines() if line.strip()]
    names = [found["name"] for line in lines if (found := _NAMED_LINE.match(line))]
    return len(names) == len(lines) >= _FEWEST_LINES and max(Counter(names).values()) >= _FEWEST_LINES
