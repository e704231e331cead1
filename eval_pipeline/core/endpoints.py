"""Whom a run asks: the endpoint as it is frozen with the run, and what it means that another one would be asked.

The address is what tells two endpoints apart. The account is kept beside it for the audit alone: a key that is rotated
is another digest of the same account, and no reason to stop a run (decision 21).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import ConflictError

ENDPOINT_CHANGED = "endpoint_changed"
_KEY = "endpoints"


@dataclass(frozen=True, slots=True)
class FrozenEndpoint:
    """Where a model is asked, in which protocol, and under which account (a digest; None where no key was there)."""

    protocol: str
    base_url: str
    account: str | None

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from another one."""
        return (self.protocol, self.base_url.rstrip("/"))

    def to_json(self) -> dict[str, str | None]:
        """Return the JSON form that a specification keeps."""
        return {"protocol": self.protocol, "base_url": self.base_url, "account": self.account}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(protocol=value["protocol"], base_url=value["base_url"], account=value["account"])


Endpoints = Mapping[str, FrozenEndpoint]
"""By name; none: of a run that was specified before endpoints were written down."""


def endpoints_json(endpoints: Endpoints) -> JsonDict:
    """Return what a specification's JSON says of its endpoints; nothing of a run of the first version."""
    return {_KEY: {name: endpoint.to_json() for name, endpoint in sorted(endpoints.items())}} if endpoints else {}


def read_endpoints(spec: Json) -> dict[str, FrozenEndpoint]:
    """Read the endpoints of a specification's JSON."""
    return {name: FrozenEndpoint.from_json(value) for name, value in spec.get(_KEY, {}).items()}


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
    return ConflictError(
        f"run {run} asks {frozen.base_url} ({frozen.protocol}), but here it would ask {present.base_url} "
        f"({present.protocol}): answers of two endpoints would be mixed",
        code=ENDPOINT_CHANGED,
        hint=f"give {frozen.base_url} back to this process; or accept the other one, which every row then tells: "
        f"{retry} --endpoint-changed",
    )
