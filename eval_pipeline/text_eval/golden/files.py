"""Opens a golden file, CSV or JSON Lines, and streams its rows; nothing of it is ever held as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eval_pipeline.intake.table_file import TableFile, open_table
from eval_pipeline.text_eval.golden.from_csv import csv_entries
from eval_pipeline.text_eval.golden.from_jsonl import jsonl_entries
from eval_pipeline.text_eval.golden.row import GOLDEN, Entry


@dataclass(frozen=True, slots=True)
class GoldenFile:
    """A golden file whose bytes were found to be text and whose header was understood."""

    table: TableFile

    def entries(self) -> Iterator[Entry]:
        """Read the file from its beginning: usable and skipped rows, in order."""
        with self.table.lines() as lines:
            if self.table.delimiter is None:
                yield from jsonl_entries(lines)
            else:
                yield from csv_entries(lines, delimiter=self.table.delimiter, has_nul=self.table.form.has_nul)


def read_golden(path: Path, *, name: str | None = None) -> GoldenFile:
    """Find out encoding, format and columns of a file, else raise ``invalid_dataset``.

    Args:
        path: the file; read once through here, and again by ``entries``.
        name: what the file was called, when ``path`` is a copy; its suffix helps to tell the format.
    """
    return GoldenFile(open_table(path, GOLDEN, name=name))
