"""Lists as Google pages them: ``pageSize``, ``pageToken``, ``nextPageToken``, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from eval_pipeline.standins.gemini.errors import invalid

USUAL, MOST = 10, 100


class Created(Protocol):
    """Anything that was created at a moment."""

    @property
    def created_ns(self) -> int:
        """When."""


Entry = TypeVar("Entry", bound=Created)


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """One page of a list, and where the next one begins."""

    entries: Sequence[Entry]
    next_token: str | None

    def document(self, name: str, entries: Sequence[object]) -> dict[str, object]:
        """Return the list object; an empty list is left out, as proto3 does."""
        told: dict[str, object] = {name: list(entries)} if entries else {}
        return told | {"nextPageToken": self.next_token} if self.next_token else told


def page(entries: Sequence[Entry], query: Mapping[str, str]) -> Page[Entry]:
    """Return the entries that the query wants, of a list that is newest first."""
    size = _number(query.get("pageSize") or query.get("page_size") or str(USUAL), "page_size")
    token = query.get("pageToken") or query.get("page_token")
    before_ns = None if not token else _number(token, "page_token")
    rest = [entry for entry in entries if before_ns is None or entry.created_ns < before_ns]
    shown = rest[: min(size or USUAL, MOST)]
    return Page(shown, str(shown[-1].created_ns) if len(rest) > len(shown) else None)


def _number(given: str, name: str) -> int:
    if not given.isdecimal():
        raise invalid(f"Invalid value for {name}: {given!r}.")
    return int(given)
