"""One word or two: dotted abbreviations, and numbers with their units; a matter of the writer's habit in any script.

Separate because they look at a whole written word, where the other folds of ``lenient`` look at its letters.
"""

import re
import unicodedata

_DOTS = ".\uff0e\u0970"
"""Full stop, its wide form, and the abbreviation sign of Devanagari."""
_RUN = re.compile(rf"[^\s{_DOTS}]+(?:[{_DOTS}][^\s{_DOTS}]+)+[{_DOTS}]?")
_DOT = re.compile(f"[{_DOTS}]")
_LETTERS_OF_A_PART = 3
_CLUSTERS_OF_A_PART = 2
_FEWEST_DOTS = 2
_DOUBLE_U = frozenset({"डब्ल्यू", "डब्लू", "ডব্লিউ", "ડબ્લ્યુ", "ਡਬਲਯੂ", "டபிள்யூ", "డబ్ల్యూ", "ಡಬ್ಲ್ಯೂ", "ഡബ്ല്യു"})
"""The longest name of a letter."""
_VIRAMAS = frozenset(chr(block + 0x4D) for block in range(0x0900, 0x0D80, 0x80))
_NUMBER_BESIDE_A_LETTER = re.compile(r"(?<=[0-9])(?=[^\W\d_])|(?<=[^\s0-9])(?=[0-9])")


def join_abbreviation(written: str) -> str:
    """Write ``A.T.M.`` as ``ATM``, ``ए.टी.एम.`` as ``एटीएम``; takes one written word.

    Dots also end sentences whose writer forgot the space: one dot joins single letters of a script with capitals, two
    and more join parts of at most three letters, or two clusters where a script has no capitals.
    """
    if len(_DOT.findall(written)) == 0:
        return written
    return _RUN.sub(lambda run: _joined(run[0]), written)


def part_numbers(text: str) -> str:
    """Write a number and what is written on to it as two tokens: ``5किमी`` is ``5 किमी``; takes the standard form."""
    return _NUMBER_BESIDE_A_LETTER.sub(" ", text)


def _joined(run: str) -> str:
    opening = _leading_signs(run)
    closing = _leading_signs(run[::-1])
    bare = run[opening : len(run) - closing] if closing else run[opening:]
    ended = bool(_DOT.match(run[len(run) - closing :])) if closing else False
    parts = _DOT.split(bare)
    if len(parts) < _FEWEST_DOTS or not all(map(_is_of_letters, parts)):
        return run
    dots = len(parts) - 1 + ended
    if not (_are_initials(parts) or (dots >= _FEWEST_DOTS and all(map(_is_short, parts)))):
        return run
    tail = run[len(run) - closing + ended :] if closing else ""
    return run[:opening] + "".join(parts) + tail


def _leading_signs(text: str) -> int:
    """Count the punctuation and symbols that a text begins with."""
    return next((at for at, character in enumerate(text) if unicodedata.category(character)[0] not in "PS"), len(text))


def _is_of_letters(part: str) -> bool:
    return bool(part) and all(unicodedata.category(character)[0] in "LM" for character in part)


def _are_initials(parts: list[str]) -> bool:
    return all(_has_capitals(part) and len(_letters(part)) == 1 for part in parts)


def _is_short(part: str) -> bool:
    if _has_capitals(part):
        return len(_letters(part)) <= _LETTERS_OF_A_PART
    return part in _DOUBLE_U or _clusters(part) <= _CLUSTERS_OF_A_PART


def _has_capitals(part: str) -> bool:
    return part.upper() != part.lower()


def _letters(part: str) -> list[str]:
    return [character for character in part if unicodedata.category(character)[0] == "L"]


def _clusters(part: str) -> int:
    """Count letters with the marks on them; what a virama joins is one."""
    return sum(
        unicodedata.category(character)[0] == "L" and part[at - 1 : at] not in _VIRAMAS
        for at, character in enumerate(part)
    )
