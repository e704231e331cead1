"""Opens a golden file, CSV or JSON Lines, and streams its rows; nothing of it is ever held as a whole.

Which of the two it is, is seen from the content first (a file that begins with ``{`` is no table) and the name second.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from eval_pipeline.text_eval.golden_csv import DELIMITERS, csv_entries, csv_header, sniff_delimiter
from eval_pipeline.text_eval.golden_encoding import TextForm, detect_encoding
from eval_pipeline.text_eval.golden_jsonl import jsonl_entries
from eval_pipeline.text_eval.golden_row import Entry, invalid_dataset

_JSON_ARRAY = re.compile(r"\[\s*(\{|$)")
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})


class GoldenFormat(StrEnum):
    """How rows are written down."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class GoldenFile:
    """A golden file whose bytes were found to be text and whose header was understood."""

    path: Path
    form: TextForm
    format: GoldenFormat
    delimiter: str | None
    """Of a CSV; None for JSON Lines."""

    @property
    def encoding(self) -> str:
        """Python's name of the encoding that was used."""
        return self.form.encoding

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was guessed about the file as a whole."""
        guessed = [] if self.form.warning is None else [self.form.warning]
        if self.delimiter not in {None, ","}:
            guessed.append(f"columns are separated by {DELIMITERS[str(self.delimiter)]}, as the header line shows")
        return tuple(guessed)

    def entries(self) -> Iterator[Entry]:
        """Read the file from its beginning: usable and skipped rows, in order."""
        with self.path.open(encoding=self.encoding, newline="") as lines:
            if self.delimiter is None:
                yield from jsonl_entries(lines)
            else:
                yield from csv_entries(lines, delimiter=self.delimiter, has_nul=self.form.has_nul)


def read_golden(path: Path, *, name: str | None = None) -> GoldenFile:
    """Find out encoding, format and columns of a file, else raise ``invalid_dataset``.

    Args:
        path: the file; read once through here, and again by ``entries``.
        name: what the file was called, when ``path`` is a copy; its suffix helps to tell the format.
    """
    form = detect_encoding(path)
    first_line = _first_line(path, form)
    if _is_jsonl(first_line, suffix=Path(name or path.name).suffix.lower()):
        return GoldenFile(path=path, form=form, format=GoldenFormat.JSONL, delimiter=None)
    delimiter = sniff_delimiter(first_line)
    with path.open(encoding=form.encoding, newline="") as lines:
        csv_header(lines, delimiter=delimiter)
    return GoldenFile(path=path, form=form, format=GoldenFormat.CSV, delimiter=delimiter)


def _first_line(path: Path, form: TextForm) -> str:
    with path.open(encoding=form.encoding, newline="") as lines:
        first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise invalid_dataset("it holds no text", hint="give a CSV or JSON Lines file with 'question' and 'answer'")
    return first


def _is_jsonl(first_line: str, *, suffix: str) -> bool:
    start = first_line.lstrip()
    if _JSON_ARRAY.match(start):
        raise invalid_dataset(
            "it is one JSON array, not one JSON object a line",
            hint="write each object on a line of its own, without commas between them (jq -c '.[]' does it)",
        )
    return start.startswith("{") or suffix in _JSON_SUFFIXES
