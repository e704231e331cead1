"""What runs came to for sessions, and what people said of them: rows of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from eval_pipeline.core.documents import Json


class ScoredStatus(StrEnum):
    """What a run came to for one session."""

    EVALUATED = "evaluated"
    PARTIAL = "partial"
    """It has scores, but not of the whole panel."""
    FAILED = "failed"
    """It has no score of the axis that matters most."""


class SessionStatus(StrEnum):
    """How a session stands."""

    PENDING = "pending"
    """Nobody has judged it."""
    RUNNING = "running"
    EVALUATED = "evaluated"
    PARTIAL = "partial"
    STALE = "stale"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """What one run came to for one session."""

    session_id: str
    run: str
    session_fingerprint: str
    """Of the content that was judged."""
    instrument: str
    """Digest of what it was judged with; the ledger keeps the document."""
    status: ScoredStatus
    may_be_retried: bool
    """Whether what failed may have failed in passing."""
    mean: float | None
    complexity: float | None
    axes: Mapping[str, Json]
    """Score of each axis, or why there is none."""
    cells: int
    cells_failed: int
    cost_usd: Decimal | None
    profile_id: str | None
    last_active: datetime | None
    """Of the content that was judged."""
    judged_at: datetime
    failed_tries: int = 0
    """Runs in a row, this one included, that failed at the same content with the same instrument; the ledger counts."""


class SeriesRow(NamedTuple):
    """What is told of weeks needs of a result; a hundred thousand are read at once."""

    session_id: str
    instrument: str
    last_active: datetime | None
    mean: float | None
    complexity: float | None
    axes: str
    """JSON."""
    cost_usd: str | None


class StandingRow(NamedTuple):
    """What is told of how a session stands needs of its latest result."""

    session_id: str
    session_fingerprint: str
    instrument: str
    status: str
    may_be_retried: bool
    failed_tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRating:
    """What one person says of one session on one axis; entries are appended, and the last one stands."""

    session_id: str
    session_fingerprint: str
    """Of the content that was rated."""
    axis: str
    rater: str
    level: float | None
    """None takes back what was said."""
    comment: str | None
    rated_at: datetime
