"""One batch as the stand-in knows it, how the API shows it, and the folder that outlives the process."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.batch_faults import BatchRule, Scenario, read_batch_rule
from eval_pipeline.standins.openai.batch_input import WINDOW, Problem
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.errors import no_such_batch
from eval_pipeline.standins.state_files import write_json

EXECUTION_S = 24 * 60 * 60
FINAL = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch; ``looks`` counts how often a client has seen it, ``final_looks`` since it ended."""

    id: str
    endpoint: str
    input_file_id: str
    metadata: Mapping[str, str] | None
    output_expires_after_s: int | None
    created_ns: int
    rule: BatchRule | None = None
    status: str = "validating"
    forced: str | None = None
    forced_done: int = 0
    looks: int = 0
    final_looks: int = 0
    model: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    problems: list[Problem] = field(default_factory=list)
    output_file_id: str | None = None
    error_file_id: str | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    reached_at_s: dict[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINAL

    def meets(self, *scenarios: Scenario) -> bool:
        """Tell whether it meets one of these scenarios."""
        return self.rule is not None and self.rule.scenario in scenarios

    def enter(self, status: str) -> None:
        """Go on to a status, now."""
        self.status = status
        self.reached_at_s.setdefault(status, int(time.time()))

    def as_json(self) -> dict[str, object]:
        """Return the Batch object as the API shows it at this look."""
        late = self._shows(Scenario.LATE_FILES, looks=self.final_looks)
        error_file_id = "" if self.meets(Scenario.EMPTY_ERROR_FILE_ID) else self.error_file_id
        created_at_s = self.created_ns // 10**9
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": {"object": "list", "data": self.problems} if self.problems else None,
            "input_file_id": self.input_file_id,
            "completion_window": WINDOW,
            "status": self._status_shown(),
            "output_file_id": None if late else self.output_file_id,
            "error_file_id": None if late else error_file_id,
            "created_at": created_at_s,
            "expires_at": created_at_s + EXECUTION_S,
            **{f"{status}_at": self.reached_at_s.get(status) for status in _STAMPED},
            "request_counts": None if self.meets(Scenario.NULL_COUNTS) else self._counts(),
            "usage": self._usage() if self.tokens else None,
            "metadata": self.metadata,
        }

    def _status_shown(self) -> str:
        unknown = self._shows(Scenario.UNKNOWN_STATUS, looks=self.looks) and self.looks
        return self.rule.status if self.rule and unknown else self.status

    def _shows(self, scenario: Scenario, *, looks: int) -> bool:
        return self.rule is not None and self.rule.scenario is scenario and self.rule.lasts(looks)

    def hidden_from(self, *, listing: bool) -> bool:
        """Tell whether a client does not find it, in a list or by its id."""
        looks = self.looks + 1
        vanished = self._shows(Scenario.VANISHED, looks=looks)
        return vanished or (not listing and self._shows(Scenario.FORGOTTEN, looks=looks))

    def _counts(self) -> dict[str, int]:
        return {"total": self.total, "completed": self.completed, "failed": self.failed}

    def _usage(self) -> dict[str, object]:
        return {
            "input_tokens": self.tokens.get("input", 0),
            "input_tokens_details": {"cached_tokens": self.tokens.get("cached_input", 0)},
            "output_tokens": self.tokens.get("output", 0),
            "output_tokens_details": {"reasoning_tokens": self.tokens.get("reasoning", 0)},
            "total_tokens": self.tokens.get("total", 0),
        }


_STAMPED = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


class BatchStore:
    """All batches of one stand-in, in one folder; beside each, what it has billed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        read = [_read(path) for path in folder.glob("*.json")]
        self._batches = {batch.id: batch for batch in sorted(read, key=lambda batch: batch.created_ns)}

    def __getitem__(self, batch_id: str) -> Batch:
        try:
            return self._batches[batch_id]
        except KeyError:
            raise InvalidBodyError.of(no_such_batch(batch_id)) from None

    def newest_first(self) -> list[Batch]:
        """Return all batches."""
        return list(reversed(self._batches.values()))

    def save(self, batch: Batch) -> None:
        """Keep a batch as it is now."""
        self._batches[batch.id] = batch
        write_json(self._folder / f"{batch.id}.json", asdict(batch))

    def billed_path(self, batch_id: str) -> Path:
        """Return where the billed lines of a batch are noted."""
        return self._folder / f"{batch_id}.billed"

    def clear(self) -> None:
        """Forget all batches."""
        for batch_id in self._batches:
            (self._folder / f"{batch_id}.json").unlink(missing_ok=True)
            self.billed_path(batch_id).unlink(missing_ok=True)
        self._batches.clear()


def _read(path: Path) -> Batch:
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    rule = document["rule"]
    return Batch(**{**document, "rule": None if rule is None else read_batch_rule(rule)})
