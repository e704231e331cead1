"""Translations and remarks that models put behind a transcript: ``Translation: …``, ``(How are you?)``, ``Note: …``.

What is named so goes. A line in brackets and in another script goes when it is a sentence, or about as long as what
stands before it; a shorter one may be a name that was spoken: it stays, and ``holds_translation`` tells of it.
"""

import re
from collections.abc import Sequence

from eval_pipeline.stt_eval.language.letters import count_scripts

_TRANSLATION = r"""
    (?:(?:english|hindi|literal|approximate|rough|free|natural)\s+)?
    (?:translation|translated(?:\s+text)?|transliteration|transliterated(?:\s+text)?|romani[sz]ation
      |romani[sz]ed(?:\s+text)?|pronunciation|english\s+meaning|meaning\s+in\s+english|in\s+english)
    (?:\s+(?:in|into|to)\s+\w+)?
  | (?:(?:अंग्रेज़ी|अंग्रेजी|हिंदी|हिन्दी|इंग्रजी|मराठी)\s+(?:में\s+|मध्ये\s+)?)?(?:अनुवाद|भाषांतर|भाषान्तर|लिप्यंतरण)
  | (?:ইংরেজি\s+)?(?:অনুবাদ|লিপ্যন্তর)|(?:ஆங்கில\s+)?(?:மொழிபெயர்ப்பு|ஒலிபெயர்ப்பு)
  | (?:ఆంగ్ల\s+)?(?:అనువాదం|లిప్యంతరీకరణ)|(?:ಇಂಗ್ಲಿಷ್\s+)?(?:ಅನುವಾದ|ಲಿಪ್ಯಂತರಣ)
  | (?:ഇംഗ്ലീഷ്\s+)?(?:വിവർത്തനം|പരിഭാഷ|ലിപ്യന്തരണം)|(?:અંગ્રેજી\s+)?(?:અનુવાદ|ભાષાંતર|લિપ્યંતરણ)
  | (?:ਅੰਗਰੇਜ਼ੀ\s+)?ਅਨੁਵਾਦ|(?:ଇଂରାଜୀ\s+)?ଅନୁବାଦ|(?:انگریزی\s+)?(?:ترجمہ|ترجمة|الترجمة|ترجمه)
  | traducción(?:\s+al?\s+\w+)?|traduction(?:\s+\w+){0,2}|tradução(?:\s+\w+){0,3}|traduzione(?:\s+\w+){0,2}
  | übersetzung|terjemahan|tafsiri|pagsasalin|перевод|çeviri|翻译|翻譯|译文|翻訳|번역|คำแปล|bản\s+dịch
"""
_REMARK = r"""
    (?:(?:translator|transcriber|transcription)(?:'s|\u2019s)?\s+)?notes?|explanation|disclaimer|remarks?|summary
  | टिप्पणी|नोट|टीप|দ্রষ্টব্য|টীকা|குறிப்பு|గమనిక|ಟಿಪ್ಪಣಿ|ಗಮನಿಸಿ|കുറിപ്പ്|નોંધ|ਨੋਟ|ଟିପ୍ପଣୀ|نوٹ|ملاحظة
  | nota|remarque|hinweis|catatan|примечание|注意|备注|注|참고
"""
_FACT = r"""
    (?:(?:detected|identified|spoken)\s+)?languages?(?:\s+detected)?|confidence(?:\s+(?:score|level))?
  | (?:audio\s+)?(?:duration|quality|length)|number\s+of\s+speakers|speakers?(?:\s+(?:gender|count))?
  | tone|emotion|sentiment
  | accent|dialect|word\s+count|background\s+noise
"""
_EMPHASIS = r"[*_]{0,3}"
_BEFORE = rf"\s*(?:[-*\u2022>]\s+)?(?:\#{{1,6}}\s+)?{_EMPHASIS}"
_BEHIND = rf"(?:\s*\([^()\n]{{2,30}}\))?{_EMPHASIS}\s*"


def _line(words: str) -> "re.Pattern[str]":
    """Return the pattern of a line that begins with one of the words and a colon, or is such a word as a heading."""
    return re.compile(
        rf"{_BEFORE}[\[(]?{_EMPHASIS}(?:{words}){_BEHIND}[:\uff1a=]"
        rf"|\s*(?:\#{{1,6}}\s+{_EMPHASIS}|[*_]{{2,3}}|\[)(?:{words}){_BEHIND}\]?\s*\Z",
        re.VERBOSE | re.IGNORECASE,
    )


_TRANSLATION_LINE, _REMARK_LINE, _FACT_LINE = _line(_TRANSLATION), _line(_REMARK), _line(_FACT)
_SET_APART = re.compile(r"\s*(?:[\[(]|\#{1,6}\s|[*_]{2})")
_AT_THE_END = re.compile(
    rf"\s*[\[(]{_EMPHASIS}(?:{_TRANSLATION}|{_REMARK}|confidence){_BEHIND}[:\uff1a=-][^\[\]()]*[\])]\s*\Z",
    re.VERBOSE | re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})\s*")
