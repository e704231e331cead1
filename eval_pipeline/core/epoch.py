"""Which of ledger and store is older: a ledger restored from a backup does not know what was submitted since.

Before each batch is created both count it: the ledger announces it, the store writes it down, the ledger knows that
the store did. So a store is never ahead of the ledger that it belongs to, unless that was restored; and never behind
what the ledger knows to be written, unless it is an older store, or another one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Epoch:
    """What a store knows of a ledger: how many submissions it was told of, and the highest token then."""

    submissions: int = 0
    token: int = 0


@dataclass(frozen=True, slots=True)
class LedgerEpoch:
    """What a ledger knows of itself."""

    announced: int
    """Submissions that the store was, or is just being told of."""
    stored: int
    """Submissions that the store is known to have written down."""
    token: int
    """The highest token that was handed out."""
    restored_at: datetime | None
    """When it was last found to be older than its store."""


class Age(StrEnum):
    """How a ledger and a store that belong together stand to each other."""

    LEVEL = "level"
    LEDGER_OLDER = "ledger_older"
    STORE_OLDER = "store_older"


def age_of(ledger: LedgerEpoch, store: Epoch) -> Age:
    """Tell which of the two is older."""
    if store.submissions > ledger.announced:
        return Age.LEDGER_OLDER
    return Age.STORE_OLDER if store.submissions < ledger.stored else Age.LEVEL


def epoch_key(ledger_id: UUID) -> str:
    """Where a store keeps what it knows of a ledger."""
    return f"_ledger/{ledger_id}/epoch"
