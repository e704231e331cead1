"""What the URLs under ``/__standin__/`` for batches have in common, whichever protocol a stand-in speaks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_faults import BatchPlan, Scenario, read_batch_rules
from eval_pipeline.standins.control import as_json, refusal

Handler = Callable[[Request], Awaitable[Response]]


class Planned(Protocol):
    """Whatever creates batches by a plan of scenarios."""

    plan: BatchPlan


def batch_routes(
    *, faults: Handler, settings: Handler, batches: Handler, force: Handler, counts: Handler
) -> list[Route]:
    """Return the routes to add before those of all stand-ins."""
    return [
        Route("/__standin__/batch_faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/__standin__/batch_settings", settings, methods=["GET", "POST"]),
        Route("/__standin__/batches", batches, methods=["GET", "DELETE"]),
        Route("/__standin__/batches/{id}", force, methods=["POST"]),
        Route("/__standin__/counts", counts, methods=["GET", "DELETE"]),
    ]


async def answer_faults(request: Request, planned: Planned, *, able: AbstractSet[Scenario]) -> Response:
    """Tell, replace or remove the rules in force.

    Args:
        request: Of ``batch_faults``.
        planned: Whose rules they are.
        able: The scenarios that the provider can show.
    """
    if request.method != "GET":
        body = await request.body() if request.method == "POST" else b"[]"
        try:
            planned.plan = BatchPlan(read_batch_rules(orjson.loads(body), able=able))
        except ValueError as error:
            return refusal(error)
    return as_json([asdict(rule) for rule in planned.plan.rules])


def changed_settings(now: Mapping[str, float], changes: Mapping[str, float]) -> dict[str, float]:
    """Return the settings with the changes, or raise for one that is unknown or below 0."""
    if unknown := sorted(set(changes) - set(now)):
        raise ValueError(f"Unknown settings {unknown}. Known: {sorted(now)}.")
    if not all(value >= 0 for value in changes.values()):
        raise ValueError(f"Settings cannot be below 0: {dict(changes)}.")
    return {**now, **changes}


def read_forced(document: object, *, name: str, plural: str, known: Sequence[str]) -> tuple[str | None, int]:
    """Read which state batches are put into, and how many of their lines are executed then.

    Args:
        document: As it was sent.
        name: Of a state in the protocol.
        plural: Of that name.
        known: The states that can be forced.
    """
    if not isinstance(document, dict) or not document.keys() <= {name, "done"}:
        raise ValueError(f'Expected {{"{name}": …, "done": lines executed}}, not {document!r}.')
    state, done = document.get(name), document.get("done", 0)
    if state not in (None, *known) or type(done) is not int or done < 0:
        raise ValueError(f"Unknown {name} {state!r} or lines {done!r}. Known {plural}: {known}.")
    return state, done
