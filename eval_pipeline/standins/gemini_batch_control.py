"""The URLs under ``/__standin__/`` for Gemini's files and batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings`` GET,
POST (see ``_SETTINGS``); ``batches`` GET, DELETE (forgets batches, files and bills); ``batches/{id or "all"}`` POST
(``state``, ``done``); ``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and, with
``?detail=1``, ``billed``: how often each clip or question was paid for, live and in batches.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_faults import GEMINI_SCENARIOS, BatchPlan, read_batch_rules
from eval_pipeline.standins.control import Standin, as_json, refusal
from eval_pipeline.standins.gemini_batch_life import GeminiLives
from eval_pipeline.standins.gemini_batch_state import FINAL, GeminiBatch
from eval_pipeline.standins.gemini_batches import GeminiBatches
from eval_pipeline.standins.gemini_errors import GeminiRefusedError
from eval_pipeline.standins.gemini_file_store import GeminiFileStore
from eval_pipeline.standins.gemini_uploads import FileLimits
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
        return [
            Route("/__standin__/batch_faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/__standin__/batch_settings", self.settings, methods=["GET", "POST"]),
            Route("/__standin__/batches", self.batches, methods=["GET", "DELETE"]),
            Route("/__standin__/batches/{id}", self.force, methods=["POST"]),
            Route("/__standin__/counts", self.counts, methods=["GET", "DELETE"]),
        ]

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        if request.method != "GET":
            body = await request.body() if request.method == "POST" else b"[]"
            try:
                self._batches.plan = BatchPlan(read_batch_rules(orjson.loads(body), able=GEMINI_SCENARIOS))
            except ValueError as error:
                return refusal(error)
        return as_json([asdict(rule) for rule in self._batches.plan.rules])

    async def settings(self, request: Request) -> Response:
        """Tell or change pace, limits and how far the clock is ahead."""
        if request.method == "POST":
            try:
                self._apply(orjson.loads(await request.body()))
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

    def _apply(self, changes: Mapping[str, float]) -> None:
        now = self._settings()
        if unknown := sorted(set(changes) - set(now)):
            raise ValueError(f"Unknown settings {unknown}. Known: {sorted(now)}.")
        if not all(value >= 0 for value in changes.values()):
            raise ValueError(f"Settings cannot be below 0: {dict(changes)}.")
        now |= changes
        self._lives.pace = Pace(seconds=float(now["batch_seconds"]), polls=int(now["batch_polls"]))
        limits, file_limits = self._lives.limits, self._file_limits
        limits.requests = int(now["max_requests"])
        limits.file_bytes = int(now["max_batch_file_bytes"])
        limits.inline_bytes = int(now["max_inline_bytes"])
        limits.open_batches = int(now["max_open_batches"])
        file_limits.file_bytes = int(now["max_file_bytes"])
        file_limits.project_bytes = int(now["max_project_bytes"])
        file_limits.processing_looks = int(now["processing_looks"])
        self._lives.clock.ahead_s = float(now["ahead_s"])

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
            state, done = _read_forced(orjson.loads(await request.body()))
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


def _read_forced(document: object) -> tuple[str | None, int]:
    if not isinstance(document, dict) or not document.keys() <= {"state", "done"}:
        raise ValueError(f'Expected {{"state": …, "done": lines executed}}, not {document!r}.')
    state, done = document.get("state"), document.get("done", 0)
    if state not in (None, *_FORCIBLE) or type(done) is not int or done < 0:
        raise ValueError(f"Unknown state {state!r} or lines {done!r}. Known states: {_FORCIBLE}.")
    return state, done
