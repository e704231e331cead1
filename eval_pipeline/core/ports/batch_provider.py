"""A provider's batches: the lines of request files, and the calls that look after files and jobs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from eval_pipeline.core.batches import MOST_RESULT_BYTES, BatchListing, ProviderBatch, ResultLine
from eval_pipeline.core.turns import Input

LineReader = Callable[[bytes], ResultLine]
"""Reads one line of a results file."""


SentAs = Callable[[str, str], str]
"""Returns the id under which an item's request goes out, from the key of its submission and the item's id."""


def as_itself(_: str, item_id: str) -> str:
    """Send an item under its own id, as most providers take any."""
    return item_id


class RequestLines(Protocol):
    """Writes the lines of a batch's request file in a provider's form; the item's id stands first in every line."""

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break; ``given`` is what its request has under ``input``."""
        ...


@dataclass(frozen=True, slots=True)
class BatchForm:
    """How requests of one kind go out as batches: to which endpoint, in which lines, and how results are read."""

    endpoint: str
    lines: RequestLines
    read: LineReader
    sent_as: SentAs = as_itself


class ClipLines(Protocol):
    """Writes the lines of clips that a file host, or an address, holds."""

    def line(self, item_id: str, *, prompt: str, mime_type: str, file_uri: str) -> bytes:
        """Return the line of one clip, with its line break."""
        ...


@dataclass(frozen=True, slots=True)
class ClipForm:
    """How clips go out as batches."""

    endpoint: Callable[[str], str]
    """Where a batch for a model is created."""
    lines: Callable[[], ClipLines]
    read: LineReader


class BatchProvider(Protocol):
    """The files and batches of one account at one provider; every fault raises ``BatchCallError``."""

    @property
    def account(self) -> str:
        """Digest of base URL and key."""
        ...

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        ...

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        ...

    @property
    def uploads(self) -> bool:
        """Whether a request file is uploaded first; else what it holds goes out with the creation."""
        ...

    def upload(self, path: Path, *, name: str) -> str:
        """Upload a request file, streamed; returns its id. Only where the provider ``uploads``."""
        ...

    def create(self, requests: str | Path, *, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Create a batch, once, such that the key tells later whose it is.

        Args:
            requests: the id of the uploaded file; where the provider does not upload, the file itself, streamed.
            endpoint: what is asked.
            key: names this submission, here and nowhere else.
            labels: for people who look at the provider's page.
        """
        ...

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List the newest batches, back to ``since``, in at most so many calls of 100."""
        ...

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; a 404 raises with fault ``gone``."""
        ...

    def identify(self, batch_id: str) -> ProviderBatch:
        """Look one batch up that a list shows without saying whose it is, with all that may tell."""
        ...

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Ask for a batch to be cancelled; one that has ended stays as it is."""
        ...

    def download(self, file_id: str, path: Path, *, most_bytes: int = MOST_RESULT_BYTES) -> None:
        """Copy a file's bytes to ``path``, whole or not at all; tried again in place when the connection breaks.

        One that has more bytes than it may, unpacked, raises ``ResultTooLargeError``.
        """
        ...

    def knows_file(self, file_id: str) -> bool:
        """Tell whether a file is this account's: keys that know the same files open the same account."""
        ...

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone is no error."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...
