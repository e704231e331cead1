"""Which sessions a run judges: chosen before it is claimed, kept beside it as a document, read by its stages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self

import orjson

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import NotFoundError, UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.runs.claims import handed_file_key
from eval_pipeline.session_eval import session_store
from eval_pipeline.session_eval.request import Scope, SessionRequest
from eval_pipeline.session_eval.results_store import read_standings
from eval_pipeline.session_eval.scoring.standing import Instrument
from eval_pipeline.session_eval.session_store import StoredSession
from eval_pipeline.session_eval.spec import SELECTION, SessionSpec
from eval_pipeline.wiring.deployment import Deployment

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ChosenSession:
    """A session as it was when the run was claimed."""

    session_id: str
    fingerprint: str
    profile_id: str | None
    name: str | None
    created_at: datetime | None
    last_active: datetime | None
    message_count: int
    facts: Json = field(default_factory=dict)

    def to_json(self) -> JsonDict:
        """Return the JSON form that the run keeps."""
        return {
            "session_id": self.session_id,
            "fingerprint": self.fingerprint,
            "profile_id": self.profile_id,
            "name": self.name,
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
            "last_active": None if self.last_active is None else self.last_active.isoformat(),
            "message_count": self.message_count,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        moments = {name: _moment(value[name]) for name in ("created_at", "last_active")}
        return cls(**{**value, **moments})


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Selection:
    """The sessions of a run, as the ledger names them."""

    sessions: Sequence[ChosenSession]
    name: str = SELECTION

    @property
    def version(self) -> str:
        """Digest of ids and fingerprints, in order."""
        digest = sha256()
        for one in self.sessions:
            digest.update(orjson.dumps([one.session_id, one.fingerprint]) + b"\n")
        return digest.hexdigest()

    def document(self) -> bytes:
        """Return what the run keeps of them, a line each."""
        return b"".join(orjson.dumps(one.to_json()) + b"\n" for one in self.sessions)


def choose(
    request: SessionRequest, *, deployment: Deployment, project: str, instrument: Instrument
) -> list[ChosenSession]:
    """Return the sessions that a person means, in the order of their last activity, then of their ids.

    Args:
        request: what that person asks for.
        deployment: where sessions are.
        project: whose.
        instrument: what they are to be judged with: one that it has judged as it is now is not unevaluated.

    Raises:
        NotFoundError: ``session_not_found``, for an id that the project does not have.
    """
    if request.sessions:
        found = [_find(deployment, project, session_id) for session_id in request.sessions]
    else:
        found = [as_chosen(row) for row in session_store.each(deployment, project)]
    wanted = [one for one in found if _fits(one, request)]
    if request.chosen_scope is Scope.UNEVALUATED:
        standings = read_standings(deployment, project, current=instrument)
        wanted = [one for one in wanted if standings.is_to_be_judged(one.session_id, one.fingerprint)]
    return in_order(wanted)


def in_order(chosen: Iterable[ChosenSession]) -> list[ChosenSession]:
    """Return sessions in the order of every run: by their last activity, then by their ids."""
    return sorted(chosen, key=lambda one: (one.last_active is None, one.last_active or _EARLIEST, one.session_id))


def limited(chosen: Iterable[ChosenSession], request: SessionRequest) -> Selection:
    """Return at most as many as a person wants, or refuse when there is none."""
    sessions = [one for _, one in zip(range(request.limit or 10**12), chosen, strict=False)]
    if not sessions:
        raise _nothing_left(request)
    return Selection(sessions)


def read_chosen(deployment: Deployment, run: RunRecord) -> Iterator[ChosenSession]:
    """Read the sessions of a run as they were chosen."""
    spec = SessionSpec.from_json(run.spec)
    document = deployment.objects.read(handed_file_key(run.flow, run.key, spec.document_name))
    yield from (ChosenSession.from_json(orjson.loads(line)) for line in document.splitlines())


def _find(deployment: Deployment, project: str, session_id: str) -> ChosenSession:
    row = session_store.find(deployment, project, session_id)
    if row is None:
        raise NotFoundError(
            f"project {project} has no session {shown(session_id)}",
            code="session_not_found",
            hint="eval-pipeline session list shows the sessions; eval-pipeline session ingest brings more in",
        )
    return as_chosen(row)


def as_chosen(row: StoredSession) -> ChosenSession:
    """Return a session as it is now."""
    return ChosenSession(
        session_id=row.session_id,
        fingerprint=row.session_fingerprint,
        profile_id=row.profile_id,
        name=row.name,
        created_at=row.created_at,
        last_active=row.last_active,
        message_count=row.message_count,
        facts=row.facts.to_json(),
    )


def _fits(one: ChosenSession, request: SessionRequest) -> bool:
    if request.profile is not None and one.profile_id != request.profile:
        return False
    since = request.active_since
    return since is None or (one.last_active is not None and one.last_active >= since)


def _nothing_left(request: SessionRequest) -> UsageError:
    told = [f"scope {request.chosen_scope}"]
    told += [] if request.since is None else [f"since {request.since}"]
    told += [] if request.profile is None else [f"profile {shown(request.profile)}"]
    judged = request.chosen_scope is Scope.UNEVALUATED
    return UsageError(
        f"there is no session left to judge ({', '.join(told)})",
        code="no_sessions",
        hint="bring sessions in with eval-pipeline session ingest"
        + ("; --scope all takes those that are judged already, and pays nothing for them" if judged else ""),
    )
