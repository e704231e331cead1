"""The checkpoint of an embeddings stage: vectors as lines of a journal, and an index that finds them in any order.

The index keeps a digest and an offset per vector, the vectors stay on disk: 200,000 texts take about 30 MB.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from sys import intern
from typing import Any, Protocol, Self

import orjson
import pybase64

from eval_pipeline.core.outcomes import ItemStatus, Usage
from eval_pipeline.dispatch.embed import EmbeddedPack, EmbeddedText, text_digest
from eval_pipeline.dispatch.records import RESULT_LOST, unreadable_record

_FLOAT_BYTES = 4
_BEFORE_DIGEST, _BEFORE_VECTOR = b'{"digest":"', b'","vector":"'
_DIGEST_END = len(_BEFORE_DIGEST) + 64
_CODE = re.compile(r"([a-z0-9_]+): ")
_LINES_AT_ONCE = 256
"""A full pack of 3,072-wide vectors is 33 MB of lines: too much to hold once more."""


class SpooledLine(Protocol):
    """One line and where it is."""

    @property
    def offset(self) -> int:
        """Of its first byte."""
        ...

    @property
    def length(self) -> int:
        """Without the line break."""
        ...

    @property
    def line(self) -> bytes:
        """Its bytes."""
        ...


class Spooled(Protocol):
    """A journal's lines in one local file."""

    def __iter__(self) -> Iterator[SpooledLine]:
        """Walk all lines from the first."""
        ...

    def line_at(self, offset: int, length: int) -> bytes:
        """Read one line again."""
        ...


class VectorRecorder:
    """Writes what calls brought; the sink of ``embed_texts``."""

    def __init__(self, record: Callable[[bytes], Awaitable[None]]) -> None:
        self._record = record

    async def __call__(self, pack: EmbeddedPack) -> None:
        """Return once all of a call is durable; what it was billed for goes first, so that it is never forgotten."""
        await self._record(call_line(pack))
        for start in range(0, len(pack.texts), _LINES_AT_ONCE):
            lines = map(_text_line, pack.texts[start : start + _LINES_AT_ONCE])
            await asyncio.gather(*map(self._record, lines))


def call_line(pack: EmbeddedPack) -> bytes:
    """Write what a call, or a whole batch, was billed for."""
    call = {
        "usage": None if pack.usage is None else asdict(pack.usage),
        "retried": asdict(pack.retried_usage),
        "model": pack.model,
        "billed": pack.billed,
        "unreported": pack.unreported_calls,
        **({} if pack.raw is None else {"raw": pack.raw}),
    }
    return orjson.dumps({"call": call})


def _text_line(text: EmbeddedText) -> bytes:
    digest = text.digest.hex()
    if text.vector is not None:
        return orjson.dumps({"digest": digest, "vector": pybase64.b64encode(text.vector).decode()})
    return problem_line(digest, text.problem or "no vector", finished=text.finished, status=text.status, code=text.code)


def problem_line(
    digest: str, problem: str, *, finished: bool, status: ItemStatus, code: str | None, unsent: bool = False
) -> bytes:
    """Write why a text has no vector, with the status and the code that the record of an item has."""
    entry = {"digest": digest, "problem": problem, "finished": finished, "status": status, "code": code}
    return orjson.dumps(entry | ({"unsent": True} if unsent else {}))


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Why a text has no vector, and when it may be asked again."""

    words: str
    finished: bool
    code: str | None = None
    unsent: bool = False

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read a line of the journal; the first ones named the code in the words alone."""
        words = intern(entry["problem"])
        code = entry["code"] if "code" in entry else _code_in(words)
        lost = code == RESULT_LOST
        return cls(words, finished=entry["finished"] and not lost, code=code, unsent=entry.get("unsent", False))

    def may_be_asked(self, *, anew: bool, resend_lost: bool) -> bool:
        """Tell whether a text goes out again, as ``batch_items`` tells of an item."""
        if self.code == RESULT_LOST:
            return resend_lost
        return not self.finished and (anew or not self.unsent)


def _code_in(words: str) -> str | None:
    found = _CODE.match(words)
    return None if found is None else found[1]


