"""Finds out how a handed-in file's bytes spell text: by byte order mark, else UTF-8, else cp1252.

The whole file is decoded once before a row is read: an encoding that fails on line 900,000 must not be found out there.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval_pipeline.intake.binary import HEAD_BYTES, looks_like
from eval_pipeline.intake.purpose import Purpose

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]

MAX_LINE_CHARACTERS = 16_777_216
_CHUNK_BYTES = 1 << 20
_MARKS: tuple[tuple[bytes, Encoding], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16: must be asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_REPLACED = re.compile("\ufffd")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_FEWEST_TOGETHER = 12
_SHARE_TOGETHER = 0.8
_SAVE_AS_UTF8 = "save it as CSV UTF-8 or JSON Lines and add it again"


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the bytes of a file are to be read as text."""

    encoding: Encoding
    warning: str | None
    """Set when the encoding is a guess."""
    has_nul: bool


def detect_encoding(path: Path, purpose: Purpose) -> TextForm:
    """Choose the encoding in which the whole file can be read, else raise ``invalid_dataset``.

    The five bytes that cp1252 leaves undefined are refused: a file that has them is most often damaged UTF-8, and
    would be evaluated as nonsense.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise purpose.refuse("it is empty", hint=f"give a CSV or JSON Lines file with {purpose.columns}")
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    if marked is None:
        return _detect_unmarked(path, head, purpose=purpose)
    try:
        return TextForm(encoding=marked, warning=None, has_nul=_scan(path, marked, purpose=purpose))
    except UnicodeDecodeError as error:
        line = _first_undecodable_line(path, marked)
        raise purpose.refuse(
            f"its byte order mark says {marked}, but line {line:,} is no valid {marked} ({error.reason})",
            hint=_SAVE_AS_UTF8,
        ) from error


def _detect_unmarked(path: Path, head: bytes, *, purpose: Purpose) -> TextForm:
    kind = looks_like(head)
    if kind is not None:
        raise purpose.refuse(f"it looks like {kind}", hint=_SAVE_AS_UTF8)
    try:
        return TextForm(encoding="utf-8", warning=None, has_nul=_scan(path, "utf-8", purpose=purpose))
    except UnicodeDecodeError:
        return _fall_back(path, purpose, not_utf8_line=_first_undecodable_line(path, "utf-8"))


def _fall_back(path: Path, purpose: Purpose, *, not_utf8_line: int) -> TextForm:
    try:
        has_nul = _scan(path, "cp1252", purpose=purpose)
    except UnicodeDecodeError as error:
        line = _first_undecodable_line(path, "cp1252")
        byte = error.object[error.start]
        raise purpose.refuse(
            f"line {not_utf8_line:,} is no valid UTF-8, and line {line:,} no valid cp1252 (byte 0x{byte:02X})",
            hint=_SAVE_AS_UTF8,
        ) from error
    if _is_elsewhere(path):
        raise purpose.refuse(
            f"line {not_utf8_line:,} is no valid UTF-8, and its letters are not those of Western Europe: it was saved "
            "in the encoding of another region, such as GBK, Shift JIS or Windows-1251",
            hint=_SAVE_AS_UTF8,
        )
    warning = f"line {not_utf8_line:,} is no valid UTF-8: the file was read as cp1252 (Windows, Western Europe)"
    return TextForm(encoding="cp1252", warning=warning, has_nul=has_nul)


def _is_elsewhere(path: Path) -> bool:
    """Tell text of other scripts: its letters stand side by side, where accents of Western Europe stand alone.

    Read as cp1252 it would be evaluated as nonsense; which of the other encodings it is, nobody can tell for sure.
    """
    with path.open("rb") as file:
        runs = [len(run) for run in _HIGH_BYTES.findall(file.read(_CHUNK_BYTES))]
    together = sum(length for length in runs if length > 1)
    return together >= _FEWEST_TOGETHER and together > _SHARE_TOGETHER * sum(runs)


def _scan(path: Path, encoding: Encoding, *, purpose: Purpose) -> bool:
    """Decode the whole file in bounded memory; tell whether it holds NUL, refuse endless lines."""
    has_nul = False
    line_start = position = 0
    for text in _decoded(path, encoding):
        has_nul = has_nul or "\0" in text
        end_of_line = max(text.rfind("\n"), text.rfind("\r"))
        if end_of_line >= 0:
            line_start = position + end_of_line + 1
        position += len(text)
        if position - line_start > MAX_LINE_CHARACTERS:
            raise purpose.refuse(
                f"it has a line of more than {MAX_LINE_CHARACTERS:,} characters",
                hint=f"give one row a line: CSV with {purpose.columns}, or JSON Lines",
            )
    return has_nul


def _decoded(path: Path, encoding: Encoding) -> Iterator[str]:
    with path.open("rb") as file:
        yield from codecs.iterdecode(iter(lambda: file.read(_CHUNK_BYTES), b""), encoding)


def _first_undecodable_line(path: Path, encoding: Encoding) -> int:
    wide = encoding in {"utf-16", "utf-32"}  # these know no surrogateescape
    undecodable = _REPLACED if wide else _ESCAPED_BYTE
    with path.open(encoding=encoding, errors="replace" if wide else "surrogateescape", newline="") as lines:
        return next(number for number, line in enumerate(lines, start=1) if undecodable.search(line))
