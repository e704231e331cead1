"""The URLs under ``/__standin__/`` for files and batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings``
GET, POST (``batch_seconds``, ``batch_polls``, ``max_requests``, ``max_file_bytes``, ``max_embedding_inputs``);
``batches`` GET, DELETE (forgets batches, files and bills); ``batches/{id or "all"}`` POST (``status``, ``done``);
``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and their bills.
"""

from collections import Counter
from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_control import answer_faults, batch_routes, changed_settings, read_forced
from eval_pipeline.standins.batch_faults import OPENAI_SCENARIOS
from eval_pipeline.standins.control import Standin, as_json, refusal
from eval_pipeline.standins.openai.batch_input import BatchLimits
from eval_pipeline.standins.openai.batch_life import PHASES, Lives
from eval_pipeline.standins.openai.batch_state import FINAL, Batch
from eval_pipeline.standins.openai.batches import Batches
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.file_store import FileStore
from eval_pipeline.standins.pace import Pace

_FORCIBLE = sorted({*PHASES, *FINAL, "cancelling"})


class BatchControls:
    """The control URLs for files and batches of one stand-in."""

    def __init__(self, standin: Standin, batches: Batches, lives: Lives, files: FileStore) -> None:
        self._standin = standin
        self._batches = batches
        self._lives = lives
        self._files = files

    def routes(self) -> list[Route]:
        """Return the routes to add before those of all stand-ins."""
        return batch_routes(
            faults=self.faults, settings=self.settings, batches=self.batches, force=self.force, counts=self.counts
        )

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        return await answer_faults(request, self._batches, able=OPENAI_SCENARIOS)

    async def settings(self, request: Request) -> Response:
        """Tell or change pace and limits."""
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
            "max_file_bytes": limits.file_bytes,
            "max_embedding_inputs": limits.embedding_inputs,
        }

    def _apply(self, settings: Mapping[str, float]) -> None:
        self._lives.pace = Pace(seconds=float(settings["batch_seconds"]), polls=int(settings["batch_polls"]))
        self._lives.limits = BatchLimits(
            requests=int(settings["max_requests"]),
            file_bytes=int(settings["max_file_bytes"]),
            embedding_inputs=int(settings["max_embedding_inputs"]),
        )

    async def batches(self, request: Request) -> Response:
        """Tell all batches without counting as a look, or forget them with their files and bills."""
        if request.method == "DELETE":
            self._lives.batches.clear()
            self._lives.billed.clear()
            self._files.clear()
        return as_json([batch.as_json() for batch in self._lives.batches.newest_first()])

    async def force(self, request: Request) -> Response:
        """Put one batch or all into a status; null lets time and looks decide again."""
        try:
            wanted = self._named(request.path_params["id"])
            forced = orjson.loads(await request.body())
            status, done = read_forced(forced, name="status", plural="statuses", known=_FORCIBLE)
        except (ValueError, InvalidBodyError) as error:
            return refusal(error)
        for batch in wanted:
            batch.forced, batch.forced_done = status, done
            await self._lives.move_on(batch)
        return as_json([batch.as_json() for batch in wanted])

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
            "created": len(batches),
            "statuses": dict(Counter(batch.status for batch in batches)),
            "by_metadata": _by_metadata(batches),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "tokens": dict(tokens),
        }
        return told | {"billed": dict(billed)} if detail else told


def _by_metadata(batches: list[Batch]) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for batch in batches:
        for key, value in (batch.metadata or {}).items():
            values = told.setdefault(key, {})
            values[value] = values.get(value, 0) + 1
    return told
