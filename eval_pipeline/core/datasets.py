"""What the ledger knows of a golden dataset: an immutable, content-addressed version under a display name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar, assert_never

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

T = TypeVar("T")


class DatasetKind(StrEnum):
    """What the items of a dataset are."""

    TEXT = "text"
    STT = "stt"

    @property
    def item(self) -> str:
        """What a person calls one of them."""
        match self:
            case DatasetKind.TEXT:
                return "question"
            case DatasetKind.STT:
                return "sample"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row of the file that cannot be asked, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One version of a dataset: the sha256 of its bytes under a name; never edited."""

    project: str
    name: str
    version: str
    kind: DatasetKind
    original_items_count: int
    duplication_factor: int
    encoding: str
    size_bytes: int
    skipped_rows_count: int
    skipped_rows: tuple[SkippedRow, ...]
    """The first of them; the count tells how many there are."""
    warnings: tuple[str, ...]
    prefix: str
    """Where its rows and the original bytes lie in the object store."""
    description: str | None
    created_at: datetime

    @property
    def total_items_count(self) -> int:
        """Questions times repeats."""
        return self.original_items_count * self.duplication_factor

    def eligible_for_fast(self, max_unique_rows: int) -> bool:
        """Whether a fast run may take it: a predicate on size alone."""
        return self.original_items_count <= max_unique_rows


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing and the number of all that match."""

    items: Sequence[T]
    total: int
    limit: int
    offset: int


def split_reference(reference: str) -> tuple[str, str | None]:
    """Split ``NAME`` or ``NAME@VERSION``; a version that is not there is no version that was left out.

    >>> split_reference("golden@0123abcd"), split_reference("golden")
    (('golden', '0123abcd'), ('golden', None))
    """
    name, at, version = reference.partition("@")
    if at and not version.strip():
        raise UsageError(
            f"there is no version behind the @ of {shown(reference)}",
            code="dataset_version_missing",
            hint=f"give its first 8 characters; eval-pipeline dataset show {name} lists the versions",
        )
    return name, version if at else None
