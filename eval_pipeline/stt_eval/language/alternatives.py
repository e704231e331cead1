"""References that allow more than one way to say a thing, in the notation of NIST's sclite.

``{ doctor / डॉक्टर }`` allows either, ``{ uh / @ }`` allows nothing, groups may be nested. The notation is read before
any normalisation, which would take its marks for punctuation. As in sclite (``doc/infmts.htm`` of SCTK), every slash
inside of braces separates, ``@`` standing alone is no word anywhere, and outside of braces a slash is text.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.values import value

MAX_DEPTH: Final = 10
_NOTHING: Final = re.compile(r"(?<!\S)@(?!\S)")
_MARKS: Final = re.compile(r"[{}/]")
_SHOWN_AROUND: Final = 25
_HINT: Final = "write alternatives as { doctor / डॉक्टर }, nothing as @; braces have no other use in a reference"


@value
class Alternatives:
    """A place where a reference may go on in one of several ways, in the order in which they are written."""

    options: tuple["Reference", ...]


@value
class Reference:
    """A reference as text and alternatives in turn; without any segment it expects silence."""

    segments: tuple[str | Alternatives, ...]

    @property
    def has_alternatives(self) -> bool:
        """Whether there is anything to choose."""
        return any(isinstance(segment, Alternatives) for segment in self.segments)


@dataclass(slots=True)
class _Group:
    """Alternatives that are being read."""

    opened: int
    options: list[Reference] = field(default_factory=list)
    segments: list[str | Alternatives] = field(default_factory=list)


def parse_reference(text: str) -> Reference:
    """Read a reference; alternatives that are not closed, empty or alone are refused with their place."""
    groups = [_Group(opened=-1)]
    for start, mark in _pieces(text):
        match mark:
            case "{":
                _require_border(text, start - 1)
                groups.append(_Group(opened=start))
                if len(groups) > MAX_DEPTH + 1:
                    raise _malformed(text, start, problem=f"nests alternatives more than {MAX_DEPTH} deep")
            case "/" if len(groups) > 1:
                _end_option(groups[-1], text, start)
            case "}":
                _close(groups, text, start)
            case _:
                _add_text(groups[-1].segments, mark)
    if len(groups) > 1:
        raise _malformed(text, groups[-1].opened, problem="opens a brace and does not close it")
    return Reference(_finished(groups[0].segments))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    end = 0
    for mark in _MARKS.finditer(text):
        if mark.start() > end:
            yield end, text[end : mark.start()]
        yield mark.start(), mark.group()
        end = mark.end()
    if end < len(text):
        yield end, text[end:]


def _add_text(segments: list[str | Alternatives], text: str) -> None:
    """Join text to the text before it, since a slash outside of braces is read as a piece of its own."""
    if segments and isinstance(segments[-1], str):
        segments[-1] += text
    else:
        segments.append(text)


def _finished(segments: list[str | Alternatives]) -> tuple[str | Alternatives, ...]:
    """Return the segments without what says nothing."""
    plain = (_NOTHING.sub("", segment).strip() if isinstance(segment, str) else segment for segment in segments)
    return tuple(segment for segment in plain if segment)


def _end_option(group: _Group, text: str, position: int) -> None:
    if all(isinstance(segment, str) and not segment.strip() for segment in group.segments):
        raise _malformed(text, position, problem="has an empty alternative before this place")
    group.options.append(Reference(_finished(group.segments)))
    group.segments = []


def _close(groups: list[_Group], text: str, position: int) -> None:
    if len(groups) == 1:
        raise _malformed(text, position, problem="closes a brace that was not opened")
    group = groups.pop()
    _end_option(group, text, position)
    if len(group.options) == 1:
        raise _malformed(text, group.opened, problem="has braces with a single alternative")
    _require_border(text, position + 1)
    groups[-1].segments.append(Alternatives(tuple(group.options)))


def _require_border(text: str, position: int) -> None:
    """Refuse braces inside of a word: alternatives are whole words, and ``re{ad / d}`` would be scored as two."""
    if 0 <= position < len(text) and unicodedata.category(text[position])[0] in "LMN":
        raise _malformed(text, position, problem="has a brace that touches a word")


def _malformed(text: str, position: int, *, problem: str) -> UsageError:
    around = text[max(0, position - _SHOWN_AROUND) : position + _SHOWN_AROUND]
    return UsageError(
        f"the reference {problem}: character {position + 1:,}, near {shown(around)}",
        code="malformed_alternatives",
        hint=_HINT,
    )
