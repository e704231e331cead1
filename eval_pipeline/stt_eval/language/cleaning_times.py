"""Subtitles and time stamps, which models put beside what was said when nobody asked for them.

A clock time can be spoken: only what stands at the beginning of lines in a row, or is written as subtitles are, goes.
"""

import math
import re
from itertools import pairwise

_CLOCK = (
    r"(?:\d{1,2}:\d{2}:\d{2}[:;]\d{2}|(?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?|(?:\d{1,3}h)?\d{1,3}m\d{1,2}s"
    r"|\d{1,5}(?:\.\d{1,3})?\s?s)"
)
_TO = r"(?:-->|->|-|\u2013|\u2014|~|\u2192|to)"
RANGE = rf"{_CLOCK}(?:\s*{_TO}\s*{_CLOCK})?"
_CUE = re.compile(
    rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:[ \t]+(?:align|position|line|size|vertical|region|[XY][12]):\S+)*\s*"
)
"""Where a cue is, and how it is placed; what follows on its line is said."""
_HEADING = re.compile(r"\s*(?:\ufeff)?(?:(?:WEBVTT|NOTE|STYLE|REGION)\b|Kind:|Language:).*")
_SUBTITLE_TAG = re.compile(rf"</?(?:c|v|i|b|u|lang|ruby|rt)(?:[.\s][^<>]*)?>|<{_CLOCK}>|\{{\\an?\d\}}")
_SAID_TIME = (
    r"\s*(?:बजे|बजकर|बज\b|वाजता|वाजले|বাজে|টায়|মিনিট|மணி|గంట|ಗಂಟೆ|മണി|વાગ્યે|વાગે|ਵਜੇ|بجے|o['\u2019]?clock\b|[ap]\.?m\b|uhr\b)"
)
"""What follows a time that somebody said."""
_STAMP = re.compile(
    rf"\s*(?:[-*\u2022]\s+)?(?:\[\s*{RANGE}\s*\]|\(\s*{RANGE}\s*\)|{RANGE})(?=\s|[:\-\u2013\u2014|\]]|$)"
    rf"(?!{_SAID_TIME})\s*[:|\-\u2013\u2014]?\s*"
)
_FIRST_STAMP = re.compile(
    rf"\s*(?:\[\s*{RANGE}\s*\]|\(\s*{RANGE}\s*\)|{_CLOCK}\s*(?:-->|\u2013|-)\s*{_CLOCK}|0{{1,2}}:00(?:[.,:]\d+)*(?=\s)(?!{_SAID_TIME})"
    r"|\d{1,5}\.\d{1,3}\s*(?:-->|\u2013|-)\s*\d{1,5}\.\d{1,3}(?=\s*[:|]))\s*[:|]?\s*"
)
_SCRIPT_LINE = re.compile(r"^Dialogue:\s*(?:[^,\n]*,){9}(?P<said>.*)$", re.MULTILINE)
_SCRIPT_TAG = re.compile(r"\{\\[^{}]*\}|\\[Nnh]")
_ANYWHERE = re.compile(rf"\[\s*{RANGE}\s*\]|{_CLOCK}\s*-->\s*{_CLOCK}|^\s*{_CLOCK}(?=\s)", re.MULTILINE)
_INLINE = re.compile(
    rf"\[\s*(?P<square>{_CLOCK})(?:\s*{_TO}\s*{_CLOCK})?\s*\]|\(\s*(?P<round>{_CLOCK})(?:\s*{_TO}\s*{_CLOCK})?\s*\)"
    rf"|(?<![\w:.,])(?P<bare>{_CLOCK})(?:\s*{_TO}\s*{_CLOCK})?(?![\w:])"
)
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)?")
FEWEST_LINES = 2


def without_subtitles(text: str) -> str | None:
    """Return the text of SRT, WebVTT or SubStation cues; None where there are none."""
    if scripted := [_SCRIPT_TAG.sub(" ", found["said"]).strip() for found in _SCRIPT_LINE.finditer(text)]:
        return " ".join(said for said in scripted if said)
    lines = text.splitlines()
    cues = [number for number, line in enumerate(lines) if _CUE.match(line)]
    if not cues:
        return None
    kept = [_SUBTITLE_TAG.sub("", _CUE.sub("", line, count=1)) for line in _spoken_lines(lines, cues=cues)]
    return " ".join(line.strip() for line in kept if line.strip())


def _spoken_lines(lines: list[str], *, cues: list[int]) -> list[str]:
    """Leave out times, the number or name above each, and what stands before the first."""
    names = {cue - 1 for cue in cues if cue and (lines[cue - 1].strip().isdigit() or _is_alone(lines, cue - 1))}
    heads = [line for line in lines[: cues[0]] if not _HEADING.fullmatch(line)]
    first = [line for number, line in enumerate(heads) if number not in names]
    return first + [line for number, line in enumerate(lines) if number >= cues[0] and number not in names]


def _is_alone(lines: list[str], number: int) -> bool:
    """Tell whether a line is the name of a cue: a word alone behind a blank line."""
    return len(lines[number].split()) == 1 and (number == 0 or not lines[number - 1].strip())


def without_time_stamps(text: str) -> str | None:
    """Return the text without the time that every line begins with; None where not every line does.

    A single line needs brackets, a range or the time zero: "10:30 बजे" is speech.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    stamps = [_STAMP.match(line) for line in lines]
    if len(lines) >= FEWEST_LINES and (all(stamps) or _alternate(lines)):
        kept = [
            line[stamp.end() :].strip() if stamp else line.strip() for line, stamp in zip(lines, stamps, strict=True)
        ]
        if said := "\n".join(line for line in kept if line):
            return said
    inline = _without_inline(text)
    if inline is not None:
        return inline
    first = _FIRST_STAMP.match(text)
    return text[first.end() :] if first else None


def _without_inline(text: str) -> str | None:
    """Return a text without times that run through it, later and later, from its beginning on."""
    found = list(_INLINE.finditer(text))
    if len(found) < FEWEST_LINES or found[0].start() != 0:
        return None
    seconds = [_seconds(stamp["round"] or stamp["square"] or stamp["bare"]) for stamp in found]
    bare = any(stamp["bare"] for stamp in found)
    if (bare and seconds[0] != 0) or any(one >= other for one, other in pairwise(seconds)):
        return None
    return " ".join(part for part in map(str.strip, _INLINE.sub("\n", text).split("\n")) if part)


def _seconds(clock: str) -> float:
    """Read the time at which a stretch begins."""
    numbers = [float(number.replace(",", ".")) for number in _NUMBERS.findall(clock)]
    return math.fsum(number * 60.0**place for place, number in enumerate(reversed(numbers)))


def _alternate(lines: list[str]) -> bool:
    """Tell whether times stand on lines of their own, from the first line on."""
    alone = [number for number, line in enumerate(lines) if (stamp := _STAMP.match(line)) and stamp.end() == len(line)]
    stamped = [number for number, line in enumerate(lines) if _STAMP.match(line)]
    return len(alone) >= FEWEST_LINES and alone == stamped and alone[0] == 0


def holds_time_stamps(text: str) -> bool:
    """Tell whether times of a recording are left in a text."""
    return len(_ANYWHERE.findall(text)) >= FEWEST_LINES
