"""The language that models name before what was said in it: ``[hi] …``, ``(Hindi) …``, ``**Hindi:** …``, ``hi: …``.

A word in brackets can be speech. Only what names a language goes, and only before text in a script of that language;
a code that is also a word in Latin letters ("[it] works") stays.
"""

import re
from collections.abc import Mapping

from eval_pipeline.stt_eval.language.language_table import LANGUAGES, SYNONYMS
from eval_pipeline.stt_eval.language.languages import primary_subtag, scripts
from eval_pipeline.stt_eval.language.letters import count_scripts

_OWN_NAMES: Mapping[str, str] = {
    "hi": "हिंदी हिन्दी",
    "mr": "मराठी",
    "ne": "नेपाली",
    "sa": "संस्कृत",
    "bn": "বাংলা বাঙলা",
    "as": "অসমীয়া",
    "ta": "தமிழ்",
    "te": "తెలుగు",
    "kn": "ಕನ್ನಡ",
    "ml": "മലയാളം",
    "gu": "ગુજરાતી",
    "pa": "ਪੰਜਾਬੀ",
    "or": "ଓଡ଼ିଆ ଓଡ଼ିଆ",
    "ur": "اردو",
    "ar": "العربية عربي",
    "fa": "فارسی",
    "si": "සිංහල",
    "en": "अंग्रेज़ी अंग्रेजी इंग्रजी ইংরেজি ஆங்கிலம் ఆంగ్లం ಇಂಗ್ಲಿಷ್ ഇംഗ്ലീഷ് અંગ્રેજી ਅੰਗਰੇਜ਼ੀ انگریزی inglés anglais inglês",
    "es": "español",
    "fr": "français",
    "pt": "português",
    "de": "deutsch",
    "sw": "kiswahili",
    "ru": "русский",
    "zh": "中文 汉语",
    "ja": "日本語",
    "ko": "한국어",
    "th": "ไทย ภาษาไทย",
}
_CODES_BY_NAME: Mapping[str, str] = {
    **{name.casefold(): code for code, (name, _) in LANGUAGES.items()},
    **{name.casefold(): code for code, names in _OWN_NAMES.items() for name in names.split()},
    "mandarin": "zh",
    "farsi": "fa",
    "oriya": "or",
    "tagalog": "tl",
}
_LATIN = "Latn"
_LATIN_CODES = frozenset({"en", "eng", "fr", "fra", "spa", "por", "sw", "swa", "deu"})
"""Codes of languages in Latin letters that are no words of any."""
_AROUND = re.compile(
    r"(?:(?:(?:detected|spoken)\s+)?(?:language|lang|locale)\s*[:=]?\s*|(?:speaking|speaks|spoken|said)\s+(?:in\s+)?|in\s+)?"
    r"(?P<name>.+?)(?:\s+(?:language|speech|audio))?(?:\s*\([^()]{2,20}\))?",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?P<language>[A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?")
_INSIDE = r"[^\[\](){}<>\n\uff3b\uff3d\u3010\u3011]{2,40}"
_IN_ROUND = r"(?:\s*\([^()\n]{2,20}\))?"
_EMPHASIS = r"[*_]{0,3}"
_BRACKETED = re.compile(
    rf"{_EMPHASIS}(?:\[(?P<square>{_INSIDE}{_IN_ROUND})\]|\((?P<round>{_INSIDE})\)|<(?P<angle>{_INSIDE})>"
    rf"|\u3010(?P<lens>{_INSIDE})\u3011){_EMPHASIS}[ \t]*[:\uff1a]?{_EMPHASIS}\s*"
)
_LABEL = re.compile(
    rf"(?P<open>[*_#]{{0,3}})[ \t]?(?P<name>[^\[\](){{}}<>\n:\uff1a*_|]{{2,40}}?{_IN_ROUND})(?P<close>{_EMPHASIS})"
    rf"[ \t]?[:\uff1a]{_EMPHASIS}\s*"
)
_FEWEST_LETTERS_OF_A_NAME = 4


def language_named(mark: str) -> str | None:
    """Return the code of the language that a mark names and nothing else, as a tag or by name; None for other words.

    >>> language_named("hi-IN"), language_named("in Hindi"), language_named("hin_Deva"), language_named("hello")
    ('hi-IN', 'hi', 'hin-Deva', None)
    """
    found = _AROUND.fullmatch(mark.strip(" \t*_."))
    name = found["name"].strip(" \t*_") if found else ""
    if (code := _CODES_BY_NAME.get(name.casefold())) is not None:
        return code
    tag = _CODE.fullmatch(name)
    if tag is None:
        return None
    language = tag["language"].lower()
    return name.replace("_", "-") if SYNONYMS.get(language, language) in LANGUAGES else None


def is_written_in(text: str, code: str) -> bool:
    """Tell whether most letters of a text are of the scripts of a language; a text without letters is in none."""
    counts, expected = count_scripts(text), _scripts(code)
    own = sum(counts.get(script, 0) for script in expected)
    return own > 0 and 2 * own > counts.total()


def _scripts(code: str) -> tuple[str, ...]:
    primary = primary_subtag(code)
    return scripts(code) or scripts(SYNONYMS.get(primary, primary))


def without_languages(text: str) -> str | None:
    """Return the text without the languages that it names before what was said in them; None where it names none."""
    bare = _without_bracketed(text)
    if bare is not None:
        return bare
    return _without_labels(text.split("\n"))


def _without_bracketed(text: str) -> str | None:
    """Take off marks in brackets: the first must begin the text, and each stand before text in its language."""
    marks = list(_BRACKETED.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    going = [mark for mark, end in zip(marks, ends, strict=False) if _is_mark(mark, behind=text[mark.end() : end])]
    if not going or going[0].start() != 0:
        return None
    starts = [mark.end() for mark in going]
    return "".join(
        text[start:end] for start, end in zip(starts, [*(m.start() for m in going[1:]), len(text)], strict=True)
    )


def _is_mark(mark: "re.Match[str]", *, behind: str) -> bool:
    inside = next(part for part in mark.groups() if part is not None)
    code = language_named(inside)
    if code is None or not is_written_in(behind, code):
        return False
    is_code = _CODE.fullmatch(inside.strip()) is not None and inside.strip().casefold() not in _CODES_BY_NAME
    return not is_code or _LATIN not in _scripts(code) or "-" in code or code.lower() in _LATIN_CODES


def _without_labels(lines: list[str]) -> str | None:
    """Take off languages with a colon before lines: the first line must have one that is none of its words."""
    labels = [_language_label(lines, number) for number in range(len(lines))]
    first = labels[0]
    if first is None or not (_is_apart(first, lines[0]) or sum(label is not None for label in labels) > 1):
        return None
    return "\n".join(line if label is None else line[label.end() :] for line, label in zip(lines, labels, strict=True))


def _language_label(lines: list[str], number: int) -> "re.Match[str] | None":
    """Return the label of a line that is a language in which the line, or what follows a label alone, is written."""
    label = _LABEL.match(lines[number])
    code = language_named(label["name"]) if label else None
    if label is None or code is None:
        return None
    behind = lines[number][label.end() :].strip()
    said = behind or next((line for line in lines[number + 1 :] if line.strip()), "")
    return label if is_written_in(said, code) else None


def _is_apart(label: "re.Match[str]", line: str) -> bool:
    """Tell whether a label is no part of what is said: set apart, or foreign to what follows it."""
    behind = line[label.end() :]
    if label["open"] or label["close"] or not behind.strip():
        return True
    foreign = set(count_scripts(label["name"])) == {_LATIN} and not is_written_in(behind, "en")
    return foreign and (len(label["name"]) >= _FEWEST_LETTERS_OF_A_NAME or label["name"].islower())
