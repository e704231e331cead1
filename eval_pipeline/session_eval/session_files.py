"""Files of sessions as people have them: one, several, a folder of them, a pipe; compressed or a log of Inspect."""

import gzip
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.session_eval.sessions.importers.documents import records
from eval_pipeline.session_eval.sessions.importers.record import BadLine, Record

if TYPE_CHECKING:
    from io import BufferedReader

STANDARD_INPUT: Final = "-"
_ENDINGS: Final = (".json", ".jsonl", ".ndjson", ".eval")
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_MOST_SAMPLE_BYTES: Final = 256_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """The files that were meant, and how many others lie in the folders that were named."""

    files: tuple[Path, ...]
    passed_over: int


def find_files(given: list[str]) -> Found:
    """Return the files that are meant; of a folder, all below it that may hold sessions."""
    files: list[Path] = []
    passed_over = 0
    for name in given:
        path = Path(name)
        if not path.is_dir():
            files.append(path)
            continue
        inner = sorted(one for one in path.rglob("*") if one.is_file() and not _is_hidden(one, path))
        fitting = [one for one in inner if one.name.lower().removesuffix(".gz").endswith(_ENDINGS)]
        if not fitting:
            raise UsageError(
                f"there is no file of sessions in {shown(name)}",
                code="file_unreadable",
                hint=f"give a folder with files that end with {', '.join(_ENDINGS)}, or these and .gz",
            )
        files += fitting
        passed_over += len(inner) - len(fitting)
    return Found(tuple(files), passed_over)


def _is_hidden(path: Path, above: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(above).parts)


def origin_of(path: Path) -> str:
    """Return by what records know their file: its name up to the first dot.

    >>> origin_of(Path("logs/airline.jsonl.gz"))
    'airline'
    """
    return "stdin" if str(path) == STANDARD_INPUT else path.name.split(".")[0]


def records_of(path: Path) -> Iterator[Record | BadLine]:
    """Yield the records of a file, whatever it is packed in."""
    with _opened(path) as file:
        head = _peek(file)
        if head.startswith(_ZIP):
            yield from _samples(path)
            return
        if head.startswith(_GZIP):
            with gzip.open(file, "rb") as unpacked:
                yield from _explained(records(cast("BinaryIO", unpacked), origin=origin_of(path)))
            return
        yield from records(file, origin=origin_of(path))


def _peek(file: BinaryIO) -> bytes:
    return cast("BufferedReader", file).peek(4)[:4]


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(str(path))}: {error.strerror or error}",
            code="file_unreadable",
            hint="give the path of a file that you may read",
        ) from None


def _explained(found: Iterator[Record | BadLine]) -> Iterator[Record | BadLine]:
    number = 0
    try:
        for one in found:
            number = one.number
            yield one
    except (gzip.BadGzipFile, EOFError, OSError) as error:
        yield BadLine(number + 1, f"the compressed file is broken from here on ({error})")


def _samples(path: Path) -> Iterator[Record | BadLine]:
    """Yield the samples of a log of Inspect, one after the other."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        yield BadLine(1, f"it is no whole archive ({error})")
        return
    with archive:
        about = _header(archive)
        names = [name for name in archive.namelist() if name.startswith("samples/") and name.endswith(".json")]
        if not names:
            yield BadLine(1, "it is an archive without samples/: only logs of Inspect (.eval) are read from archives")
        for number, name in enumerate(sorted(names), start=1):
            yield _sample(archive, name, Record(number, None, origin_of(path), about=about))


def _header(archive: zipfile.ZipFile) -> JsonDict:
    for name in ("header.json", "_journal/start.json"):
        if name in archive.namelist():
            try:
                about = json.loads(archive.read(name))
            except (ValueError, NotImplementedError, zipfile.BadZipFile):
                continue
            return about if isinstance(about, dict) else {}
    return {}


def _sample(archive: zipfile.ZipFile, name: str, record: Record) -> Record | BadLine:
    if archive.getinfo(name).file_size > _MOST_SAMPLE_BYTES:
        return BadLine(record.number, f"{name} unpacks to more than {_MOST_SAMPLE_BYTES:,} bytes")
    try:
        value = json.loads(archive.read(name), parse_constant=lambda _: None)
    except NotImplementedError:
        return BadLine(
            record.number,
            f"{name} is compressed in a way that this Python cannot unpack; convert it: inspect log convert --to json",
        )
    except (ValueError, zipfile.BadZipFile, EOFError, RecursionError) as error:
        return BadLine(record.number, f"{name}: {error}")
    return Record(record.number, value, record.origin, about=record.about)
