"""Markers in transcripts that are no speech: ``<unk>``, ``(background noise)``, ``[हँसी]``, ``<|hi|>``.

Only what is known to be one: people and models put words that were spoken in brackets, too.
"""

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache
from itertools import chain

from eval_pipeline.stt_eval.language.marker_words import (
    AROUND,
    MARKUP,
    NOISES,
    NOT_UNDERSTOOD,
    NOT_UNDERSTOOD_WITH_OTHERS,
    PHRASES_APART,
    PHRASES_NOT_UNDERSTOOD,
    SPEAKERS,
    TOKENS_OF_MODELS,
    UNHEARD_BARE,
)
from eval_pipeline.stt_eval.language.normalisation_indic import fold_spellings

LONGEST_MARKER = 100
"""A bracket that closes later than this many characters is no marker: text is kept rather than lost."""

_OPENING, _CLOSING = "[<({\uff3b\uff08\u3010\u3008", "]>)}\uff3d\uff09\u3011\u3009"
_ASTERISK = "*"
_INSIDE = rf"[^{re.escape(_OPENING + _CLOSING)}]{{1,{LONGEST_MARKER}}}"
_TIME = r"\d{1,3}(?::\d{2}){1,2}(?:[.,]\d{1,3})?|\d{1,6}\.\d{1,3}"
_TIMES = re.compile(rf"(?:{_TIME})(?:\s*(?:-->|-|\u2013|~|to)\s*(?:{_TIME}))?")
_BRACKETED = re.compile(
    "|".join(
        [
            rf"\[\s*(?:{_TIME})\s*-->\s*(?:{_TIME})\s*\]",
            rf"\*{{1,2}}[^*\n{re.escape(_OPENING + _CLOSING)}]{{1,{LONGEST_MARKER}}}\*{{1,2}}",
            *(f"{re.escape(one)}{_INSIDE}{re.escape(other)}" for one, other in zip(_OPENING, _CLOSING, strict=True)),
        ]
    )
)
_TAG_NAME = r"[A-Za-z][\w:.-]*"
_CLOSED_TAG = re.compile(rf"/\s*{_TAG_NAME}|{_TAG_NAME}(?:\s+[\w:-]+=[^\s=]+)*\s*/", re.ASCII)
_OPENED_TAG = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9]*)(?:[.\s].*)?", re.ASCII | re.DOTALL)
_ATTRIBUTED_TAG = re.compile(
    rf"{_TAG_NAME}(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'|[^\s=]+))+|[A-Za-z]+[:=][\w-]+", re.ASCII
)
_SPEAKER = re.compile(rf"(?:{'|'.join(sorted(SPEAKERS.split(), key=len, reverse=True))})\s(?:\w|\d{{1,3}})")


_TOKENS, _ELEMENTS = frozenset(TOKENS_OF_MODELS.split()), frozenset(MARKUP.split())


class MarkerKind(Enum):
    """What a marker says."""

    APART = auto()
    """Something besides speech: a noise, a speaker, a time, a model's own token."""
    NOT_UNDERSTOOD = auto()
    """There was speech, which nobody could write down."""


def split_at_markers(text: str) -> list[str]:
    """Return text and markers by turns, text first and last; a text without markers is the only part.

    The parts of a text with brackets are NFC: a ``<`` can be half of another sign.
    """
    if not any(opening in text for opening in _OPENING + _ASTERISK):
        return [text]
    composed = unicodedata.normalize("NFC", text)
    parts, end = [], 0
    for found in _BRACKETED.finditer(composed):
        if marker_kind(found[0]) is not None:
            parts += [composed[end : found.start()], found[0]]
            end = found.end()
    return [*parts, composed[end:]]


def without_markers(text: str) -> str:
    """Return the text with a space for every marker."""
    parts = split_at_markers(text)
    return text if len(parts) == 1 else " ".join(parts[::2])


def says_not_understood(text: str) -> bool:
    """Tell whether a marker in the text says that there was speech which nobody could write down."""
    return any(marker_kind(marker) is MarkerKind.NOT_UNDERSTOOD for marker in split_at_markers(text)[1::2])


