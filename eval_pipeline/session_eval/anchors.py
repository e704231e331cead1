"""A project's anchor sets: sessions that are frozen, to be judged again whenever a judge may have moved.

A set holds ids, fingerprints and counted facts, never what a session said. Each version is written once and stays: who
sets a name anew adds a version, so that a run always tells which contents it judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Final, Self

import orjson

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.names import RunKey, shown, validate_anchors_name, validate_project
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.session_results import ScoredStatus
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval import session_store
from eval_pipeline.session_eval.chosen import ChosenSession, as_chosen, in_order, read_chosen
from eval_pipeline.session_eval.scoring.drift import FEWEST_ANCHORS, MOST_ANCHORS
from eval_pipeline.wiring.deployment import Deployment

SCHEMA: Final = "eval_pipeline.session_anchors/1"
USUAL: Final = 50
"""How many are taken of a run that judged as many, when nobody says."""
_FOLDER: Final = "session_anchors"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSet:
    """One version of an anchor set."""

    project: str
    name: str
    number: int
    """Of the version, from 1."""
    from_run: str | None
    """The run whose sessions they are; what it said of them is the first baseline."""
    created_at: datetime
    sessions: Sequence[ChosenSession]

    def to_json(self) -> JsonDict:
        """Return what is stored, and what scripts read."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "name": self.name,
            "number": self.number,
            "from_run": self.from_run,
            "created_at": self.created_at.isoformat(),
            "sessions": [one.to_json() for one in self.sessions],
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read it back."""
        return cls(
            project=value["project"],
            name=value["name"],
            number=value["number"],
            from_run=value["from_run"],
            created_at=datetime.fromisoformat(value["created_at"]),
            sessions=[ChosenSession.from_json(one) for one in value["sessions"]],
        )


def set_from_run(deployment: Deployment, project: str, name: str, *, run: str, count: int | None = None) -> AnchorSet:
    """Freeze sessions that a run judged wholly, with the contents that it judged; drawn, and the same ones each time.

    Raises:
        UsageError: ``too_few_anchors`` where it judged fewer than are wanted; ``invalid_config`` for another count.
    """
    validate_anchors_name(name)
    if count is not None and not FEWEST_ANCHORS <= count <= MOST_ANCHORS:
        raise _wrong_count(name, count, remedy=f"say --count {FEWEST_ANCHORS} to {MOST_ANCHORS}")
    key = RunKey.of(project=project, run=run)
    found = find_run(deployment, flow=Flow.SESSIONS, key=key)
    scores = StoredRun(deployment, found).open("session_scores")
    rows = scores.rows(("session_id", "status"))
    whole = {row["session_id"] for row in rows if row["status"] == ScoredStatus.EVALUATED.value}
    drawn = sorted(
        (one for one in read_chosen(deployment, found) if one.session_id in whole),
        key=lambda one: sha256(f"{name}\0{one.session_id}".encode()).digest(),
    )
    judged = list(islice((one for one in drawn if _is_kept(deployment, key, one)), count or USUAL))
    wanted = count or FEWEST_ANCHORS
    if len(judged) < wanted:
        enough = len(judged) >= FEWEST_ANCHORS
        raise UsageError(
            f"anchor set {shown(name)} needs {wanted:,} sessions, and run {shown(run)} judged "
            f"{len(judged):,} wholly that are still there",
            code="too_few_anchors",
            hint=f"say --count {len(judged)}, or name another run"
            if enough
            else f"name a run that judged {FEWEST_ANCHORS} or more, or the ids of {FEWEST_ANCHORS} sessions",
        )
    return _keep(deployment, project, name, from_run=run, sessions=judged)


def set_of_sessions(deployment: Deployment, project: str, name: str, *, session_ids: Sequence[str]) -> AnchorSet:
    """Freeze the sessions that are named, with the contents that they have now.

    Raises:
        UsageError: ``too_few_anchors``, ``invalid_config`` for too many.
        NotFoundError: ``session_not_found``.
    """
    validate_anchors_name(name)
    ids = list(dict.fromkeys(session_ids))
    if len(ids) < FEWEST_ANCHORS:
        raise UsageError(
            f"anchor set {shown(name)} would have {len(ids):,} sessions: fewer than {FEWEST_ANCHORS} tell little",
            code="too_few_anchors",
            hint=f"name {FEWEST_ANCHORS} to {MOST_ANCHORS}, or take them from a run with --from RUN",
        )
    if len(ids) > MOST_ANCHORS:
        raise _wrong_count(name, len(ids), remedy=f"name {FEWEST_ANCHORS} to {MOST_ANCHORS}")
    rows = session_store.require(deployment, validate_project(project), ids)
    return _keep(deployment, project, name, from_run=None, sessions=[as_chosen(row) for row in rows])


def find_anchors(deployment: Deployment, project: str, name: str, *, number: int | None = None) -> AnchorSet:
    """Return a version of an anchor set, by default the newest; else raise ``anchors_not_found``."""
    versions = _versions(deployment, project, validate_anchors_name(name))
    wanted = versions[-1] if versions and number is None else number
    if wanted is None or wanted not in versions:
        version = "" if number is None else f", version {number}"
        raise NotFoundError(
            f"project {project} has no anchor set {shown(name)}{version}",
            code="anchors_not_found",
            hint="see which there are: eval-pipeline session anchors list; "
            "make one: eval-pipeline session anchors set NAME --from RUN",
        )
    return AnchorSet.from_json(orjson.loads(deployment.objects.read(_key(project, name, wanted))))


def each_anchors(deployment: Deployment, project: str) -> Iterator[AnchorSet]:
    """Yield the newest version of every anchor set of a project, by name."""
    for name in deployment.objects.folders(f"{_FOLDER}/{validate_project(project)}"):
        yield find_anchors(deployment, project, name)


def anchored(deployment: Deployment, anchors: AnchorSet) -> list[ChosenSession]:
    """Return the frozen sessions for a run, in the order of every run.

    Raises:
        NotFoundError: ``anchors_gone``, where one was deleted or forgotten since.
    """
    found: list[ChosenSession] = []
    gone: list[str] = []
    for one in anchors.sessions:
        stored = session_store.find(deployment, anchors.project, one.session_id, fingerprint=one.fingerprint)
        if stored is None:
            gone.append(one.session_id)
        else:
            found.append(replace(one, name=stored.name))
    if gone:
        raise NotFoundError(
            f"{len(gone):,} of the {len(anchors.sessions):,} sessions of anchor set {shown(anchors.name)} are not "
            f"there any more as they were frozen, the first is {shown(gone[0])}",
            code="anchors_gone",
            hint=f"set it anew: eval-pipeline session anchors set {anchors.name} --from RUN",
        )
    return in_order(found)


def _is_kept(deployment: Deployment, key: RunKey, one: ChosenSession) -> bool:
    return session_store.find(deployment, key.project, one.session_id, fingerprint=one.fingerprint) is not None


def _keep(
    deployment: Deployment, project: str, name: str, *, from_run: str | None, sessions: Sequence[ChosenSession]
) -> AnchorSet:
    """Write the next version; where the newest one holds the same, it stays."""
    frozen = [replace(one, name=None) for one in sessions]
    while True:
        versions = _versions(deployment, project, name)
        if versions:
            newest = find_anchors(deployment, project, name, number=versions[-1])
            if newest.from_run == from_run and list(newest.sessions) == frozen:
                return newest
        number = versions[-1] + 1 if versions else 1
        anchors = AnchorSet(
            project=project,
            name=name,
            number=number,
            from_run=from_run,
            created_at=datetime.now(UTC),
            sessions=frozen,
        )
        try:
            deployment.objects.create(_key(project, name, number), orjson.dumps(anchors.to_json()))
        except ConflictError:  # another process was first: this one comes after it
            continue
        return anchors


def _versions(deployment: Deployment, project: str, name: str) -> list[int]:
    """Return the numbers of the versions that there are, oldest first."""
    keys = deployment.objects.list(f"{_FOLDER}/{validate_project(project)}/{name}")
    return sorted(int(key.rpartition("/")[2].removesuffix(".json")) for key in keys)


def _key(project: str, name: str, number: int) -> str:
    return f"{_FOLDER}/{project}/{name}/{number:06d}.json"


def _wrong_count(name: str, count: int, *, remedy: str) -> UsageError:
    return UsageError(
        f"anchor set {shown(name)} would have {count:,} sessions; one has {FEWEST_ANCHORS} to {MOST_ANCHORS}",
        code="too_few_anchors" if count < FEWEST_ANCHORS else "invalid_config",
        hint=remedy,
    )
