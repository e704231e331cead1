"""Reads golden rows from JSON Lines.

A question or an answer of any other kind than text or number skips the row. Among the metadata, everything that is no
text is kept as JSON text.
"""

from collections.abc import Iterable, Iterator

from eval_pipeline.intake.json_lines import jsonl_rows
from eval_pipeline.text_eval.golden.reader import GoldenReader, RowReader
from eval_pipeline.text_eval.golden.row import Entry


def jsonl_entries(lines: Iterable[str], *, reader: RowReader | None = None) -> Iterator[Entry]:
    """Yield every line that is not blank, usable or skipped, in the order of the file."""
    reader = reader or GoldenReader()
    return jsonl_rows(lines, reader.entry)
