"""Keeps a run to the endpoints that it was specified for, unless a person accepts another one.

What was accepted lies beside the run's stages, so that the daemon knows of it, too, and a report can tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from eval_pipeline.core.endpoints import FrozenEndpoint, endpoint_changed, read_endpoints
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import command_on
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.wiring.deployment import Deployment


@dataclass(frozen=True, slots=True)
class AcceptedEndpoint:
    """Another endpoint that a person let a run ask, and when."""

    name: str
    endpoint: FrozenEndpoint
    accepted_at: datetime


def require_endpoint(deployment: Deployment, run: RunRecord, name: str, *, accept: bool = False) -> None:
    """Raise ``endpoint_changed`` unless an endpoint is asked where the run's specification says.

    Args:
        deployment: where the run lives.
        run: its row.
        name: of the endpoint that is about to be asked.
        accept: whether a person wants the present endpoint, which is then written down.
    """
    frozen = read_endpoints(run.spec).get(name)
    if frozen is None:
        return
    present = deployment.endpoints(run.key.project).find(name).frozen()
    if present.place == frozen.place or present.place in {
        one.endpoint.place for one in accepted_endpoints(deployment, run) if one.name == name
    }:
        return
    if not accept:
        retry = command_on("run retry", run.key)
        raise endpoint_changed(run.key.partition, frozen=frozen, present=present, retry=retry)
    _write_down(deployment, run, AcceptedEndpoint(name, present, datetime.now(UTC)))


def require_endpoints(
    deployment: Deployment, run: RunRecord, *, accept: bool, names: Iterable[str] | None = None
) -> None:
    """Do so for several endpoints; without names for every one that the run asks."""
    for name in read_endpoints(run.spec) if names is None else names:
        require_endpoint(deployment, run, name, accept=accept)


def accepted_endpoints(deployment: Deployment, run: RunRecord) -> tuple[AcceptedEndpoint, ...]:
    """Return the other endpoints that a person accepted, oldest first."""
    try:
        stored = orjson.loads(deployment.objects.read(_key(run)))
    except NotFoundError:
        return ()
    return tuple(
        AcceptedEndpoint(
            one["name"], FrozenEndpoint.from_json(one["endpoint"]), datetime.fromisoformat(one["accepted_at"])
        )
        for one in stored
    )


def _write_down(deployment: Deployment, run: RunRecord, one: AcceptedEndpoint) -> None:
    deployment.objects.put(_key(run), _encode([*accepted_endpoints(deployment, run), one]))


def _encode(accepted: Iterable[AcceptedEndpoint]) -> bytes:
    return orjson.dumps(
        [
            {"name": one.name, "endpoint": one.endpoint.to_json(), "accepted_at": one.accepted_at.isoformat()}
            for one in accepted
        ]
    )


def _key(run: RunRecord) -> str:
    return f"{run.flow}/{run.key.project}/{run.key.run}/endpoints.json"
