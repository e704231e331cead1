"""What the URLs under ``/__standin__/`` for batches have in common, whichever protocol a stand-in speaks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import Generic, Protocol, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_faults import BatchPlan, Scenario, read_batch_rules
from eval_pipeline.standins.control import Standin, as_json, refusal
from eval_pipeline.standins.pace import Pace


class Planned(Protocol):
    """Whatever creates batches by a plan of scenarios."""

    plan: BatchPlan


class Forced(Protocol):
    """A batch that can be put into a state."""

    forced: str | None
    forced_done: int


BatchT = TypeVar("BatchT", bound=Forced)


class Shelf(Protocol[BatchT]):
    """All batches of one stand-in."""

    def __getitem__(self, name: str, /) -> BatchT:
        """Return a batch, or refuse as the provider does."""
        ...

    def newest_first(self) -> list[BatchT]:
        """Return all of them."""
        ...

    def clear(self) -> None:
        """Forget all of them."""
        ...


class Lives(Protocol[BatchT]):
    """What becomes of batches, by time and by looks."""

    pace: Pace
    billed: Counter[str]

    @property
    def batches(self) -> Shelf[BatchT]:
        """All batches."""
        ...

    async def move_on(self, batch: BatchT, /) -> None:
        """Let a batch be what it should be now."""
        ...

    async def settle(self) -> None:
        """Work off all that is due."""
        ...


@dataclass(frozen=True, slots=True)
class States:
    """How a protocol calls where a batch stands."""

    name: str
    plural: str
    known: Sequence[str]
    """Those that batches can be put into."""


class BatchDesk(Protocol[BatchT]):
    """What one protocol has of its own."""

    able: AbstractSet[Scenario]
    """The scenarios that the provider can show."""
    states: States
    refusals: tuple[type[Exception], ...]
    """What is raised for a batch that is not there."""

    @property
    def planned(self) -> Planned:
        """Whose rules those of ``batch_faults`` are."""
        ...

    @property
    def lives(self) -> Lives[BatchT]:
        """Whose batches they are."""
        ...

    def limits(self) -> dict[str, float]:
        """Return the settings beside the pace."""
        ...

    def apply(self, settings: Mapping[str, float], /) -> None:
        """Take over the settings beside the pace."""
        ...

    def forget(self) -> None:
        """Forget what belongs to batches, beside them and their bills."""
        ...

    def document(self, batch: BatchT, /) -> object:
        """Return a batch as the protocol writes it."""
        ...

    def summary(self) -> dict[str, object]:
        """Count the batches, as the protocol calls what is counted."""
        ...

    def billed(self) -> Mapping[str, int] | None:
        """Return how often each input was paid for, live and in batches; None where that is not counted together."""
        ...


class BatchControls(Generic[BatchT]):
    """The control URLs for the batches of one stand-in.

    Args:
        standin: whose counters are told.
        desk: what its protocol has of its own.
    """

    def __init__(self, standin: Standin, desk: BatchDesk[BatchT]) -> None:
        self._standin = standin
        self._desk = desk
        self._lives = desk.lives

    def routes(self) -> list[Route]:
        """Return the routes to add before those of all stand-ins."""
        return [
            Route("/__standin__/batch_faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/__standin__/batch_faults/hits", self.hits, methods=["GET"]),
            Route("/__standin__/batch_settings", self.settings, methods=["GET", "POST"]),
            Route("/__standin__/batches", self.batches, methods=["GET", "DELETE"]),
            Route("/__standin__/batches/{id}", self.force, methods=["POST"]),
            Route("/__standin__/counts", self.counts, methods=["GET", "DELETE"]),
        ]

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        planned = self._desk.planned
        if request.method != "GET":
            body = await request.body() if request.method == "POST" else b"[]"
            try:
                planned.plan = BatchPlan(read_batch_rules(orjson.loads(body), able=self._desk.able))
            except ValueError as error:
                return refusal(error)
        return as_json([asdict(rule) for rule in planned.plan.rules])

    async def hits(self, request: Request) -> Response:
        """Tell how many batches each rule has hit."""
        del request
        return as_json(self._desk.planned.plan.hits())

    async def settings(self, request: Request) -> Response:
        """Tell or change pace, limits and clock."""
        if request.method == "POST":
            try:
                settings = changed_settings(self._settings(), orjson.loads(await request.body()))
                self._lives.pace = Pace(seconds=float(settings["batch_seconds"]), polls=int(settings["batch_polls"]))
                self._desk.apply(settings)
            except (ValueError, TypeError) as error:
                return refusal(error)
        return as_json(self._settings())

    def _settings(self) -> dict[str, float]:
        pace = self._lives.pace
        return {"batch_seconds": pace.seconds, "batch_polls": pace.polls, **self._desk.limits()}

    async def batches(self, request: Request) -> Response:
        """Tell all batches without counting as a look, or forget them with all that belongs to them."""
        if request.method == "DELETE":
            self._lives.batches.clear()
            self._lives.billed.clear()
            self._desk.forget()
        return self._told(self._lives.batches.newest_first())

    async def force(self, request: Request) -> Response:
        """Put one batch or all into a state; null lets time and looks decide again."""
        refused: tuple[type[Exception], ...] = (ValueError, *self._desk.refusals)
        try:
            wanted = self._named(request.path_params["id"])
            state, done = read_forced(orjson.loads(await request.body()), states=self._desk.states)
        except refused as error:
            return refusal(error)
        for batch in wanted:
            batch.forced, batch.forced_done = state, done
            await self._lives.move_on(batch)
        return self._told(wanted)

    def _named(self, name: str) -> list[BatchT]:
        batches = self._lives.batches
        return batches.newest_first() if name == "all" else [batches[name]]

    def _told(self, batches: Sequence[BatchT]) -> Response:
        return as_json([self._desk.document(batch) for batch in batches])

    async def counts(self, request: Request) -> Response:
        """Tell or reset the counters; what batches billed is forgotten with the batches alone."""
        if request.method == "DELETE":
            self._standin.counts.reset()
        else:
            await self._lives.settle()
        detail = request.query_params.get("detail") == "1"
        bills = {"billed": dict(self._lives.billed)} if detail else {}
        told = self._standin.counts.as_json(detail=detail) | {"batches": self._desk.summary() | bills}
        billed = self._desk.billed() if detail else None
        return as_json(told if billed is None else told | {"billed": dict(billed)})


def changed_settings(now: Mapping[str, float], changes: Mapping[str, float]) -> dict[str, float]:
    """Return the settings with the changes, or raise for one that is unknown or below 0."""
    if unknown := sorted(set(changes) - set(now)):
        raise ValueError(f"Unknown settings {unknown}. Known: {sorted(now)}.")
    if not all(value >= 0 for value in changes.values()):
        raise ValueError(f"Settings cannot be below 0: {dict(changes)}.")
    return {**now, **changes}


def read_forced(document: object, *, states: States) -> tuple[str | None, int]:
    """Read which state batches are put into, and how many of their lines are executed then.

    Args:
        document: As it was sent.
        states: The states of the protocol.
    """
    name, known = states.name, states.known
    if not isinstance(document, dict) or not document.keys() <= {name, "done"}:
        raise ValueError(f'Expected {{"{name}": …, "done": lines executed}}, not {document!r}.')
    state, done = document.get(name), document.get("done", 0)
    if state not in (None, *known) or type(done) is not int or done < 0:
        raise ValueError(f"Unknown {name} {state!r} or lines {done!r}. Known {states.plural}: {known}.")
    return state, done
