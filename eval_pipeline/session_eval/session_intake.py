"""Takes sessions in, part by part: contents into the store, then facts and places into the ledger.

What is told as done is done. A part is noted before it is written and recorded in one transaction after, so that a
break leaves nothing in the store that no row knows, and doing it again completes it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.sessions import Arrival, ContentPlace, SessionRecord, arrival_of
from eval_pipeline.session_eval.session_feedback import settle_feedback
from eval_pipeline.session_eval.sessions.facts import SessionFacts, count_facts, last_active_of
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes, json_bytes
from eval_pipeline.session_eval.sessions.session import conversation_bytes, fingerprint_of
from eval_pipeline.session_eval.sessions.times import read_time
from eval_pipeline.wiring.deployment import Deployment

if TYPE_CHECKING:
    from eval_pipeline.session_eval.session_parts import Content

MOST_BAD_TOLD: Final = 1_000
_PART_SESSIONS: Final = 2_000
_BROKEN_OFF: Final = timedelta(days=1)
"""Whoever began a part so long ago is not writing it any more."""
_TRIES: Final = 5
"""To store a part that is withdrawn again and again."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is no session: where, and why."""

    file: str
    number: int
    reason: str


@dataclass(slots=True)
class IngestResult:
    """What came of bringing files in."""

    arrivals: Counter[Arrival] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    """Files by what they turned out to be."""
    bad: list[BadRecord] = field(default_factory=list)
    """The first of them."""
    bad_count: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    """What was guessed or replaced, and in how many sessions."""

    @property
    def sessions(self) -> int:
        """How many sessions were read."""
        return self.arrivals.total()

    def refuse(self, file: str, number: int, reason: str) -> None:
        """Note a record that is no session."""
        self.bad_count += 1
        if len(self.bad) < MOST_BAD_TOLD:
            self.bad.append(BadRecord(file, number, reason))


@dataclass(frozen=True, slots=True)
class _Coming:
    """A session on its way in."""

    session: JsonDict
    content: "Content"
    fingerprint: str
    about: str
    facts: SessionFacts

    @property
    def session_id(self) -> str:
        return self.content.session_id

    def at(self, place: ContentPlace) -> SessionRecord:
        """Return what the ledger keeps."""
        session = self.session
        outcome = session.get("outcome")
        return SessionRecord(
            session_id=session["session_id"],
            fingerprint=self.fingerprint,
            about=self.about,
            profile_id=session.get("profile_id"),
            name=session.get("name"),
            pinned=session.get("pinned", False),
            created_at=_moment(session, "created_at"),
            last_active=last_active_of(session),
            messages=self.facts.messages,
            facts=json_bytes(self.facts.to_json()).decode(),
            outcome=None if outcome is None else json_bytes(outcome).decode(),
            place=place,
        )


def _moment(session: Json, key: str) -> datetime | None:
    text = session.get(key)
    return None if text is None else read_time(text)


def _coming(session: JsonDict) -> _Coming:
    from eval_pipeline.session_eval.session_parts import Content  # noqa: PLC0415 - pyarrow

    conversation = conversation_bytes(session)
    about = canonical_bytes({key: item for key, item in session.items() if key not in _CONVERSATION})
    return _Coming(
        session=session,
        content=Content(session["session_id"], conversation, about),
        fingerprint=fingerprint_of(conversation),
        about=sha256(about).hexdigest(),
        facts=count_facts(session),
    )


_CONVERSATION: Final = frozenset({"messages", "tools"})


