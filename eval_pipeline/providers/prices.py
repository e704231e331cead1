"""Published prices from genai-prices' bundled table; nothing is fetched.

The library updates itself only where ``UpdatePrices`` is started, which nobody here does.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from eval_pipeline.core.outcomes import PLAINLY, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode

OPENAI: Final = "openai"
GOOGLE: Final = "google"
ANTHROPIC: Final = "anthropic"
_HALF = Decimal("0.5")
_HALVED = re.compile(r"text-embedding|^(models/)?gemini-|^claude-")
"""Sold at half price in a batch, by their providers' price pages, where the table has no batch rate."""
_STANDARD_TIERS = frozenset({None, "default", "auto", "standard"})
WEB_SEARCH: Final = "web_search_call"
_FEES_USD: Final = {"file_search_call": Decimal("0.0025")}
"""By OpenAI's price page: $2.50 per 1,000 calls. Containers of the code interpreter are billed by session, which no
answer names, so that their fee stays unknown."""
_OPEN_MODELS: Final = "gpt-oss"
"""OpenAI's that anybody may run."""
_NUMBERED = re.compile(r"-\d{3}$")
_REMEMBERED = 10_000
"""The library takes 0.15 ms a request, and an item is priced twice: when it is answered and when it is stored."""


References = tuple[tuple[str | None, str], ...]
"""Sellers and names to look a model up under, in this order."""


class PublishedPrices:
    """The ``PriceBook`` of published list prices.

    Args:
        provider: whom the models are bought from. Google's are looked up as Google's alone; OpenAI's protocol is spoken
            by many, so that there a name which is another seller's, and not OpenAI's, is priced as that seller's.
        address: of the server, where anybody may be the seller: whose it is tells whose list holds. At an address that
            is nobody's only OpenAI's own models have a price, for nobody else can serve them; an open model that
            somebody runs has none, whatever others sell it for.
    """

    def __init__(self, provider: str = OPENAI, *, address: str | None = None) -> None:
        self._provider = provider
        self._address = address

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        """Return the price of one request at that time, or None where a part of it has no published price."""
        tokens = self._of_tokens(model, usage, mode=mode, at=at, tier=served.tier)
        fees = self._fees(model, served, at=at)
        return None if tokens is None or fees is None else Price(usd=tokens.usd + fees, rate=tokens.rate)

    def window_tokens(self, model: str) -> int | None:
        """Return how many tokens a model reads at once; None where the table does not say."""
        return _window_tokens(self._references(model))

    def _of_tokens(self, model: str, usage: Usage, *, mode: RunMode, at: datetime, tier: str | None) -> Price | None:
        if mode is RunMode.FAST and tier not in _STANDARD_TIERS:
            return self._of_tier(model, usage, at=at, tier=tier)
        standard = self._published(model, usage, at=at, tier=None)
        if standard is None or mode is RunMode.FAST:
            return None if standard is None else Price(usd=standard, rate="standard")
        batch = self._published(model, usage, at=at, tier="batch")
        if batch is not None and batch != standard:
            return Price(usd=batch, rate="batch")
        if _HALVED.search(model):
            return Price(usd=standard * _HALF, rate="batch (half of standard)")
        return Price(usd=standard, rate="standard (no batch rate is published)")

    def _of_tier(self, model: str, usage: Usage, *, at: datetime, tier: str | None) -> Price | None:
        """Return the price of another tier; a table that gives the standard rate for it does not know the tier."""
        standard = self._published(model, usage, at=at, tier=None)
        price = self._published(model, usage, at=at, tier=tier, key="service_tier")
        if price is None or (price == standard and price != 0):
            return None
        return Price(usd=price, rate=str(tier))

    def _fees(self, model: str, served: Served, *, at: datetime) -> Decimal | None:
        """Return what the hosted tools cost beside their tokens; None where one of them has no known fee."""
        fees = [self._fee(model, name, at=at) for name, _ in served.tools]
        known = [fee for fee in fees if fee is not None]
        if len(known) < len(fees):
            return None
        return sum((fee * count for fee, (_, count) in zip(known, served.tools, strict=True)), Decimal(0))

    def _fee(self, model: str, tool: str, *, at: datetime) -> Decimal | None:
        if tool == WEB_SEARCH:
            return _web_search_fee(self._references(model), at=at)
        return _FEES_USD.get(tool) if self._provider == OPENAI else None

    def _references(self, model: str) -> References:
        if self._address is None:
            return _references(model, provider=self._provider)
        seller = _seller_at(self._address)
        if seller is not None:
            return ((seller, model),)
        name = model.removeprefix("openai/")  # as routers write it
        return () if name.startswith(_OPEN_MODELS) else ((OPENAI, name),)

    def _published(
        self, model: str, usage: Usage, *, at: datetime, tier: str | None, key: str = "processing"
    ) -> Decimal | None:
        return _published(self._references(model), usage, at=at, context=None if tier is None else (key, tier))


@lru_cache(maxsize=_REMEMBERED)
def _published(
    references: References, usage: Usage, *, at: datetime, context: tuple[str, str] | None
) -> Decimal | None:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - its table takes half a second to import
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    tokens = PricedUsage(
        input_tokens=usage.input,
        cache_read_tokens=min(usage.cached_input, usage.input),
        cache_write_tokens=usage.cache_written or None,
        cache_write_1h_tokens=usage.cache_written_1h or None,
        input_audio_tokens=min(usage.audio_input, usage.input) or None,
        output_tokens=usage.output,
    )
    said = None if context is None else dict([context])
    for provider, name in references:
        try:
            found = calc_price(tokens, name, provider_id=provider, genai_request_timestamp=at, price_context=said)
        except (LookupError, ValueError):  # no such model, or a model without a price for such tokens
            continue
        # the table says 0 of what is billed by the second, such as whisper-1: that is no price of tokens
        return None if found.total_price == 0 and usage.input + usage.output else found.total_price
    return None


@lru_cache(maxsize=_REMEMBERED)
def _web_search_fee(references: References, *, at: datetime) -> Decimal | None:
    """Return the fee of one search by the table, which counts them beside tokens."""
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - its table takes half a second to import
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    for provider, name in references:
        try:
            prices = [
                calc_price(
                    PricedUsage(input_tokens=1, web_searches=searches),
                    name,
                    provider_id=provider,
                    genai_request_timestamp=at,
                ).total_price
                for searches in (1, 0)
            ]
        except (LookupError, ValueError):  # no such model, or one without a price for searches
            continue
        return prices[0] - prices[1] or None
    return None


@lru_cache(maxsize=_REMEMBERED)
def _window_tokens(references: References) -> int | None:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - its table takes half a second to import

    for provider, name in references:
        try:
            _, found = get_snapshot().find_provider_model(name, None, provider, None)
        except LookupError:
            continue
        return found.context_window
    return None


@lru_cache
def _seller_at(address: str) -> str | None:
    """Return whose server an address is, by the table; None: nobody's that it knows."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - its table takes half a second to import

    try:
        return get_snapshot().find_provider(None, None, address).id
    except LookupError:
        return None


def _references(model: str, *, provider: str) -> References:
    """List where to look a model up."""
    if provider == GOOGLE:
        name = model.removeprefix("models/")
        return ((GOOGLE, name), (GOOGLE, _NUMBERED.sub("", name)))  # a numbered version costs what its family does
    prefix, separator, name = model.partition("/")
    prefixed: References = ((prefix, name),) if separator and prefix and name else ()
    return ((provider, model), *prefixed, (None, model))
