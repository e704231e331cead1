"""The URLs under ``/__standin__/`` for batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings``
GET, POST (``batch_seconds``, ``batch_polls``, ``max_requests``, ``max_body_bytes``, ``ahead_s``: how far the clock is
set ahead); ``batches`` GET, DELETE (forgets batches and bills); ``batches/{id or "all"}`` POST (``status``, ``done``);
``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and their bills.
"""

from collections import Counter
from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.anthropic.batch_input import BatchLimits
from eval_pipeline.standins.anthropic.batch_life import STATUSES, Lives
from eval_pipeline.standins.anthropic.batch_state import Batch
from eval_pipeline.standins.anthropic.batches import Batches
from eval_pipeline.standins.anthropic.errors import InvalidBodyError
from eval_pipeline.standins.batch_control import answer_faults, batch_routes, changed_settings, read_forced
from eval_pipeline.standins.batch_faults import ANTHROPIC_SCENARIOS
from eval_pipeline.standins.control import Standin, as_json, refusal
from eval_pipeline.standins.pace import Pace


class BatchControls:
    """The control URLs for batches of one stand-in."""

    def __init__(self, standin: Standin, batches: Batches, lives: Lives) -> None:
        self._standin = standin
        self._batches = batches
        self._lives = lives

    def routes(self) -> list[Route]:
        """Return the routes to add before those of all stand-ins."""
        return batch_routes(
            faults=self.faults, settings=self.settings, batches=self.batches, force=self.force, counts=self.counts
        )

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        return await answer_faults(request, self._batches, able=ANTHROPIC_SCENARIOS)

    async def settings(self, request: Request) -> Response:
        """Tell or change pace, limits and clock."""
        if request.method == "POST":
            try:
                self._apply(changed_settings(self._settings(), orjson.loads(await request.body())))
            except (ValueError, TypeError) as error:
                return refusal(error)
        return as_json(self._settings())

    def _settings(self) -> dict[str, float]:
        pace, limits = self._lives.pace, self._lives.limits
        return {
            "batch_seconds": pace.seconds,
            "batch_polls": pace.polls,
            "max_requests": limits.requests,
            "max_body_bytes": limits.body_bytes,
            "ahead_s": self._lives.batches.clock.ahead_s,
        }

    def _apply(self, settings: Mapping[str, float]) -> None:
        self._lives.pace = Pace(seconds=float(settings["batch_seconds"]), polls=int(settings["batch_polls"]))
        self._lives.limits = BatchLimits(
            requests=int(settings["max_requests"]), body_bytes=int(settings["max_body_bytes"])
        )
        self._lives.batches.clock.ahead_s = float(settings["ahead_s"])

    async def batches(self, request: Request) -> Response:
        """Tell all batches without counting as a look, or forget them with their bills."""
        if request.method == "DELETE":
            self._lives.batches.clear()
            self._lives.billed.clear()
            self._batches.created = 0
        return self._told(self._lives.batches.newest_first())

    async def force(self, request: Request) -> Response:
        """Put one batch or all into a status; null lets time and looks decide again."""
        try:
            wanted = self._named(request.path_params["id"])
            forced = orjson.loads(await request.body())
            status, done = read_forced(forced, name="status", plural="statuses", known=STATUSES)
        except (ValueError, InvalidBodyError) as error:
            return refusal(error)
        for batch in wanted:
            batch.forced, batch.forced_done = status, done
            await self._lives.move_on(batch)
        return self._told(wanted)

    def _told(self, batches: list[Batch]) -> Response:
        return as_json([batch.as_json("") for batch in batches])

    def _named(self, name: str) -> list[Batch]:
        batches = self._lives.batches
        return batches.newest_first() if name == "all" else [batches[name]]

    async def counts(self, request: Request) -> Response:
        """Tell or reset the counters; what was billed is forgotten with the batches alone."""
        if request.method == "DELETE":
            self._standin.counts.reset()
        else:
            await self._lives.settle()
        detail = request.query_params.get("detail") == "1"
        return as_json(self._standin.counts.as_json(detail=detail) | {"batches": self._summary(detail=detail)})

    def _summary(self, *, detail: bool) -> dict[str, object]:
        batches, billed = self._lives.batches.newest_first(), self._lives.billed
        tokens = sum((Counter(batch.tokens) for batch in batches), Counter[str]())
        told = {
            "created": self._batches.created,
            "statuses": dict(Counter(batch.status for batch in batches)),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "by_text": dict(Counter(name.partition("|")[2] for name in billed.elements())),
            "tokens": dict(tokens),
        }
        return told | {"billed": dict(billed)} if detail else told
