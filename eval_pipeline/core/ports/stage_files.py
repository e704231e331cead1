"""How a stage reads and writes rows, whatever file format and store lie beneath."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from eval_pipeline.core.documents import Json, JsonDict, Row
from eval_pipeline.core.stages import Manifest


class Table(Protocol):
    """A few thousand rows at once; a ``pyarrow.RecordBatch``."""

    num_rows: int

    def to_pylist(self) -> list[JsonDict]:
        """Return the rows as dictionaries."""
        ...

    def column(self, i: str) -> Any:  # noqa: ANN401 - pyarrow ships no types
        """Return one column as a pyarrow array."""
        ...


@runtime_checkable  # Dagster checks what travels between assets
class StageReader(Protocol):
    """A light handle on a finished stage; nothing is read before it is asked for."""

    @property
    def manifest(self) -> Manifest:
        """The manifest that this handle trusts."""
        ...

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 4096) -> Iterator[Table]:
        """Stream the rows in order, at most ``rows`` at once; a part whose bytes changed raises."""
        ...

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[JsonDict]:
        """Stream the rows in order as dictionaries."""
        ...

    def frame(self) -> Any:  # noqa: ANN401 - pandas, which core does not import
        """Return everything as a ``pandas.DataFrame``."""
        ...

    def file(self, name: str) -> bytes:
        """Return a part that is no table."""
        ...


class StageWriter(Protocol):
    """Collects the rows of one stage into parts; nobody sees them before ``finish``."""

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows, as the schema names them."""
        ...

    def add_file(self, name: str, data: bytes) -> str:
        """Add a part that is no table; returns its key in the object store."""
        ...

    def copy_file(self, name: str, path: Path) -> str:
        """Add a part that is no table from a local file, streamed; returns its key in the object store."""
        ...

    def finish(self, summary: Json) -> Manifest:
        """Store the last part and then the manifest."""
        ...
