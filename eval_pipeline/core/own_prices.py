"""Prices that somebody sets for a model of their own: they win over the published ones, whichever name answers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import PLAINLY, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode

OWN_RATE: Final = "own"
_MILLION: Final = Decimal(1_000_000)
_ONE: Final = Decimal(1)
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """What one model costs, in US dollars per million tokens; a ``PriceBook`` of that model."""

    input: Decimal = _NOTHING
    output: Decimal = _NOTHING
    cached_input: Decimal | None = None
    """None: as any other input."""
    batch: Decimal = _ONE
    """What of it is paid in a batch: 0.5 where that is half price."""
    call: Decimal = _NOTHING
    """Of one call, beside its tokens."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price:
        """Return the price of one request."""
        del model, at, served  # it is the price of this one, always
        cached = min(usage.cached_input, usage.input)
        of_cached = self.input if self.cached_input is None else self.cached_input
        tokens = (usage.input - cached) * self.input + cached * of_cached + usage.output * self.output
        share = self.batch if mode is RunMode.BATCH else _ONE
        return Price(usd=(tokens / _MILLION + self.call) * share, rate=OWN_RATE)

    def to_json(self) -> JsonDict:
        """Return the JSON form that a specification keeps: what is set, exactly."""
        cached = {} if self.cached_input is None else {"cached_input": str(self.cached_input)}
        batch = {} if self.batch == _ONE else {"batch": str(self.batch)}
        call = {} if self.call == _NOTHING else {"call": str(self.call)}
        return {"input": str(self.input), "output": str(self.output), **cached, **batch, **call}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(**{name: Decimal(str(amount)) for name, amount in value.items()})
