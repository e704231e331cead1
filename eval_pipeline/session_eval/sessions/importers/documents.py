"""From the bytes of a file to its JSON values, one after the other, in memory that does not grow with the file.

JSON Lines, one JSON list, one object that holds a list under a known name, and objects written one after the other over
many lines: which of them it is, is seen from the content, never from the name.
"""

import codecs
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.record import BadLine, Record
from eval_pipeline.session_eval.sessions.json_text import UnreadableJsonError, read_json

MAX_VALUE_CHARACTERS: Final = 256_000_000
"""Of one value; it has to be in memory."""
STREAMED: Final = frozenset({"samples", "resourceSpans", "resourceLogs", "data", "observations", "traces", "sessions"})
"""Lists of an outermost object that may be long: their entries are records."""
_BLANKS: Final = b" \t\r\n\xef\xbb\xbf\x1e"
"""Space, and the mark of UTF-8."""
_CHUNK_BYTES: Final = 1 << 20
_MOST_LINE_BYTES: Final = 64 << 20
"""A longer first line is a document on one line."""
_SPACE: Final = re.compile(r"[ \t\r\n\ufeff\x1e]*")
_BETWEEN: Final = re.compile(r"[ \t\r\n\ufeff\x1e,]*")


class _Line(NamedTuple):
    number: int
    data: bytes
    is_whole: bool


def records(file: BinaryIO, *, origin: str) -> Iterator[Record | BadLine]:
    """Yield the values of a file, or why one cannot be read.

    Args:
        file: open for reading bytes, at its beginning.
        origin: what records are to know their file by.
    """
    first = _first_line(file)
    if first is None:
        return
    if first.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield BadLine(first.number, "it is UTF-16; save it as UTF-8")
        return
    if first.is_whole and _is_json_line(first.data):
        yield _of_line(first.number, first.data, origin=origin)
        for number, line in enumerate(file, start=first.number + 1):
            if not line.isspace():
                yield _of_line(number, line, origin=origin)
        return
    yield from _spread(_Text(first.data, iter(partial(file.read, _CHUNK_BYTES), b"")), origin=origin)


def _first_line(file: BinaryIO) -> _Line | None:
    """Return the first line that says something; of a document in one line, its beginning."""
    number = 0
    while data := file.readline(_CHUNK_BYTES):
        number += 1
        said = data.lstrip(_BLANKS)
        while said and not data.endswith(b"\n") and not said.startswith(b"[") and len(data) < _MOST_LINE_BYTES:
            more = file.readline(_CHUNK_BYTES)  # a session may be a line of many megabytes
            if not more:
                break
            data += more
            said += more
        if said:
            return _Line(number, said, is_whole=data.endswith(b"\n") or len(data) < _MOST_LINE_BYTES)
    return None


def _is_json_line(line: bytes) -> bool:
    """Tell a line that is a value of its own from the first one of a document over many lines.

    A list on one line is a document: its entries are the records.
    """
    if line.startswith(b"["):
        return False
    if not line.startswith(b"{"):
        return True
    try:
        value = read_json(line).value
    except UnreadableJsonError:
        # a broken first line of many ends as an object does, or holds more than an opening
        return len(line.strip()) > 1 and not line.rstrip().endswith((b"{", b"[", b",", b":"))
    return not (STREAMED & value.keys() and any(isinstance(value[key], list) for key in STREAMED & value.keys()))


def _of_line(number: int, data: bytes, *, origin: str) -> Record | BadLine:
    try:
        read = read_json(data)
    except UnreadableJsonError as error:
        return BadLine(number, str(error))
    return Record(number, read.value, origin, note=read.note)


