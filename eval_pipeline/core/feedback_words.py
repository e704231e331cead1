"""The words of a verdict: comments, names of reviewers and error tags, checked before anything is recorded."""

import unicodedata
from collections.abc import Iterable

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback import ErrorTag
from eval_pipeline.core.names import TURNING, shown

MAX_COMMENT_CHARACTERS = 5_000
MAX_REVIEWER_CHARACTERS = 100
_LONGER_BEFORE_COMPOSING = 4  # composing leaves at least a quarter of the characters
_KEPT = "\n\t"
_LINE_ENDS = str.maketrans({"\r": "\n", "\u2028": "\n", "\u2029": "\n"})


def checked_comment(text: str) -> str | None:
    """Return a comment in its one form; None for a blank one."""
    normal = one_form(text)
    _check_length(normal, what="the comment", limit=MAX_COMMENT_CHARACTERS)
    _check_characters(normal, what="the comment", kept=_KEPT)
    return normal or None


def one_form(text: str) -> str:
    """Return the form in which comments are kept and compared: NFC, without outer blanks, lines ended by line feeds."""
    _check_length(text, what="the comment", limit=MAX_COMMENT_CHARACTERS * _LONGER_BEFORE_COMPOSING)
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_LINE_ENDS)).strip()


def checked_reviewer(name: str) -> str:
    """Return the NFC form of a reviewer's name without outer blanks: one line that shows as what it is."""
    _check_length(name, what="the reviewer's name", limit=MAX_REVIEWER_CHARACTERS * _LONGER_BEFORE_COMPOSING)
    normal = unicodedata.normalize("NFC", name).strip()
    _check_length(normal, what="the reviewer's name", limit=MAX_REVIEWER_CHARACTERS)
    _check_characters(normal, what="the reviewer's name", kept="")
    if not normal:
        raise _invalid("the reviewer has no name", hint="give one: --reviewer NAME")
    if any(unicodedata.bidirectional(character) in TURNING for character in normal):
        raise _invalid(
            f"the reviewer's name {shown(normal)} holds a character that turns the direction of text",
            hint="give the name without it",
        )
    return normal


def checked_tags(names: Iterable[str]) -> tuple[ErrorTag, ...]:
    """Read error tags, in the order of their definition, each once."""
    found = {_tag(name) for name in names}
    return tuple(tag for tag in ErrorTag if tag in found)


def _tag(name: str) -> ErrorTag:
    try:
        return ErrorTag(name.strip().lower().replace(" ", "_"))
    except ValueError as error:
        raise _invalid(f"there is no error tag {shown(name)}", hint=f"use {', '.join(ErrorTag)}") from error


def _check_length(text: str, *, what: str, limit: int) -> None:
    if len(text) > limit:
        raise _invalid(f"{what} has {len(text):,} characters", hint=f"at most {limit:,} are kept: shorten it")


def _check_characters(text: str, *, what: str, kept: str) -> None:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in kept:
            raise _invalid(
                f"{what} holds the control character U+{ord(character):04X}: {shown(text)}",
                hint="type the text anew, or paste it as plain text",
            )


def _invalid(problem: str, *, hint: str) -> UsageError:
    return UsageError(problem, code="invalid_verdict", hint=hint)
