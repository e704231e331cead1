"""Sessions in the format of this project, ``eval_pipeline.session/1``: one object a line."""

from collections.abc import Iterator
from typing import Any

from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a session of ours by its schema."""
    return isinstance(value, dict) and str(value.get("schema", "")).startswith("eval_pipeline.session/")


def read(record: Record) -> Iterator[Imported]:
    """Take the session as it is."""
    if not isinstance(record.value, dict):
        raise NotASessionError("it is no object")
    yield Imported(record.value, record.number)


NATIVE = Importer(format=SourceFormat.NATIVE, recognises=recognises, read=read)
