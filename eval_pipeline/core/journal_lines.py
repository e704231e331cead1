"""Lines of a journal with a checksum behind each: what was edited, or flipped on a disk, is never taken for a result.

The checksum stands behind the JSON of the line, after a tab that no JSON ends with. Journals of earlier versions have
none, and are read as they are.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, Protocol
from zlib import crc32

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.secrets import excerpt

_MARK: Final = b"\t"
_SEAL_BYTES: Final = len(_MARK) + 8


class LineFile(Protocol):
    """Where whole lines are written."""

    def write(self, line: bytes, /) -> object:
        """Write one line; the file adds its line break."""
        ...


class SealedFile:
    """Writes every line with its checksum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes, /) -> None:
        """Write one line; the file adds its line break."""
        self._file.write(line + b"\t%08x\n" % crc32(line))


def seal(line: bytes) -> bytes:
    """Return a line with its checksum."""
    return b"%b\t%08x" % (line, crc32(line))


def unsealed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of one file without their checksums; raises ``journal_damaged`` where one does not fit.

    A file whose first line has one has one behind every line.
    """
    sealed: bool | None = None
    for number, line in enumerate(lines, start=1):
        has_seal = line[-_SEAL_BYTES : 1 - _SEAL_BYTES] == _MARK
        sealed = has_seal if sealed is None else sealed
        if not sealed:
            yield line
            continue
        content = line[:-_SEAL_BYTES]
        if not has_seal or line[1 - _SEAL_BYTES :] != b"%08x" % crc32(content):
            raise journal_damaged(line, f"line {number:,} was changed after it was written")
        yield content


def journal_damaged(line: bytes, why: str) -> UnavailableError:
    """Build the error of a journal line that cannot be trusted."""
    return UnavailableError(
        f"a record of the journal cannot be read ({why}): {excerpt(repr(line), most=80)}",
        code="journal_damaged",
        hint="restore the stage's journal from a backup, or pay for the stage again: run retry --refresh",
    )
