"""Text that is not what somebody wrote: question marks for letters, replacement characters, errors of a spreadsheet.

A program on the way lost it and wrote something in its place, which would be evaluated as if it were meant. Nothing is
repaired here: what was lost is not in the text any more.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

_SHOWN_PLACES = 10
_FEWEST_ROWS_TO_REFUSE = 3
"""Of fewer rows the damaged ones are told, and the file is taken: there is no "most" of two."""


class Damage(StrEnum):
    """What happened to a text."""

    QUESTION_MARKS = "question_marks"
    """Saved in an encoding that has not these letters."""
    REPLACEMENT = "replacement"
    """U+FFFD: read in an encoding that it was not written in."""
    MISREAD = "misread"
    """UTF-8 that was read as a Western European encoding, and saved as that."""
    SPREADSHEET_ERROR = "spreadsheet_error"
    PLACEHOLDER = "placeholder"
    """What programs write for "nothing"."""
    MAYBE_MEANT = "maybe_meant"
    """A word that programs write for "nothing", and people as an answer."""


SAYS: Mapping[Damage, str] = {
    Damage.QUESTION_MARKS: "hold question marks for letters, as text that was saved in an encoding without them",
    Damage.REPLACEMENT: "hold U+FFFD (�), which stands for letters that were lost",
    Damage.MISREAD: "hold UTF-8 that was read as another encoding (à¤… or Ã© instead of letters)",
    Damage.SPREADSHEET_ERROR: "hold an error of a spreadsheet (such as #NAME?) instead of text",
    Damage.PLACEHOLDER: "hold what programs write for nothing (such as nan or null), and cannot be scored against",
    Damage.MAYBE_MEANT: "hold a word that programs write for nothing and people as an answer (None, nil, N/A)",
}
"""Completes "N rows …"."""
REMEDIES: Mapping[Damage, str] = {
    Damage.QUESTION_MARKS: "save the original again as CSV UTF-8",
    Damage.REPLACEMENT: "export the original again as CSV UTF-8",
    Damage.MISREAD: "export the original again as CSV UTF-8, or open it as UTF-8",
    Damage.SPREADSHEET_ERROR: "mend the formulas, or put an apostrophe before text that begins with = + - or @",
    Damage.PLACEHOLDER: "leave the cell empty or remove the row",
    Damage.MAYBE_MEANT: "it counts as it stands; remove the row unless the word is meant",
}

_SPREADSHEET_ERROR = re.compile(
    r"#(?:NAME\?|REF!|N/A(?: N/A)?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!"
    r"|GETTING_DATA|ERROR!|EXTERNAL!|PYTHON!|TIMEOUT!|BEZUG!|WERT!|NV|NOM\s?\?|VALEUR!|¡VALOR!|¡REF!|¿NOMBRE\?|\#{2,})"
    r"|Err:5\d\d|Loading\.\.\.",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(["nan", "null", "nat", "<na>", "(null)", "undefined", "[object object]", "\\n"])
_MAYBE_MEANT = frozenset(["none", "nil", "n/a"])
_LOST = frozenset({Damage.SPREADSHEET_ERROR, Damage.PLACEHOLDER})
"""Damage of a text as a whole."""
_LONGEST_CELL_OF_A_PROGRAM = 40
_FEWEST_MARKS = 2
_FEWEST_MARKS_BETWEEN_WORDS = 3
"""Two behind a space end a question in French."""
_REPLACEMENT = "\ufffd"
_ESCAPED_REPLACEMENTS = ("ï¿½", "\\ufffd", "\\uFFFD")
_CP1252 = {character: byte for byte in range(0x80, 0x100) for character in bytes([byte]).decode("cp1252", "ignore")}
_WESTERN_BYTES = {**{chr(byte): byte for byte in range(0x80, 0x100)}, **_CP1252}
_WESTERN_RUN = re.compile(f"[{re.escape(''.join(_WESTERN_BYTES))}]{{2,}}")


def damage_of(text: str) -> Damage | None:
    """Tell what a text shows to have happened to it; None where it looks whole.

    >>> damage_of("What??"), damage_of("????? ?? ???"), damage_of(" #NAME? "), damage_of("nan")
    (None, <Damage.QUESTION_MARKS: 'question_marks'>, <Damage.SPREADSHEET_ERROR: 'spreadsheet_error'>, \
<Damage.PLACEHOLDER: 'placeholder'>)
    """
    bare = text.strip()
    if len(bare) <= _LONGEST_CELL_OF_A_PROGRAM:
        if _SPREADSHEET_ERROR.fullmatch(bare):
            return Damage.SPREADSHEET_ERROR
        if bare.casefold() in _PLACEHOLDERS:
            return Damage.PLACEHOLDER
        if bare.casefold() in _MAYBE_MEANT:
            return Damage.MAYBE_MEANT
    if _REPLACEMENT in bare or any(escaped in bare for escaped in _ESCAPED_REPLACEMENTS):
        return Damage.REPLACEMENT
    if "??" in bare and _marks_stand_for_words(bare):
        return Damage.QUESTION_MARKS
    return Damage.MISREAD if not bare.isascii() and _is_misread(bare) else None


def is_lost(text: str) -> bool:
    """Tell whether too little is left of a text to hold anything against it: a marker, or damage in half of its words.

    >>> is_lost("nan"), is_lost("???? ?? 5"), is_lost("मेरा ??? है"), is_lost("None"), is_lost("donâ€™t run")
    (True, True, False, False, True)
    """
    damage = damage_of(text)
    if damage is None or damage is Damage.MAYBE_MEANT:
        return False
    words = text.split()
    return damage in _LOST or 2 * sum(map(_is_damaged_word, words)) >= len(words)


class DamagedRows:
    """Counts the damaged rows of a file as they pass by, each once, and remembers where the first of them are.

    Args:
        noun: of what is looked at, as in "2 rows hold …".
    """

    def __init__(self, *, noun: str) -> None:
        self._noun = noun
        self._counts: Counter[Damage] = Counter()
        self._places: dict[Damage, list[str]] = {}
        self._rows = 0

    def see(self, place: str, *texts: str | None) -> None:
        """Look at the texts of a row; ``place`` names it, as in "line 3"."""
        self._rows += 1
        damage = next((found for text in texts if text and (found := damage_of(text)) is not None), None)
        if damage is None:
            return
        self._counts[damage] += 1
        places = self._places.setdefault(damage, [])
        if len(places) < _SHOWN_PLACES:
            places.append(place)

    def warnings(self) -> tuple[str, ...]:
        """Say of each kind of damage how many rows have it, which, and what helps."""
        return tuple(f"{self._told(damage)}; {REMEDIES[damage]}" for damage in Damage if damage in self._counts)

    def most(self) -> tuple[str, str] | None:
        """Return problem and remedy when more than half of the rows are damaged; words for "nothing" are told alone."""
        words = frozenset({Damage.PLACEHOLDER, Damage.MAYBE_MEANT})
        damaged = [damage for damage in Damage if damage in self._counts and damage not in words]
        count = sum(self._counts[damage] for damage in damaged)
        if self._rows < _FEWEST_ROWS_TO_REFUSE or 2 * count <= self._rows:
            return None
        told = "; ".join(map(self._told, damaged))
        return f"most of it is damaged, {count:,} of {self._rows:,}: {told}", REMEDIES[damaged[0]]

    def _told(self, damage: Damage) -> str:
        count, places = self._counts[damage], self._places[damage]
        more = f" and {count - len(places):,} more" if count > len(places) else ""
        noun, verb = (
            (self._noun, SAYS[damage]) if count > 1 else (self._noun.removesuffix("s"), _singular(SAYS[damage]))
        )
        return f"{count:,} {noun} {verb}: {', '.join(places)}{more}"


def _is_damaged_word(word: str) -> bool:
    return _is_of_marks(word) or damage_of(word) in {Damage.REPLACEMENT, Damage.MISREAD}


def _singular(verb: str) -> str:
    return verb.replace("hold ", "holds ", 1)


def _marks_stand_for_words(text: str) -> bool:
    """Tell question marks where words should be from those that ask: ``what ???`` asks, ``what ??? what`` does not."""
    words = text.split()
    of_marks = [number for number, word in enumerate(words) if _is_of_marks(word)]
    if not of_marks:
        return False
    if len(of_marks) > 1 or len(words) == 1:
        return True
    only = of_marks[0]
    return only < len(words) - 1 and len(words[only]) >= _FEWEST_MARKS_BETWEEN_WORDS


def _is_of_marks(word: str) -> bool:
    kept = [character for character in word if character == "?" or unicodedata.category(character)[0] in "LMNS"]
    return len(kept) >= _FEWEST_MARKS and set(kept) == {"?"}


def _is_misread(text: str) -> bool:
    return any(map(_is_utf8_read_as_western, _WESTERN_RUN.findall(text)))


def _is_utf8_read_as_western(run: str) -> bool:
    """Tell whether characters of Western encodings are, as bytes, UTF-8: nobody writes such rows of accents."""
    as_bytes = bytes(_WESTERN_BYTES[character] for character in run)
    for start in range(len(as_bytes)):
        if as_bytes[start] >= 0xC2:  # noqa: PLR2004 - the first byte that begins a character of UTF-8
            return _begins_with_utf8(as_bytes[start:])
    return False


def _begins_with_utf8(as_bytes: bytes) -> bool:
    length = 2 if as_bytes[0] < 0xE0 else 3 if as_bytes[0] < 0xF0 else 4  # noqa: PLR2004 - as UTF-8 has it
    try:
        return bool(as_bytes[:length].decode("utf-8"))
    except UnicodeDecodeError:
        return False
