"""What a run that judges sessions is: the frozen specification and its hash.

Frozen when the run's name is claimed: the panel with all of its text, where its experts are asked, which sessions with
which fingerprints (the specification holds their count and digest, a document beside it their names).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import Endpoints, FrozenEndpoint, endpoints_json, frozen_of, read_endpoints
from eval_pipeline.core.runs import RunMode
from eval_pipeline.runs.panels.judges import Judges, Seat
from eval_pipeline.session_eval.request import Feedback, Scope

SCHEMA: Final = "eval_pipeline.session_spec/1"
SELECTION: Final = "sessions"
"""What the ledger names as the dataset of such runs."""


@dataclass(frozen=True, slots=True)
class FrozenAnchors:
    """The version of an anchor set that a run judges."""

    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """The frozen specification of a run."""

    scope: Scope
    since: datetime | None
    limit: int | None
    profile: str | None
    sessions_count: int
    sessions_digest: str
    """Of ids and fingerprints, in order."""
    judges: Judges
    mode: RunMode
    concurrency: int
    failure_threshold: float
    feedback: Feedback = Feedback.HIDDEN
    endpoints: Endpoints = field(default_factory=dict)
    """Where experts are asked."""
    instrument: Mapping[str, object] | None = None
    """What sessions are judged with, as their standing is told by it."""
    anchors: FrozenAnchors | None = None
    """Whose sessions they are; such a run asks every judge anew, and stands for no session."""

    @property
    def asked_models(self) -> tuple[tuple[str, str], ...]:
        """Whom the run asks: pairs of endpoint and model."""
        return tuple(dict.fromkeys((seat.endpoint, seat.model) for seat in self.judges.seats))

    @property
    def document_name(self) -> str:
        """What the list of sessions is called where it is stored with the run."""
        return f"sessions-{self.sessions_digest[:16]}.jsonl"

    def endpoint_of(self, seat: Seat) -> FrozenEndpoint:
        """Return where an expert is asked, as it was frozen."""
        return frozen_of(self.endpoints, seat.endpoint)

    def to_json(self) -> JsonDict:
        """Return the JSON form that the ledger keeps."""
        return {
            "schema": SCHEMA,
            "scope": str(self.scope),
            "since": None if self.since is None else self.since.isoformat(),
            "limit": self.limit,
            "profile": self.profile,
            "sessions": {"count": self.sessions_count, "digest": self.sessions_digest},
            "judges": self.judges.to_json(),
            "mode": str(self.mode),
            "concurrency": self.concurrency,
            "failure_threshold": self.failure_threshold,
            "feedback": str(self.feedback),
            **endpoints_json(self.endpoints),
            **({} if self.instrument is None else {"instrument": dict(self.instrument)}),
            **({} if self.anchors is None else {"anchors": {"name": self.anchors.name, "number": self.anchors.number}}),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(
            scope=Scope(value["scope"]),
            since=None if value["since"] is None else datetime.fromisoformat(value["since"]),
            limit=value["limit"],
            profile=value["profile"],
            sessions_count=value["sessions"]["count"],
            sessions_digest=value["sessions"]["digest"],
            judges=Judges.from_json(value["judges"]),
            mode=RunMode(value["mode"]),
            concurrency=value["concurrency"],
            failure_threshold=value["failure_threshold"],
            feedback=Feedback(value["feedback"]),
            endpoints=read_endpoints(value),
            instrument=value.get("instrument"),
            anchors=FrozenAnchors(**value["anchors"]) if "anchors" in value else None,
        )

    @property
    def hash(self) -> str:
        """The sha256 of the canonical JSON."""
        return canonical_sha256(self.to_json())
