"""The URLs under ``/__standin__/`` for Gemini's files and batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings`` GET,
POST (see ``_SETTINGS``); ``batches`` GET, DELETE (forgets batches, files and bills); ``batches/{id or "all"}`` POST
(``state``, ``done``); ``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and, with
``?detail=1``, ``billed``: how often each clip or question was paid for, live and in batches.
"""

from collections import Counter
from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_control import answer_faults, batch_routes, changed_settings, read_forced
from eval_pipeline.standins.batch_faults import GEMINI_SCENARIOS
from eval_pipeline.standins.control import Standin, as_json, refusal
from eval_pipeline.standins.gemini.batch_life import GeminiLives
from eval_pipeline.standins.gemini.batch_state import FINAL, GeminiBatch
from eval_pipeline.standins.gemini.batches import GeminiBatches
from eval_pipeline.standins.gemini.errors import GeminiRefusedError
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.gemini.uploads import FileLimits
from eval_pipeline.standins.pace import Pace

_FORCIBLE = sorted({*FINAL, "PENDING", "RUNNING"})


class GeminiBatchControls:
    """The control URLs for files and batches of one stand-in."""

    def __init__(
        self,
        standin: Standin,
        batches: GeminiBatches,
        lives: GeminiLives,
        files: GeminiFileStore,
        file_limits: FileLimits,
    ) -> None:
        self._standin = standin
        self._batches = batches
        self._lives = lives
        self._files = files
        self._file_limits = file_limits

    def routes(self) -> list[Route]:
        """Return the routes to add before those of all stand-ins."""
        return batch_routes(
            faults=self.faults, settings=self.settings, batches=self.batches, force=self.force, counts=self.counts
        )

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        return await answer_faults(request, self._batches, able=GEMINI_SCENARIOS)

    async def settings(self, request: Request) -> Response:
        """Tell or change pace, limits and how far the clock is ahead."""
        if request.method == "POST":
            try:
                self._apply(changed_settings(self._settings(), orjson.loads(await request.body())))
            except (ValueError, TypeError) as error:
                return refusal(error)
        return as_json(self._settings())

    def _settings(self) -> dict[str, float]:
        pace, limits, file_limits = self._lives.pace, self._lives.limits, self._file_limits
        return {
            "batch_seconds": pace.seconds,
            "batch_polls": pace.polls,
            "max_requests": limits.requests,
            "max_batch_file_bytes": limits.file_bytes,
            "max_inline_bytes": limits.inline_bytes,
            "max_open_batches": limits.open_batches,
            "max_file_bytes": file_limits.file_bytes,
            "max_project_bytes": file_limits.project_bytes,
            "processing_looks": file_limits.processing_looks,
            "ahead_s": self._lives.clock.ahead_s,
        }

    def _apply(self, settings: Mapping[str, float]) -> None:
        self._lives.pace = Pace(seconds=float(settings["batch_seconds"]), polls=int(settings["batch_polls"]))
        limits, file_limits = self._lives.limits, self._file_limits
        limits.requests = int(settings["max_requests"])
        limits.file_bytes = int(settings["max_batch_file_bytes"])
        limits.inline_bytes = int(settings["max_inline_bytes"])
        limits.open_batches = int(settings["max_open_batches"])
        file_limits.file_bytes = int(settings["max_file_bytes"])
        file_limits.project_bytes = int(settings["max_project_bytes"])
        file_limits.processing_looks = int(settings["processing_looks"])
        self._lives.clock.ahead_s = float(settings["ahead_s"])

    async def batches(self, request: Request) -> Response:
        """Tell all batches without counting as a look, or forget them with their files and bills."""
        if request.method == "DELETE":
            self._lives.batches.clear()
            self._lives.billed.clear()
            self._lives.billed_inputs.clear()
            self._files.clear()
        return as_json([self._lives.batches.document(batch) for batch in self._lives.batches.newest_first()])

    async def force(self, request: Request) -> Response:
        """Put one batch or all into a state; null lets time and looks decide again."""
        try:
            wanted = self._named(request.path_params["id"])
            forced = orjson.loads(await request.body())
            state, done = read_forced(forced, name="state", plural="states", known=_FORCIBLE)
        except (ValueError, GeminiRefusedError) as error:
            return refusal(error)
        for batch in wanted:
            batch.forced, batch.forced_done = state, done
            await self._lives.move_on(batch)
        return as_json([self._lives.batches.document(batch) for batch in wanted])

    def _named(self, name: str) -> list[GeminiBatch]:
        batches = self._lives.batches
        return batches.newest_first() if name == "all" else [batches[name]]

    async def counts(self, request: Request) -> Response:
        """Tell or reset the counters; what batches billed is forgotten with the batches alone."""
        if request.method == "DELETE":
            self._standin.counts.reset()
        else:
            await self._lives.settle()
        detail = request.query_params.get("detail") == "1"
        told = self._standin.counts.as_json(detail=detail) | {"batches": self._summary(detail=detail)}
        return as_json(told | {"billed": dict(self._billed())} if detail else told)

    def _billed(self) -> Counter[str]:
        counts = self._standin.counts
        return counts["generate"].billed + counts["embed"].billed + self._lives.billed_inputs

    def _summary(self, *, detail: bool) -> dict[str, object]:
        batches, billed = self._lives.batches.newest_first(), self._lives.billed
        told: dict[str, object] = {
            "created": len(batches),
            "states": dict(Counter(batch.state for batch in batches)),
            "by_display_name": dict(Counter(batch.display_name or "" for batch in batches)),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "tokens": dict(sum((Counter(batch.tokens) for batch in batches), Counter[str]())),
        }
        return told | {"billed": dict(billed)} if detail else told
