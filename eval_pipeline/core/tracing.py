"""What a finished run looks like to a tracing service, and the port through which it gets there.

Every id and every timestamp is decided by the caller, never by the service: what is sent again replaces what is there.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Usage


@dataclass(frozen=True, slots=True)
class TraceRun:
    """One evaluation run: an experiment over one dataset version."""

    experiment_id: str
    name: str
    metadata: Json
    dataset_name: str
    dataset_metadata: Json
    model_parameters: Json


@dataclass(frozen=True, slots=True)
class Generation:
    """The model's part in one item. ``output`` is all that it said, also when that is no whole answer."""

    span_id: str
    output: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TraceScore:
    """One value that was given to one item."""

    score_id: str
    name: str
    value: float
    data_type: str
    """``NUMERIC`` or ``BOOLEAN`` (values 0 and 1)."""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class SessionScore:
    """One value that was given to a recorded session, which the service knows by the same id."""

    session_id: str
    score: TraceScore
    at: datetime


@dataclass(frozen=True, slots=True)
class ItemTrace:
    """One item of a run: its place in the dataset, what was asked and answered, and its scores."""

    item_id: str
    dataset_item_id: str
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits, as in ``Generation``."""
    question: str
    golden_answer: str
    answer: str | None
    problem: str | None
    """Why there is no answer; None for an item that is ok."""
    started_at: datetime
    latency_s: float | None
    dataset_metadata: Json
    """What belongs to the dataset item in every run."""
    metadata: Json
    generation: Generation
    scores: Sequence[TraceScore] = field(default=())


@dataclass(frozen=True, slots=True)
class DeliveredTrace:
    """A trace that the service has taken, and where a person finds it."""

    item_id: str
    trace_id: str
    url: str | None


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """What the service has confirmed so far."""

    dataset_items: int = 0
    """Written; those that already stood there as they should are not counted."""
    traces: int = 0
    scores: int = 0


class TraceDelivery(Protocol):
    """A run on its way to the service."""

    @property
    def url(self) -> str | None:
        """Where a person finds the run."""
        ...

    @property
    def counts(self) -> DeliveryCounts:
        """What was confirmed so far."""
        ...

    def send(self, items: Sequence[ItemTrace]) -> Sequence[DeliveredTrace]:
        """Deliver some hundred items; when this returns, the service has confirmed all of them.

        Raises ``UnavailableError`` (``langfuse_unavailable``) or ``UsageError`` (``langfuse_auth_failed``,
        ``langfuse_rejected``) with what was delivered until then.
        """
        ...


class ScoreSink(Protocol):
    """A tracing service that takes scores of sessions."""

    def send_scores(self, scores: Iterable[SessionScore]) -> int:
        """Deliver all scores, again without duplicates; returns how many the service has confirmed.

        Raises as ``TraceDelivery.send`` does.
        """
        ...


class TraceSink(Protocol):
    """A tracing service. Nothing is contacted before ``open``, nothing stays open after it."""

    def open(self, run: TraceRun) -> AbstractContextManager[TraceDelivery]:
        """Make the dataset known and begin to deliver; raises as ``TraceDelivery.send`` does."""
        ...