class Intake:
    """Gathers sessions to parts; one part is stored while the next is gathered."""

    def __init__(
        self,
        deployment: Deployment,
        project: str,
        *,
        result: IngestResult,
        on_progress: Callable[[IngestResult], None],
    ) -> None:
        self._deployment = deployment
        self._project = project
        self._result = result
        self._on_progress = on_progress
        self._batch: dict[str, _Coming] = {}
        self._batch_bytes = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self._pending: Future[Counter[Arrival]] | None = None

    def __enter__(self) -> Self:
        long_ago = datetime.now(UTC) - _BROKEN_OFF
        self._deployment.ledger.withdraw_parts(project=self._project, begun_before=long_ago)
        clear_withdrawn(self._deployment, self._project)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._hand_over()
            self._wait()
        finally:
            self._pool.shutdown()

    def refuse(self, file: str, number: int, reason: str) -> None:
        """Note a record that is no session."""
        self._result.refuse(file, number, reason)

    def take(self, session: JsonDict, notes: Sequence[str]) -> None:
        """Take a checked session."""
        from eval_pipeline.session_eval.session_parts import PART_BYTES  # noqa: PLC0415 - pyarrow

        for note in notes:
            self._result.notes[note] += 1
        if session["session_id"] in self._batch:  # of another file: one after the other
            self._hand_over()
        coming = _coming(session)
        self._batch[coming.session_id] = coming
        self._batch_bytes += coming.content.size_bytes
        if self._batch_bytes >= PART_BYTES or len(self._batch) >= _PART_SESSIONS:
            self._hand_over()

    def _hand_over(self) -> None:
        self._wait()
        if self._batch:
            self._pending = self._pool.submit(self._store, list(self._batch.values()))
        self._batch, self._batch_bytes = {}, 0

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._result.arrivals.update(pending.result())
            self._on_progress(self._result)

    def _store(self, batch: Sequence[_Coming]) -> Counter[Arrival]:
        ledger, project = self._deployment.ledger, self._project
        known = ledger.known_sessions(project=project, session_ids=[one.session_id for one in batch])
        arrivals = {one.session_id: arrival_of(one.fingerprint, one.about, known.get(one.session_id)) for one in batch}
        coming = [one for one in batch if arrivals[one.session_id] not in {Arrival.UNCHANGED, Arrival.FORGOTTEN}]
        if coming:
            arrivals |= _store_part(self._deployment, project, coming)
        there = [one.session for one in batch if arrivals[one.session_id] is not Arrival.FORGOTTEN]
        settle_feedback(self._deployment, project, there)
        return Counter(arrivals.values())


def _store_part(deployment: Deployment, project: str, coming: Sequence[_Coming]) -> Mapping[str, Arrival]:
    """Write contents and record them; a part that was withdrawn meanwhile is written anew."""
    from eval_pipeline.session_eval.session_parts import new_key, part_bytes  # noqa: PLC0415 - pyarrow

    data = part_bytes([one.content for one in coming])
    for _ in range(_TRIES):
        key = new_key(project)
        deployment.ledger.begin_part(project=project, key=key)
        deployment.objects.put(key, data)
        records = [one.at(ContentPlace(key, row)) for row, one in enumerate(coming)]
        arrivals = deployment.ledger.record_sessions(project=project, key=key, sessions=records)
        if arrivals is not None:
            _drop_unwanted(deployment, project, key, arrivals)
            return arrivals
        deployment.objects.delete(key)
        deployment.ledger.drop_part(project=project, key=key)
    raise RuntimeError(f"a part of the sessions of {project!r} was withdrawn {_TRIES} times")


def _drop_unwanted(deployment: Deployment, project: str, key: str, arrivals: Mapping[str, Arrival]) -> None:
    """Remove contents that another process recorded first, and those of sessions that were forgotten meanwhile."""
    from eval_pipeline.session_eval.session_parts import blank  # noqa: PLC0415 - pyarrow

    unwanted = {Arrival.UNCHANGED, Arrival.FORGOTTEN}
    if set(arrivals.values()) <= unwanted:
        deployment.objects.delete(key)
        deployment.ledger.drop_part(project=project, key=key)
    elif Arrival.FORGOTTEN in arrivals.values():
        rows = [row for row, arrival in enumerate(arrivals.values()) if arrival is Arrival.FORGOTTEN]
        blank(deployment.objects, key, rows)


def clear_withdrawn(deployment: Deployment, project: str) -> None:
    """Remove parts that nobody wants any more."""
    for key in deployment.ledger.withdrawn_parts(project=project):
        deployment.objects.delete(key)
        deployment.ledger.drop_part(project=project, key=key)
