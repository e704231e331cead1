"""Published prices from genai-prices' bundled table; nothing is fetched.

The library updates itself only where ``UpdatePrices`` is started, which nobody here does.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode

OPENAI: Final = "openai"
GOOGLE: Final = "google"
_HALF = Decimal("0.5")
_HALVED = re.compile(r"text-embedding|^(models/)?gemini-")
"""Sold at half price in a batch, by OpenAI's and Google's price pages, where the table has no batch rate."""
_NUMBERED = re.compile(r"-\d{3}$")
_REMEMBERED = 10_000
"""The library takes 0.15 ms a request, and an item is priced twice: when it is answered and when it is stored."""


class PublishedPrices:
    """The ``PriceBook`` of published list prices.

    Args:
        provider: whom the models are bought from. Google's are looked up as Google's alone; OpenAI's protocol is spoken
            by many, so that there a name which is another seller's, and not OpenAI's, is priced as that seller's.
    """

    def __init__(self, provider: str = OPENAI) -> None:
        self._provider = provider

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime) -> Price | None:
        """Return the price of one request at that time, or None for a model without a published price."""
        standard = self._published(model, usage, at=at, tier=None)
        if standard is None or mode is RunMode.FAST:
            return None if standard is None else Price(usd=standard, rate="standard")
        batch = self._published(model, usage, at=at, tier="batch")
        if batch is not None and batch != standard:
            return Price(usd=batch, rate="batch")
        if _HALVED.search(model):
            return Price(usd=standard * _HALF, rate="batch (half of standard)")
        return Price(usd=standard, rate="standard (no batch rate is published)")

    def _published(self, model: str, usage: Usage, *, at: datetime, tier: str | None) -> Decimal | None:
        return _published(_references(model, provider=self._provider), usage, at=at, tier=tier)


@lru_cache(maxsize=_REMEMBERED)
def _published(
    references: tuple[tuple[str | None, str], ...], usage: Usage, *, at: datetime, tier: str | None
) -> Decimal | None:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - its table takes half a second to import
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    tokens = PricedUsage(
        input_tokens=usage.input,
        cache_read_tokens=min(usage.cached_input, usage.input),
        input_audio_tokens=min(usage.audio_input, usage.input) or None,
        output_tokens=usage.output,
    )
    context = None if tier is None else {"processing": tier}
    for provider, name in references:
        try:
            found = calc_price(tokens, name, provider_id=provider, genai_request_timestamp=at, price_context=context)
        except (LookupError, ValueError):  # no such model, or a model without a price for such tokens
            continue
        # the table says 0 of what is billed by the second, such as whisper-1: that is no price of tokens
        return None if found.total_price == 0 and usage.input + usage.output else found.total_price
    return None


def _references(model: str, *, provider: str) -> tuple[tuple[str | None, str], ...]:
    """List where to look a model up."""
    if provider == GOOGLE:
        name = model.removeprefix("models/")
        return ((GOOGLE, name), (GOOGLE, _NUMBERED.sub("", name)))  # a numbered version costs what its family does
    prefix, separator, name = model.partition("/")
    prefixed: tuple[tuple[str | None, str], ...] = ((prefix, name),) if separator and prefix and name else ()
    return ((provider, model), *prefixed, (None, model))
