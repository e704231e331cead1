"""What a stand-in keeps while it runs, and the URLs under ``/__standin__/`` that read and set it.

``faults`` GET, POST (a JSON list of rules replaces those in force), DELETE; ``faults/hits`` GET; ``settings`` GET, POST
(``latency_s``, ``requests_per_window``, ``tokens_per_window``, ``window_s``); ``counts`` GET
(``?detail=1`` adds how often each text was asked), DELETE.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.counts import Counts
from eval_pipeline.standins.faults import ANY_ENDPOINT, FaultKind, FaultPlan, FaultRule, FaultRuleError, read_rules
from eval_pipeline.standins.limits import Clock, RateLimiter, RateLimits


class Standin:
    """State of one stand-in: counters, faults in force, latency and limits.

    Args:
        kinds: The endpoints, and which faults each can show.
    """

    def __init__(
        self,
        *,
        kinds: Mapping[str, frozenset[FaultKind]],
        rules: Sequence[FaultRule] = (),
        latency_s: float = 0.0,
        limits: RateLimits | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.kinds = kinds
        self.counts = Counts(list(kinds))
        self.latency_s = latency_s
        self._clock = clock
        self.set_rules(rules)
        self.set_limits(limits or RateLimits())

    def set_rules(self, rules: Sequence[FaultRule]) -> None:
        """Put these rules in force, with nothing hit yet."""
        for rule in rules:
            self._check(rule)
        self.faults = FaultPlan(rules)

    def set_limits(self, limits: RateLimits) -> None:
        """Start with full buckets of this size."""
        self.limits = limits
        self.limiters = {name: RateLimiter(limits, clock=self._clock) for name in self.kinds}

    def _check(self, rule: FaultRule) -> None:
        if rule.endpoint not in (ANY_ENDPOINT, *self.kinds):
            raise FaultRuleError(f"Unknown endpoint {rule.endpoint!r} in a fault rule. Known: {[*self.kinds]}.")
        able = frozenset[FaultKind]().union(*(k for name, k in self.kinds.items() if rule.concerns(name)))
        if rule.kind not in able:
            known = sorted(able)
            raise FaultRuleError(f"Endpoint {rule.endpoint!r} cannot show {str(rule.kind)!r}. It can: {known}.")


class Controls:
    """The control URLs of one stand-in."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin

    def routes(self) -> list[Route]:
        """Return the routes to add to the application."""
        return [
            Route("/__standin__/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/__standin__/faults/hits", self.hits, methods=["GET"]),
            Route("/__standin__/settings", self.settings, methods=["GET", "POST"]),
            Route("/__standin__/counts", self.counts, methods=["GET", "DELETE"]),
        ]

    async def faults(self, request: Request) -> Response:
        """Tell, replace or remove the rules in force."""
        if request.method != "GET":
            body = await request.body() if request.method == "POST" else b"[]"
            try:
                self._standin.set_rules(read_rules(orjson.loads(body)))
            except ValueError as error:  # JSON errors are ValueErrors too
                return refusal(error)
        return as_json([asdict(rule) for rule in self._standin.faults.rules])

    async def hits(self, request: Request) -> Response:
        """Tell how often each rule was met."""
        del request
        return as_json(self._standin.faults.hits())

    async def settings(self, request: Request) -> Response:
        """Tell or change latency and limits."""
        standin = self._standin
        if request.method == "POST":
            try:
                self._apply(orjson.loads(await request.body()))
            except (ValueError, TypeError) as error:
                return refusal(error)
        limits = standin.limits
        return as_json(
            {
                "latency_s": standin.latency_s,
                "requests_per_window": limits.requests,
                "tokens_per_window": limits.tokens,
                "window_s": limits.window_s,
            },
        )

    def _apply(self, changes: Mapping[str, float]) -> None:
        known = {"latency_s", "requests_per_window", "tokens_per_window", "window_s"}
        if unknown := sorted(set(changes) - known):
            raise ValueError(f"Unknown settings {unknown}. Known: {sorted(known)}.")
        if not all(value > 0 for key, value in changes.items() if key != "latency_s"):
            raise ValueError(f"Limits and window must be above 0, not {dict(changes)}.")
        limits = self._standin.limits
        self._standin.latency_s = float(changes.get("latency_s", self._standin.latency_s))
        if changes.keys() - {"latency_s"}:
            self._standin.set_limits(
                RateLimits(
                    requests=int(changes.get("requests_per_window", limits.requests)),
                    tokens=int(changes.get("tokens_per_window", limits.tokens)),
                    window_s=float(changes.get("window_s", limits.window_s)),
                ),
            )

    async def counts(self, request: Request) -> Response:
        """Tell or reset the counters."""
        if request.method == "DELETE":
            self._standin.counts.reset()
        return as_json(self._standin.counts.as_json(detail=request.query_params.get("detail") == "1"))


def as_json(document: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(document), status, headers=headers, media_type="application/json")


def refusal(error: Exception) -> Response:
    """Return why a control request was not understood."""
    return as_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
