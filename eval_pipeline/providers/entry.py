"""What an endpoints file says of one endpoint, whatever its protocol; the published JSON Schema is made from it.

Separate from the plans: pydantic is imported only where such a file is read. A protocol with keys of its own derives
its entry from this one and names it in its plan.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.core.protocols import ApiProtocol

MOST_CONCURRENCY = 1_000


class Strict(BaseModel):
    """Refuses keys that it does not know, and never repeats a value in what it says: it may be a key."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class EndpointEntry(Strict):
    """One endpoint."""

    protocol: Annotated[ApiProtocol, Field(strict=False)]
    base_url: Annotated[
        str | None, Field(description="Its address; for most servers it ends in /v1. Default: the vendor's own.")
    ] = None
    key: Annotated[
        str | None,
        Field(
            pattern=r"^(none|\$\{[A-Za-z_][A-Za-z0-9_]*\})$",
            description="${VARIABLE} that holds the key, or none for a server that checks none. Never the key itself.",
        ),
    ] = None
    key_file: Annotated[str | None, Field(description="A file that holds the key and nothing else.")] = None
    former_keys: Annotated[
        str | None,
        Field(
            pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
            description="${VARIABLE} that lists keys which the endpoint had before: batches are looked for under each.",
        ),
    ] = None
    concurrency: Annotated[
        int | None, Field(ge=1, le=MOST_CONCURRENCY, description="Live calls under way at once, at most.")
    ] = None
    batches: Annotated[
        bool | None,
        Field(description="Whether the server has batches. Default: only at the vendor's own address."),
    ] = None

    @property
    def address(self) -> str | None:
        """Where it is, as the file says it."""
        return self.base_url

    def prices_of(self, _name: str) -> dict[str, OwnPrice]:
        """Return own prices that stand in the entry itself, by model."""
        return {}


class PriceEntry(Strict):
    """US dollars per million tokens of one model."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    cached_input: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="Default: as any other input.")
    ] = None
    batch: Annotated[
        float, Field(ge=0, le=1, description="What of it is paid in a batch: 0.5 where that is half price.")
    ] = 1.0
    call: Annotated[float, Field(ge=0, allow_inf_nan=False, description="Of one call, beside its tokens.")] = 0.0