def is_unheard_bare(text: str) -> bool:
    """Tell whether the whole text is a word for what nobody understood, without brackets around it.

    >>> is_unheard_bare("Inaudible."), is_unheard_bare("it was inaudible")
    (True, False)
    """
    return len(text) <= LONGEST_MARKER and _folded(text).strip() in _BARE


@lru_cache(maxsize=4096)
def marker_kind(bracketed: str) -> MarkerKind | None:
    """Tell what brackets with their content say; None where it may have been spoken.

    >>> marker_kind("[background noise]").name, marker_kind("[2]"), marker_kind("(अस्पष्ट)").name
    ('APART', None, 'NOT_UNDERSTOOD')
    """
    inside = bracketed[1:-1].strip(" *\t\n")
    by_form = _kind_by_form(inside, opening=bracketed[0])
    if by_form is not None:
        return by_form
    words = _folded(inside).split()
    if not words:
        return None
    phrase = " ".join(words)
    if phrase in _PHRASES:
        return MarkerKind.NOT_UNDERSTOOD
    if phrase in _NOTHING_SAID:
        return MarkerKind.APART
    if _SPEAKER.fullmatch(phrase):
        return MarkerKind.APART
    return _kind_by_words(words) if all(word in _KNOWN or word.isdigit() for word in words) else None


def _kind_by_words(words: list[str]) -> MarkerKind | None:
    """Tell what known words say together; of some a single one says nothing."""
    if any(word in _UNHEARD for word in words) or (
        len(words) > 1 and any(word in _UNHEARD_WITH_OTHERS for word in words)
    ):
        return MarkerKind.NOT_UNDERSTOOD
    return MarkerKind.APART if any(word in _HEARD for word in words) else None


def _kind_by_form(inside: str, *, opening: str) -> MarkerKind | None:
    """Tell markers by how they are written: tokens of models, markup, times."""
    if opening == "<" and inside[:1] == inside[-1:] == "|":
        return MarkerKind.APART
    if inside and not inside.strip("? "):
        return MarkerKind.NOT_UNDERSTOOD
    name = inside.strip("|!/ ").casefold()
    if name in _TOKENS and (opening == "<" or (opening == "[" and inside.isupper())):
        return MarkerKind.NOT_UNDERSTOOD if name in _UNHEARD else MarkerKind.APART
    if opening in "[<\uff3b" and _TIMES.fullmatch(inside):
        return MarkerKind.APART
    return MarkerKind.APART if opening == "<" and _is_markup(inside) else None


def _is_markup(inside: str) -> bool:
    if _CLOSED_TAG.fullmatch(inside) or _ATTRIBUTED_TAG.fullmatch(inside):
        return True
    opened = _OPENED_TAG.fullmatch(inside)
    return opened is not None and opened["name"].lower() in _ELEMENTS


def _folded(text: str) -> str:
    """Return the words of a marker in one spelling, numbers apart: ``NOISE_1`` is ``noise 1``."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LMN" else " "
        for character in fold_spellings(unicodedata.normalize("NFKC", text).casefold())
        if unicodedata.category(character) != "Cf"
    )
    return _NUMBER_BEHIND.sub(" ", kept)


_NUMBER_BEHIND = re.compile(r"(?<=\D)(?=\d)")


def _all_words(texts: list[str]) -> frozenset[str]:
    return frozenset(chain.from_iterable(_folded(text).split() for text in texts))


_HEARD = _all_words(list(NOISES.values()))
_UNHEARD = _all_words(list(NOT_UNDERSTOOD.values()))
_UNHEARD_WITH_OTHERS = _all_words([NOT_UNDERSTOOD_WITH_OTHERS])
_PHRASES = frozenset(" ".join(_folded(phrase).split()) for phrase in PHRASES_NOT_UNDERSTOOD)
_NOTHING_SAID = frozenset(" ".join(_folded(phrase).split()) for phrase in PHRASES_APART)
_BARE = frozenset(_folded(word).strip() for word in UNHEARD_BARE)
_KNOWN = _HEARD | _UNHEARD | _UNHEARD_WITH_OTHERS | _all_words([AROUND])
