"""The lines of a file that a server wrote: as long as they may be, and without our keys.

A server may write a line without an end; what is kept, and held in memory, of one is bounded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from eval_pipeline.core.secrets import redact_bytes


def lines_of(file: IO[bytes], *, most_bytes: int) -> Iterator[bytes]:
    r"""Yield lines, of one that is longer its beginning; a binary file ends lines at ``\n`` and nowhere else."""
    while line := file.readline(most_bytes):
        yield line
        while len(line) == most_bytes and not line.endswith(b"\n"):
            line = file.readline(most_bytes)  # the rest of it is passed over


def clean_file(path: Path, *, most_bytes: int) -> None:
    """Take our keys, and what a line has too much, out of a file; most files have neither and are only read."""
    with path.open("rb") as file:
        if all(redact_bytes(line) is line and len(line) < most_bytes for line in lines_of(file, most_bytes=most_bytes)):
            return
    clean = path.with_name(f"{path.name}.clean")
    with path.open("rb") as file, clean.open("wb") as written:
        for line in lines_of(file, most_bytes=most_bytes):
            written.write(redact_bytes(line))
            if len(line) == most_bytes and not line.endswith(b"\n"):
                written.write(b"\n")
    clean.replace(path)