class _Text:
    """Text that comes line by line, of which a decoder sees as much as it needs."""

    def __init__(self, head: bytes, rest: Iterator[bytes]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._rest = rest
        self._json = json.JSONDecoder(parse_constant=lambda _: None)
        self._text = self._decoder.decode(head)
        self._at = 0
        self._ended = False

    def next_sign(self, between: re.Pattern[str] = _SPACE) -> str:
        """Return the next character that is no space, without taking it; empty at the end."""
        while True:
            space = between.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take_sign(self) -> None:
        """Go behind the character that was returned last."""
        self._at += 1

    def take_value(self) -> Any:  # noqa: ANN401 - JSON
        """Return the next value; raises ``UnreadableJsonError``."""
        while True:
            try:
                value, self._at = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._grow_or_raise(f"invalid JSON: {error.msg}")
            except RecursionError:
                raise UnreadableJsonError("invalid JSON: nested too deeply") from None
            else:
                return value

    def _grow_or_raise(self, problem: str) -> None:
        """Read as much again as there is, so that a long value is not looked through too often."""
        kept = len(self._text) - self._at
        if kept > MAX_VALUE_CHARACTERS:
            raise UnreadableJsonError(
                f"one value has more than {MAX_VALUE_CHARACTERS:,} characters; write one session a line (JSON Lines)"
            )
        if not self._more(at_least=max(kept, 1 << 16)):
            raise UnreadableJsonError(problem)

    def _more(self, *, at_least: int = 1 << 16) -> bool:
        """Read on; tells whether there was anything."""
        pieces = [self._text[self._at :]]
        came = 0
        try:
            for line in self._rest:
                text = self._decoder.decode(line)
                pieces.append(text)
                came += len(text)
                if came >= at_least:
                    break
        except UnicodeDecodeError as error:
            raise UnreadableJsonError(f"it is no UTF-8 ({error.reason})") from None
        self._text, self._at = "".join(pieces), 0
        return came > 0


def _spread(text: _Text, *, origin: str) -> Iterator[Record | BadLine]:
    """Yield the records of a document that is no JSON Lines."""
    number = 0
    try:
        while sign := text.next_sign(_BETWEEN):
            if sign == "[" and number == 0:
                for value in _entries(text):
                    number += 1
                    yield Record(number, value, origin)
                number = max(number, 1)
            elif sign == "{" and number == 0:
                for found in _outermost(text, origin=origin):
                    number += 1
                    yield found
                number = max(number, 1)
            else:
                number += 1
                yield Record(number, text.take_value(), origin)
    except UnreadableJsonError as error:
        yield BadLine(number + 1, str(error))
    except UnicodeDecodeError as error:
        yield BadLine(number + 1, f"it is no UTF-8 ({error.reason})")


def _entries(text: _Text) -> Iterator[Any]:
    """Yield the entries of a list whose opening is next."""
    text.take_sign()
    while sign := text.next_sign(_BETWEEN):
        if sign == "]":
            text.take_sign()
            return
        yield text.take_value()
    raise UnreadableJsonError("the list is not closed: the file was cut")


def _outermost(text: _Text, *, origin: str) -> Iterator[Record]:
    """Yield the entries of the known lists of an object; without one, the object itself.

    What else the object says goes with each entry, as far as it stands before.
    """
    text.take_sign()
    about: JsonDict = {}
    number = 0
    while sign := text.next_sign(_BETWEEN):
        if sign == "}":
            text.take_sign()
            break
        key = text.take_value()
        if text.next_sign() != ":":
            raise UnreadableJsonError("invalid JSON: a key without a value")
        text.take_sign()
        if key in STREAMED and text.next_sign() == "[":
            for value in _entries(text):
                number += 1
                yield Record(number, value, origin, about={**about, "list": key})
        else:
            text.next_sign()
            about[str(key)] = text.take_value()
    else:
        raise UnreadableJsonError("the object is not closed: the file was cut")
    if number == 0:
        yield Record(1, about, origin)
    elif about:
        yield Record(number, about, origin, is_rest=True)


def as_one(found: Iterator[Record], *, first: Record) -> Record:
    """Return the rest of a list as one record, for a file that is the messages of one session."""
    values = [first.value, *(record.value for record in found)]
    return Record(1, values, first.origin, about=_plain(first.about))


def _plain(about: Json) -> JsonDict:
    return {key: value for key, value in about.items() if key != "list"}