class VectorIndex:
    """Where every text's vector is, what is wrong with those that have none, and what the calls were billed for."""

    def __init__(self, lines: Spooled) -> None:
        self._lines = lines
        self._offsets: dict[bytes, int] = {}
        self._vector_line_length = 0
        self._other_lengths: dict[bytes, int] = {}
        self._problems: dict[bytes, TextProblem] = {}
        self.dimensions: int | None = None
        self.model: str | None = None
        self.usage = Usage()
        self.calls = 0
        self.calls_without_usage = 0
        self.unreported_calls = 0

    @classmethod
    def read(cls, lines: Spooled) -> Self:
        """Walk a spooled journal once."""
        index = cls(lines)
        for line in lines:
            index._add(line)
        return index

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, digest: object) -> bool:
        """Tell whether a digest needs no further call."""
        return isinstance(digest, bytes) and not self.wants(digest, anew=True, resend_lost=False)

    def wants(self, digest: bytes, *, anew: bool, resend_lost: bool) -> bool:
        """Tell whether a text is to be asked.

        Args:
            digest: of the text.
            anew: whether what never reached the model goes out again, too: a person may have mended why.
            resend_lost: whether a person accepts that texts whose result is gone are charged a second time.
        """
        if digest in self._offsets:
            return False
        problem = self._problems.get(digest)
        return problem is None or problem.may_be_asked(anew=anew, resend_lost=resend_lost)

    def vector(self, text: str) -> bytes | None:
        """Return a text's vector as little-endian float32, None when there is none."""
        digest = text_digest(text)
        offset = self._offsets.get(digest)
        if offset is None:
            return None
        length = self._other_lengths.get(digest, self._vector_line_length)
        return pybase64.b64decode(orjson.loads(self._lines.line_at(offset, length))["vector"])

    def problem(self, text: str) -> str | None:
        """Return why a text has no vector, None when it has one or was never asked."""
        found = self._problems.get(text_digest(text))
        return None if found is None else found.words

    def _add(self, line: SpooledLine) -> None:
        try:
            if (digest := _digest_of_vector(line.line)) is not None and self.dimensions is not None:
                self._note_vector(digest, line)
                return
            self._add_entry(orjson.loads(line.line), line)
        except (ValueError, TypeError, KeyError) as error:
            raise unreadable_record(line.line, error) from error

    def _add_entry(self, entry: dict[str, Any], line: SpooledLine) -> None:
        if "call" in entry:
            self._add_call(entry["call"])
        elif "vector" in entry:
            self._add_vector(bytes.fromhex(entry["digest"]), entry["vector"], line)
        else:
            self._problems[bytes.fromhex(entry["digest"])] = TextProblem.read(entry)

    def _add_call(self, call: dict[str, Any]) -> None:
        self.usage += Usage(**call["retried"])
        self.model = self.model or call["model"]
        if call["usage"] is not None:
            self.usage += Usage(**call["usage"])
        self.calls += call["billed"]
        self.calls_without_usage += call["billed"] and call["usage"] is None
        self.unreported_calls += call.get("unreported", 0)

    def _add_vector(self, digest: bytes, vector: str, line: SpooledLine) -> None:
        self._note_vector(digest, line)
        if self.dimensions is None:
            self.dimensions = len(pybase64.b64decode(vector)) // _FLOAT_BYTES

    def _note_vector(self, digest: bytes, line: SpooledLine) -> None:
        self._offsets[digest] = line.offset
        self._problems.pop(digest, None)
        self._vector_line_length = self._vector_line_length or line.length
        if line.length != self._vector_line_length:
            self._other_lengths[digest] = line.length


def _digest_of_vector(line: bytes) -> bytes | None:
    """Read the digest of a line as it is written here; None for any other line, which is read as JSON.

    The vector itself is not looked at: it takes most of the line, and is read when it is asked for.
    """
    if line.startswith(_BEFORE_DIGEST) and line.startswith(_BEFORE_VECTOR, _DIGEST_END) and line.endswith(b'"}'):
        return bytes.fromhex(line[len(_BEFORE_DIGEST) : _DIGEST_END].decode())
    return None
