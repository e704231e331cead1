"""What calls cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from eval_pipeline.core.outcomes import PLAINLY, Served, Usage
from eval_pipeline.core.runs import RunMode


@dataclass(frozen=True, slots=True)
class Price:
    """What calls cost in US dollars, and how that was found."""

    usd: Decimal
    rate: str
    """``standard``, ``batch`` or the tier that answered, with a note where the library has no such rate."""


class PriceBook(Protocol):
    """Published prices of models."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        """Return the price of one request, or None where a part of it has no published price (never 0)."""
        ...
