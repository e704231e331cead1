"""Where recordings lie at a provider while requests name them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from eval_pipeline.core.secrets import redact_fields


class HostedState(StrEnum):
    """Whether a file that was uploaded to a provider can be used."""

    PROCESSING = "processing"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HostedFile:
    """A file that a provider keeps for a while, for requests to name."""

    name: str
    uri: str
    state: HostedState
    expires_at: datetime | None
    problem: str | None = None
    """Why it failed, in the provider's words."""

    def __post_init__(self) -> None:
        redact_fields(self, "problem")


class FileHost(Protocol):
    """Where clips wait for the requests that name them; calls may come from several threads at once.

    Every fault raises ``BatchCallError``; a file that is gone has fault ``gone``.
    """

    @property
    def account(self) -> str:
        """Digest of base URL and key: files of one account do not exist for another."""
        ...

    def upload(self, path: Path, *, name: str, mime_type: str) -> HostedFile:
        """Upload a file, streamed."""
        ...

    def look(self, name: str) -> HostedFile:
        """Look a file up."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone is no error."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...