_CLOSING = re.compile(
    r"""\s*(?:i\s+hope\s+(?:this|that)|(?:please\s+)?let\s+me\s+know\b|(?:please\s+)?feel\s+free|if\s+you(?:\s+need|'d\s+like|\s+have)\b
       |would\s+you\s+like|is\s+there\s+anything\s+else|do\s+you\s+(?:need|want)|please\s+note\b|\(?this\s+is\s+(?:a|the)\b[^.\n]{0,40}transcri
       |the\s+(?:audio|recording|speaker|transcri)).*""",
    re.VERBOSE | re.IGNORECASE,
)
_ABOUT_THE_TASK = re.compile(r"transcri|translat|\baudio\b|\brecording\b", re.IGNORECASE)
_WHOLE_LINE = re.compile(
    rf"\s*{_EMPHASIS}[\[(]{_EMPHASIS}\s*(?P<inside>[^\[\]()\n]+?)\s*{_EMPHASIS}[\])]{_EMPHASIS}[.\u0964]?\s*"
)
_GLOSS_AT_END = re.compile(r"[\[(](?P<inside>[^\[\]()\n]+)[\])]\W*$", re.MULTILINE)
_ENGLISH_GRAMMAR = (
    "the a an is are was were am be to of and in on at my i i'm you your he she it we they have has had for with this"
    " that there will would can not do does don't what how where when who please from about"
)
_ENGLISH = frozenset(_ENGLISH_GRAMMAR.split())
_SENTENCE_WORDS = 2
"""English words of grammar that make a few words a sentence rather than a name."""
_FEWEST_WORDS = 4
_FEWEST_FLAGGED_WORDS = 3
_FEWEST_ALIKE_WORDS = 2
_LEAST_RATIO, _MOST_RATIO = 0.6, 1.8


def without_notes(text: str) -> str | None:
    """Return the text without translations and remarks that are named as such behind it; None where there are none."""
    inline = _AT_THE_END.search(text)
    if inline is not None and text[: inline.start()].strip():
        return text[: inline.start()]
    lines = text.splitlines()
    kept = _spoken_lines(lines)
    return None if len(kept) == len(lines) or not any(line.strip() for line in kept) else "\n".join(kept)


def _spoken_lines(lines: Sequence[str]) -> list[str]:
    """Leave out notes: to the end, but where translations stand between lines of another script than their own."""
    kept: list[str] = []
    script, note, translated = None, "", False
    for number, line in enumerate(lines):
        if script is None:
            kept.append(line)
            script = main_script(line)
        elif _begins_note(lines, number, script=script):
            note, translated = line, _TRANSLATION_LINE.match(line) is not None
        elif not note or (translated and _is_spoken_again(line, script=script, note=note)):
            kept.append(line)
            note = ""
        else:
            note += line
    return kept


def _is_spoken_again(line: str, *, script: str, note: str) -> bool:
    return main_script(line) == script and main_script(_TRANSLATION_LINE.sub("", note)) not in {None, script}


def _begins_note(lines: Sequence[str], number: int, *, script: str) -> bool:
    line = lines[number]
    if _TRANSLATION_LINE.match(line):
        return True
    behind_blank = not lines[number - 1].strip()
    if _REMARK_LINE.match(line):
        return behind_blank or _SET_APART.match(line) is not None
    rest = [one for one in lines[number:] if one.strip()]
    if rest and all(_FACT_LINE.match(one) for one in rest):
        return True
    if _RULE.fullmatch(line):
        return bool(rest[1:]) and all(is_comment(one, script=script) for one in rest[1:])
    return behind_blank and _CLOSING.match(line) is not None and all(is_comment(one, script=script) for one in rest)


def is_comment(line: str, *, script: str) -> bool:
    """Tell whether a line is a model's own: in English below another script, or of what it was asked to do."""
    foreign = script != "Latn" and main_script(line) == "Latn"
    return foreign or _ABOUT_THE_TASK.search(line) is not None or bool(_REMARK_LINE.match(line))


def without_bracketed_translation(text: str) -> str | None:
    """Return the text without lines in brackets that say it again in another script; None where there are none."""
    lines = text.splitlines()
    inside = {number: found["inside"] for number, line in enumerate(lines) if (found := _WHOLE_LINE.fullmatch(line))}
    spoken = " ".join(line for number, line in enumerate(lines) if number not in inside)
    script = main_script(spoken)
    again = {number: said for number, said in inside.items() if main_script(said) not in {None, script}}
    if script is None or not again or not _says_it_again(" ".join(again.values()), spoken=spoken):
        return None
    return "\n".join(line for number, line in enumerate(lines) if number not in again)


def _says_it_again(said: str, *, spoken: str) -> bool:
    """Tell whether words in another script are a translation or a transliteration rather than a spoken name."""
    words, others = said.split(), len(spoken.split())
    grammar = sum(word.strip(".,!?\"'").casefold() in _ENGLISH for word in words)
    if main_script(said) == "Latn" and grammar >= _SENTENCE_WORDS and len(words) >= _FEWEST_FLAGGED_WORDS:
        return True
    return len(words) >= _FEWEST_WORDS and _LEAST_RATIO * others <= len(words) <= _MOST_RATIO * others


def holds_translation(text: str) -> bool:
    """Tell whether some of a text may say the rest again: lines, or brackets at their end, in another script."""
    script = main_script(next((line for line in text.splitlines() if main_script(line)), ""))
    candidates = [line for line in text.splitlines() if main_script(line) != script]
    candidates += [found["inside"] for found in _GLOSS_AT_END.finditer(text)]
    return any(
        main_script(said) not in {None, script} and _is_long(len(said.split()), others=len(text.split()))
        for said in candidates
    )


def _is_long(words: int, *, others: int) -> bool:
    """Tell whether so many words are more than a name among the words of the whole text."""
    alike = words >= _FEWEST_ALIKE_WORDS and _LEAST_RATIO * (others - words) <= words <= _MOST_RATIO * (others - words)
    return words >= _FEWEST_FLAGGED_WORDS or alike


def main_script(text: str) -> str | None:
    """Return the script that most letters of a text are of; None where it has no letter."""
    counts = count_scripts(text)
    return max(counts, key=lambda script: counts[script]) if counts else None
