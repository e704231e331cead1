"""Subtitles, time stamps and names of speakers, which models put beside what was said when nobody asked for them.

A clock time can be spoken: only what stands at the beginning of lines in a row, or is written as subtitles are, goes.
"""

import re

_CLOCK = r"(?:(?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?|(?:\d{1,3}h)?\d{1,3}m\d{1,2}s|\d{1,5}(?:\.\d{1,3})?\s?s)"
_RANGE = rf"{_CLOCK}(?:\s*(?:-->|-|\u2013|\u2014|~|to)\s*{_CLOCK})?"
_CUE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_HEADING = re.compile(r"\s*(?:\ufeff)?(?:WEBVTT|NOTE|STYLE|REGION|Kind:|Language:)\b.*")
_SUBTITLE_TAG = re.compile(rf"</?(?:c|v|i|b|u|lang|ruby|rt)(?:[.\s][^<>]*)?>|<{_CLOCK}>|\{{\\an?\d\}}")
_STAMP = re.compile(
    rf"\s*(?:[-*\u2022]\s+)?(?:\[\s*{_RANGE}\s*\]|\(\s*{_RANGE}\s*\)|{_RANGE})(?=\s|[:\-\u2013\u2014|\]]|$)\s*[:|\-\u2013\u2014]?\s*"
)
_FIRST_STAMP = re.compile(
    rf"\s*(?:\[\s*{_RANGE}\s*\]|\(\s*{_RANGE}\s*\)|0{{1,2}}:00(?:[.,:]\d+)*(?=\s)|{_CLOCK}\s*(?:-->|\u2013|-)\s*{_CLOCK})\s*"
)
_ANYWHERE = re.compile(rf"\[\s*{_RANGE}\s*\]|{_CLOCK}\s*-->\s*{_CLOCK}|^\s*{_CLOCK}(?=\s)", re.MULTILINE)
_FEWEST_LINES = 2

_SPEAKER_WORDS = (
    "speaker|spk|person|voice|participant|respondent|interviewer|interviewee|host|guest|moderator|agent|caller|customer"
    "|doctor|patient|teacher|student|male|female|man|woman|user|assistant|narrator|operator"
    "|वक्ता|स्पीकर|व्यक्ति|पुरुष|महिला|डॉक्टर|मरीज|मरीज़|ग्राहक|एजेंट|प्रश्नकर्ता"
    "|বক্তা|স্পিকার|பேச்சாளர்|వక్త|ಭಾಷಣಕಾರ|സ്പീക്കർ|વક્તા|ਬੁਲਾਰਾ|مقرر|اسپیکر"
    "|hablante|orador|persona|locuteur|intervenant|personne|falante|orador|pessoa|msemaji|sprecher|sprecherin"
)
_NUMBER = r"[ _#-]?(?:\d{1,3}|[A-Z])"
_EMPHASIS = r"[*_]{0,2}"
_NUMBERED_SPEAKER = re.compile(
    rf"(?<!\S){_EMPHASIS}[\[(]?(?:{_SPEAKER_WORDS}){_NUMBER}[\])]?{_EMPHASIS}\s*(?:[\[(]{_RANGE}[\])]\s*)?[:\uff1a]{_EMPHASIS}\s*",
    re.IGNORECASE,
)
_SPEAKER_LINE = re.compile(
    rf"\s*{_EMPHASIS}(?:(?:{_SPEAKER_WORDS})(?:{_NUMBER})?|[A-Z]\d?)\s*{_EMPHASIS}[:\uff1a]{_EMPHASIS}\s*",
    re.IGNORECASE,
)


def without_subtitles(text: str) -> str | None:
    """Return the text of SRT or WebVTT cues; None where there are none."""
    lines = text.splitlines()
    cues = [number for number, line in enumerate(lines) if _CUE.fullmatch(line)]
    if not cues:
        return None
    kept = [_SUBTITLE_TAG.sub("", line) for line in _spoken_lines(lines, cues=cues)]
    return " ".join(line.strip() for line in kept if line.strip())


def _spoken_lines(lines: list[str], *, cues: list[int]) -> list[str]:
    """Leave out times, the number or name above each, and what stands before the first."""
    names = {cue - 1 for cue in cues if cue and (lines[cue - 1].strip().isdigit() or _is_alone(lines, cue - 1))}
    heads = [line for line in lines[: cues[0]] if not _HEADING.fullmatch(line)]
    first = [line for number, line in enumerate(heads) if number not in names]
    return first + [line for number, line in enumerate(lines) if number > cues[0] and number not in {*cues, *names}]


def _is_alone(lines: list[str], number: int) -> bool:
    """Tell whether a line is the name of a cue: a word alone behind a blank line."""
    return len(lines[number].split()) == 1 and (number == 0 or not lines[number - 1].strip())


def without_time_stamps(text: str) -> str | None:
    """Return the text without the time that every line begins with; None where not every line does.

    A single line needs brackets, a range or the time zero: "10:30 बजे" is speech.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    stamps = [_STAMP.match(line) for line in lines]
    if len(lines) >= _FEWEST_LINES and (all(stamps) or _alternate(lines)):
        kept = [
            line[stamp.end() :].strip() if stamp else line.strip() for line, stamp in zip(lines, stamps, strict=True)
        ]
        return "\n".join(line for line in kept if line)
    first = _FIRST_STAMP.match(text)
    return text[first.end() :] if first else None


def _alternate(lines: list[str]) -> bool:
    """Tell whether times stand on lines of their own, from the first line on."""
    alone = [number for number, line in enumerate(lines) if (stamp := _STAMP.match(line)) and stamp.end() == len(line)]
    stamped = [number for number, line in enumerate(lines) if _STAMP.match(line)]
    return len(alone) >= _FEWEST_LINES and alone == stamped and alone[0] == 0


def without_speakers(text: str) -> str | None:
    """Return the text without who speaks: numbered labels anywhere, others where every line has one."""
    bare = _NUMBERED_SPEAKER.sub("", text)
    if bare != text:
        return bare
    lines = [line for line in text.splitlines() if line.strip()]
    labels = [_SPEAKER_LINE.match(line) for line in lines]
    if len(lines) < _FEWEST_LINES or not all(labels):
        return None
    return "\n".join(line[label.end() :] for line, label in zip(lines, labels, strict=True) if label)


def holds_time_stamps(text: str) -> bool:
    """Tell whether times of a recording are left in a text."""
    return len(_ANYWHERE.findall(text)) >= _FEWEST_LINES
