"""One batch as the stand-in knows it, and how the API shows it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.kept_batches import BatchFolder, KeptBatch
from eval_pipeline.standins.openai.batch_input import WINDOW, Problem
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.errors import no_such_batch

EXECUTION_S = 24 * 60 * 60
FINAL = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(slots=True, kw_only=True)
class Batch(KeptBatch):
    """One batch; ``final_looks`` counts how often a client has seen it since it ended."""

    endpoint: str
    input_file_id: str
    metadata: Mapping[str, str] | None
    output_expires_after_s: int | None
    status: str = "validating"
    final_looks: int = 0
    model: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    problems: list[Problem] = field(default_factory=list)
    output_file_id: str | None = None
    error_file_id: str | None = None
    reached_at_s: dict[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINAL

    def enter(self, status: str) -> None:
        """Go on to a status, now."""
        self.status = status
        self.reached_at_s.setdefault(status, int(time.time()))

    def as_json(self) -> dict[str, object]:
        """Return the Batch object as the API shows it at this look."""
        late = self.meets_still(Scenario.LATE_FILES, looks=self.final_looks)
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
            "status": self.shown_as(self.status),
            "output_file_id": None if late else self.output_file_id,
            "error_file_id": None if late else error_file_id,
            "created_at": created_at_s,
            "expires_at": created_at_s + EXECUTION_S,
            **{f"{status}_at": self.reached_at_s.get(status) for status in _STAMPED},
            "request_counts": None if self.meets(Scenario.NULL_COUNTS) else self._counts(),
            "usage": self._usage() if self.tokens else None,
            "metadata": self.metadata,
        }

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


class BatchStore(BatchFolder[Batch]):
    """All batches of one stand-in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Batch, absent=lambda batch_id: InvalidBodyError.of(no_such_batch(batch_id)))
