"""The life of a run in our own words: its flow, its mode, its states."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey


class Flow(StrEnum):
    """The evaluations, one line each: a flow is the package of its name, and declares itself in its module ``flow``."""

    TEXT = "text_eval"
    STT = "stt_eval"
    SESSIONS = "session_eval"


class RunMode(StrEnum):
    """How a run reaches its provider: batch jobs at half price, or live calls."""

    BATCH = "batch"
    FAST = "fast"


class RunState(StrEnum):
    """Where a run stands; ``interrupted`` is also derived when the worker of a running run is gone."""

    REQUESTED = "requested"
    RUNNING = "running"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"
    """From here a run only goes away; a deletion that broke off is taken up by the next one."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The operating-system process that works on a run; a process id alone may be reused by another process."""

    host: str
    pid: int
    started_at: float
    """When the process began, as the operating system counts it: seconds since boot on Linux. Compare, do not show."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of the ledger's ``runs``."""

    key: RunKey
    flow: Flow
    state: RunState
    spec: JsonDict
    spec_hash: str
    dataset_name: str
    dataset_version: str
    mode: RunMode
    requested_by: str
    created_at: datetime
    updated_at: datetime
    worker: Worker | None = None
    dagster_run_id: str | None = None
    max_cost_usd: float | None = None
    cancel_requested: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None

    def moved(self, to: RunState, *, error: EvalPipelineError | None = None) -> "RunRecord":
        """Return the run in another state, with the error that led there; an earlier one is cleared."""
        return replace(
            self,
            state=to,
            error_code=None if error is None else error.code,
            error_message=None if error is None else error.message,
            error_hint=None if error is None else error.hint,
        )
