"""What a stage costs: sums of prices, estimates before launch, the worst that one call may cost.

A sum with an unpriced part is null, never smaller than the truth. Amounts are exact decimals in US dollars.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import PLAINLY, Served, Usage
from eval_pipeline.core.ports.prices import Price, PriceBook
from eval_pipeline.core.runs import RunMode

NOTHING = Decimal(0)
ASCII_BYTES_PER_TOKEN = 4
OTHER_BYTES_PER_TOKEN = 2
ESTIMATED_OUTPUT_TOKENS = 500
"""Assumed per answer where the model body sets no ``max_output_tokens``; said beside every estimate."""
SAFETY = Decimal("1.25")
FRAMING_TOKENS = 64
"""What a provider adds around the texts of one request, at most."""
_HIDDEN_INPUT = frozenset({"tools", "previous_response_id", "conversation", "prompt"})


@dataclass(frozen=True, slots=True)
class StageCost:
    """What the calls of one stage used and cost."""

    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    priced_usd: Decimal = NOTHING
    unpriced: int = 0
    """Calls or items whose price nobody knows."""
    rate: str | None = None

    @property
    def cost_usd(self) -> Decimal | None:
        """The sum, or None when a part of it is unknown."""
        return None if self.unpriced else self.priced_usd

    def plus(self, usage: Usage | None, price: Price | None, *, model: str | None) -> "StageCost":
        """Add one priced call; without usage or price it counts as unpriced."""
        known = usage is not None and price is not None
        return replace(
            self,
            model=self.model or model,
            usage=self.usage if usage is None else self.usage + usage,
            priced_usd=self.priced_usd + price.usd if known and price is not None else self.priced_usd,
            unpriced=self.unpriced if known else self.unpriced + 1,
            rate=self.rate if price is None else self.rate or price.rate,
        )

    @property
    def unpriced_models(self) -> tuple[str | None, ...]:
        """What nobody publishes a price for; nothing where the sum is known."""
        return (self.model,) if self.unpriced else ()

    def to_json(self) -> JsonDict:
        """Return what the read model, the report and the metadata show."""
        return {
            "model": self.model,
            "input_tokens": self.usage.input,
            "cached_input_tokens": self.usage.cached_input,
            "output_tokens": self.usage.output,
            "reasoning_tokens": self.usage.reasoning,
            "total_tokens": self.usage.total,
            "cost_usd": as_number(self.cost_usd),
            "rate": self.rate,
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back; of an unknown sum it does not tell the known part."""
        usd = value["cost_usd"]
        return cls(
            model=value["model"],
            usage=Usage(
                input=value["input_tokens"],
                cached_input=value["cached_input_tokens"],
                output=value["output_tokens"],
                reasoning=value["reasoning_tokens"],
                total=value["total_tokens"],
            ),
            priced_usd=NOTHING if usd is None else exact_usd(usd),
            unpriced=int(usd is None),
            rate=value["rate"],
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """What several cost together, each by its name: the stages of a run, the models or experts of a stage."""

    parts: Mapping[str, StageCost]
    cost_usd: Decimal | None
    """The sum, or None when a part of it is unknown."""

    @classmethod
    def of(cls, parts: Mapping[str, StageCost]) -> Self:
        """Add them up."""
        amounts = [part.cost_usd for part in parts.values()]
        known = [amount for amount in amounts if amount is not None]
        return cls(parts, sum(known, NOTHING) if len(known) == len(amounts) else None)

    @classmethod
    def join(cls, stages: Mapping[str, "StageCost | Costs | None"]) -> Self:
        """Join what stages cost, each by its name; of one that asks several, each of them. None: it asked nobody."""
        parts: dict[str, StageCost] = {}
        for name, cost in stages.items():
            parts |= cost.parts if isinstance(cost, Costs) else {} if cost is None else {name: cost}
        return cls.of(parts)

    @property
    def unpriced_models(self) -> tuple[str | None, ...]:
        """The names of those whose price nobody publishes."""
        return tuple(name for name, part in self.parts.items() if part.cost_usd is None)

    def to_json(self) -> JsonDict:
        """Return every part by its name, and ``total_cost_usd``."""
        parts: JsonDict = {name: part.to_json() for name, part in self.parts.items()}
        return {**parts, _TOTAL: as_number(self.cost_usd)}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        parts = {name: StageCost.from_json(part) for name, part in value.items() if name != _TOTAL and part is not None}
        return cls(parts, None if value[_TOTAL] is None else exact_usd(value[_TOTAL]))


_TOTAL = "total_cost_usd"


def cost_from_json(value: Json | None) -> StageCost | Costs | None:
    """Read what a stage cost, or each of several that it asked; None where nothing is told."""
    if value is None:
        return None
    return Costs.from_json(value) if _TOTAL in value else StageCost.from_json(value)


def exact_usd(amount: float) -> Decimal:
    """Read an amount as it was written, not as a binary fraction."""
    return Decimal(str(amount))


def as_number(usd: Decimal | None) -> float | None:
    """Return an amount as JSON has it."""
    return None if usd is None else float(usd)


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices that one stage's calls fall under."""

    book: PriceBook
    model: str
    """As asked for; providers answer with the name of a snapshot."""
    mode: RunMode

    def price(
        self, usage: Usage, *, at: datetime, returned_model: str | None = None, served: Served = PLAINLY
    ) -> Price | None:
        """Price one call by the model and the tier that answered; by the model that was asked for, if it is unknown."""
        for model in filter(None, (returned_model, self.model)):
            price = self.book.price(model=model, usage=usage, mode=self.mode, at=at, served=served)
            if price is not None or self.book.price(model=model, usage=usage, mode=self.mode, at=at) is not None:
                return price  # of a known model with an unknown tier or fee, no other one's price is right
        return None


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: four bytes of ASCII each, two bytes of anything else.

    >>> estimate_tokens("What is the capital of France?"), estimate_tokens("भारत")
    (8, 6)
    """
    size = len(text.encode("utf-8", errors="surrogatepass"))
    ascii_size = size if size == len(text) else sum(map(str.isascii, text))
    return ceil(ascii_size / ASCII_BYTES_PER_TOKEN + (size - ascii_size) / OTHER_BYTES_PER_TOKEN)


def estimate_usage(texts: Iterable[str], *, repeated_text: str = "", output_tokens: int) -> Usage:
    """Estimate what asking every text would use.

    Args:
        texts: one per call.
        repeated_text: sent with every call, such as the instructions.
        output_tokens: assumed for every answer; 0 for embeddings.
    """
    repeated = estimate_tokens(repeated_text)
    asked, answered = 0, 0
    for text in texts:
        asked += repeated + estimate_tokens(text)
        answered += output_tokens
    return Usage(input=asked, output=answered, total=asked + answered)


@dataclass(frozen=True, slots=True)
class Experience:
    """What the calls so far teach about the next one's worst case."""

    calls: int = 0
    most_output: int = 0
    most_hidden_input: int = 0
    """Input tokens beyond the bytes that were sent: files that were searched, earlier turns."""

    def after(self, usage: Usage, *, body_bytes: int) -> "Experience":
        """Learn from one call."""
        return Experience(
            calls=self.calls + 1,
            most_output=max(self.most_output, usage.output),
            most_hidden_input=max(self.most_hidden_input, usage.input - body_bytes),
        )


def worst_usage(body: Json, *, body_bytes: int, experience: Experience) -> Usage | None:
    """Bound the tokens of one call, or return None when only a first call can teach the bound.

    A token is at least one byte of UTF-8, so the body's bytes bound the input; ``max_output_tokens`` bounds the output.
    Where a body has no such limit, or lets the provider add input of its own (tools, earlier turns), the bound is 1.25
    times the most that was seen so far: there the guarantee of a budget ends.
    """
    limit = _output_limit(body)
    if experience.calls == 0 and (limit is None or _HIDDEN_INPUT & body.keys()):
        return None
    output = ceil(SAFETY * experience.most_output) if limit is None else limit
    return _usage(body_bytes + FRAMING_TOKENS + ceil(SAFETY * experience.most_hidden_input), output)


def first_usage(body: Json, *, body_bytes: int) -> Usage:
    """Bound the tokens of the call that goes alone to teach the others' bound."""
    return _usage(body_bytes + FRAMING_TOKENS, _output_limit(body) or ESTIMATED_OUTPUT_TOKENS)


def _output_limit(body: Json) -> int | None:
    limit = body.get("max_output_tokens")
    return limit if type(limit) is int and limit > 0 else None


def _usage(input_tokens: int, output_tokens: int) -> Usage:
    return Usage(input=input_tokens, output=output_tokens, total=input_tokens + output_tokens)
