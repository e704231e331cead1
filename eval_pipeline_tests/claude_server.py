"""The Anthropic stand-in for tests of what is made of its batches: it goes wrong as it is told, and is counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from eval_pipeline.standins.anthropic.app import create_app
from eval_pipeline.standins.server import serve

KEY = "sk-ant-test-9d2b71"
_KEY_CHARACTERS = 43
_FAULTS: dict[str, list[dict[str, Any]]] = {
    "one_429": [{"kind": "rate_limit", "endpoint": "messages", "match": "q1", "first_n": 1}],
    "one_error": [{"kind": "server_error", "endpoint": "messages", "match": "q1", "first_n": 1}],
    "one_400": [{"kind": "bad_request", "endpoint": "messages", "match": "q1"}],
    "max_tokens": [{"kind": "max_tokens", "endpoint": "messages"}],
    "create_429": [{"kind": "rate_limit", "endpoint": "batches.create", "first_n": 1, "retry_after": 0}],
    "create_529": [{"kind": "overloaded", "endpoint": "batches.create", "first_n": 1, "retry_after": 0}],
    "create_500": [{"kind": "server_error", "endpoint": "batches.create", "first_n": 1}],
    "create_dropped": [{"kind": "reset", "endpoint": "batches.create", "first_n": 1}],
    "create_accepted_dropped": [{"kind": "accepted_then_reset", "endpoint": "batches.create", "first_n": 1}],
    "poll_500": [{"kind": "server_error", "endpoint": "batches.list", "first_n": 4}],
    "short_download": [{"kind": "short", "endpoint": "batches.results", "first_n": 2}],
    "reset_download": [{"kind": "reset_midway", "endpoint": "batches.results", "first_n": 2}],
}
_SCENARIOS: dict[str, dict[str, Any]] = {
    "out_of_order": {},
    "expired_partial": {"done": 3},
    "expired_no_files": {},
    "cancelled_no_files": {},
    "token_limit_on_create": {},
    "all_bad_request": {"message": "this cannot be asked"},
    "missing_line": {},
    "duplicate_line": {"lines": 2},
    "unknown_line": {},
    "cut_last_line": {},
    "result_404": {},
    "unknown_status": {"polls": 2},
    "late_files": {"polls": 1},
    "u2028": {},
    "stuck": {"done": 2},
    "vanished": {},
}


@dataclass(frozen=True)
class ClaudeServer:
    """The stand-in with its control URLs."""

    url: str
    api: httpx.Client

    def begin_anew(self, scenario: str | None = None, *, polls: int = 0, first_n: int = 1) -> None:
        """Forget everything; the first batch, or the calls that it names, goes wrong once.

        Args:
            scenario: Its name; None: all goes well.
            polls: Looks that each phase of a batch lasts.
            first_n: So many batches meet a scenario of batches.
        """
        batch = _SCENARIOS.get(scenario or "")
        rules = [] if batch is None else [{"scenario": scenario, "first_n": first_n, **batch}]
        self.set("batch_settings", {"batch_polls": polls})
        self.set("batch_faults", rules)
        self.set("faults", _FAULTS.get(scenario or "", []))
        assert scenario in {None, "all_well"} or rules or scenario in _FAULTS, scenario
        for kept in ("batches", "counts"):
            self.api.delete(f"/__standin__/{kept}")

    def set(self, what: str, document: object) -> None:
        """Set something of the stand-in."""
        self.api.post(f"/__standin__/{what}", json=document).raise_for_status()

    def counts(self) -> dict[str, Any]:
        """Return what was asked."""
        document: dict[str, Any] = self.api.get("/__standin__/counts?detail=1").json()
        return document

    @property
    def made(self) -> int:
        """How many batches were created."""
        return int(self.counts()["batches"]["created"])

    @property
    def executed(self) -> Counter[str]:
        """How often each question was answered, and paid for."""
        return Counter(self.counts()["batches"]["by_text"])

    def keys(self) -> Counter[str]:
        """Count the requests that were paid for by the submission key that they carry, and what they asked."""
        billed: dict[str, int] = self.counts()["batches"]["billed"]
        paid: Counter[str] = Counter()
        for name, times in billed.items():
            paid[name[:_KEY_CHARACTERS] + name.partition("|")[2]] += times
        return paid

    def calls(self, endpoint: str) -> int:
        """Return how often an endpoint was called."""
        return int(self.counts()[endpoint]["requests"])

    def others(self, count: int) -> None:
        """Let somebody else on the account create a batch with so many requests."""
        params = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "somebody else's"}]}
        requests = [{"custom_id": f"other-{number}", "params": params} for number in range(count)]
        headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
        self.api.post("/v1/messages/batches", json={"requests": requests}, headers=headers).raise_for_status()


@contextmanager
def claude_server() -> Iterator[ClaudeServer]:
    """Serve while the block runs."""
    with serve(create_app()) as url, httpx.Client(base_url=url, timeout=30) as api:
        yield ClaudeServer(url, api)
