"""What calls cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import RunMode


@dataclass(frozen=True, slots=True)
class Price:
    """What calls cost in US dollars, and how that was found."""

    usd: Decimal
    rate: str
    """``standard`` or ``batch``, with a note where the library has no such rate."""


class PriceBook(Protocol):
    """Published prices of models."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime) -> Price | None:
        """Return the price of one request, or None for a model without a published price (never 0)."""
        ...
