"""Published prices from genai-prices' bundled table; nothing is fetched.

The library updates itself only where ``UpdatePrices`` is started, which nobody here does.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.ports import Price
from eval_pipeline.core.runs import RunMode

_HALF = Decimal("0.5")
_EMBEDDING_MARK = "text-embedding"
_REMEMBERED = 10_000
"""The library takes 0.15 ms a request, and an item is priced twice: when it is answered and when it is stored."""


class PublishedPrices:
    """The ``PriceBook`` of published list prices."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime) -> Price | None:
        """Return the price of one request at that time, or None for a model without a published price."""
        standard = _published(model, usage, at=at, tier=None)
        if standard is None or mode is RunMode.FAST:
            return None if standard is None else Price(usd=standard, rate="standard")
        if _EMBEDDING_MARK in model:  # the table has no batch rate for these; OpenAI sells them at half price
            return Price(usd=standard * _HALF, rate="batch (half of standard)")
        batch = _published(model, usage, at=at, tier="batch")
        if batch is None or batch == standard:
            return Price(usd=standard, rate="standard (no batch rate is published)")
        return Price(usd=batch, rate="batch")


@lru_cache(maxsize=_REMEMBERED)
def _published(model: str, usage: Usage, *, at: datetime, tier: str | None) -> Decimal | None:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - its table takes half a second to import
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    tokens = PricedUsage(
        input_tokens=usage.input, cache_read_tokens=min(usage.cached_input, usage.input), output_tokens=usage.output
    )
    context = None if tier is None else {"processing": tier}
    for provider, name in _references(model):
        try:
            found = calc_price(tokens, name, provider_id=provider, genai_request_timestamp=at, price_context=context)
        except (LookupError, ValueError):  # no such model, or a model without a price for such tokens
            continue
        return found.total_price
    return None


def _references(model: str) -> list[tuple[str | None, str]]:
    """List where to look a model up: as OpenAI's, under the provider that its name begins with, anywhere."""
    provider, separator, name = model.partition("/")
    prefixed: list[tuple[str | None, str]] = [(provider, name)] if separator and provider and name else []
    return [("openai", model), *prefixed, (None, model)]
