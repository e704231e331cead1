"""Whom a run asks: the endpoint as it is frozen with the run, and what it means that another one would be asked.

The address is what tells two endpoints apart. The account is kept beside it for the audit alone: a key that is rotated
is another digest of the same account, and no reason to stop a run (decision 21).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.core.protocols import BUILT_IN, OPENAI, ApiProtocol

ENDPOINT_CHANGED = "endpoint_changed"
_KEY = "endpoints"


@dataclass(frozen=True, slots=True)
class FrozenEndpoint:
    """Where a model is asked, in which protocol, and under which account (a digest; None where no key was there)."""

    protocol: ApiProtocol
    base_url: str
    account: str | None
    batches: bool = True
    """Whether it was said to have batches, if its protocol has any."""
    prices: Mapping[str, OwnPrice] = field(default_factory=dict)
    """Set by a person for models that the run asks, by name: editing them later does not change what it cost."""
    form: str | None = None
    """Digest of how it is asked and read, where a person wrote that down; None where its protocol says it."""

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from another one."""
        return (self.protocol, self.base_url.rstrip("/"), self.form or "")

    def to_json(self) -> JsonDict:
        """Return the JSON form that a specification keeps; of the built-in ones it is that of earlier versions."""
        batches = {} if self.batches else {"batches": False}
        prices = {"prices": {name: price.to_json() for name, price in sorted(self.prices.items())}}
        return {
            "protocol": str(self.protocol),
            "base_url": self.base_url,
            "account": self.account,
            **batches,
            **(prices if self.prices else {}),
            **({} if self.form is None else {"form": self.form}),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(
            protocol=ApiProtocol(value["protocol"]),
            base_url=value["base_url"],
            account=value["account"],
            batches=value.get("batches", True),
            prices={name: OwnPrice.from_json(price) for name, price in value.get("prices", {}).items()},
            form=value.get("form"),
        )


Endpoints = Mapping[str, FrozenEndpoint]
"""By name; none: of a run that was specified before endpoints were written down."""
NO_ENDPOINTS: Final[Endpoints] = MappingProxyType({})


def endpoints_json(endpoints: Endpoints) -> JsonDict:
    """Return what a specification's JSON says of its endpoints; nothing of a run of the first version."""
    return {_KEY: {name: endpoint.to_json() for name, endpoint in sorted(endpoints.items())}} if endpoints else {}


def read_endpoints(spec: Json) -> dict[str, FrozenEndpoint]:
    """Read the endpoints of a specification's JSON."""
    return {name: FrozenEndpoint.from_json(value) for name, value in spec.get(_KEY, {}).items()}


def frozen_of(endpoints: Endpoints, name: str) -> FrozenEndpoint:
    """Return an endpoint of a run; one of an earlier version asked the built-in ones, wherever they were."""
    return endpoints.get(name) or FrozenEndpoint(BUILT_IN.get(name, BUILT_IN[OPENAI]), base_url="", account=None)


def same_but_for_endpoints(given: Json, frozen: Json) -> bool:
    """Tell whether two specifications ask the same of a model, wherever it is."""
    return _elsewhere(given) == _elsewhere(frozen)


def _elsewhere(spec: Json) -> str:
    # the schema's number says only whether endpoints are written down
    return canonical_sha256({name: value for name, value in spec.items() if name not in {_KEY, "schema"}})


def endpoint_changed(run: str, *, frozen: FrozenEndpoint, present: FrozenEndpoint, retry: str) -> ConflictError:
    """Build the error of a run that would ask another endpoint than the one it was specified for.

    Args:
        run: its name.
        frozen: of its specification.
        present: of this process.
        retry: the command that takes the run up again.
    """
    if frozen.place[:2] == present.place[:2]:
        return ConflictError(
            f"run {run} asks {frozen.base_url}, and what the endpoints file says of it (its request, or where its "
            "answer lies) has changed since: answers of two ways of asking would be mixed",
            code=ENDPOINT_CHANGED,
            hint=f"write it as it was, or begin another run; or accept the change: {retry} --endpoint-changed",
        )
    return ConflictError(
        f"run {run} asks {frozen.base_url} ({frozen.protocol}), but here it would ask {present.base_url} "
        f"({present.protocol}): answers of two endpoints would be mixed",
        code=ENDPOINT_CHANGED,
        hint=f"give {frozen.base_url} back to this process; or accept the other one, which every row then tells: "
        f"{retry} --endpoint-changed",
    )
