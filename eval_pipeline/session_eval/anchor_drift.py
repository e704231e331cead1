"""Have the judges moved on an anchor set, and is it due to be judged again?

The newest run of a set is held against the one before it; before its second run, against the run that its sessions were
taken from. A set is due when runs since then were judged by somebody else: by a judge with another fingerprint, or by a
model that the provider calls otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import RunKey, shown
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.judging.steps import CellStatus
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval.anchors import AnchorSet
from eval_pipeline.session_eval.judge_drift import RUNS_LOOKED_AT, JudgeDrift, JudgedRun, compare_judged, read_judged
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

_PAGE = 200
_WHO = ("expert_id", "status", "judge_fingerprint", "model_returned", "taken_from_run")


@dataclass(frozen=True, slots=True)
class AnchorStanding:
    """How an anchor set stands."""

    anchors: AnchorSet
    latest: RunKey | None
    """Its newest run."""
    drift: JudgeDrift | None
    """None before there are two judgements of its sessions that can be compared."""
    due: tuple[str, ...]
    """Why it is to be judged again, in words."""

    def to_json(self) -> JsonDict:
        """Return what scripts read."""
        return {
            "name": self.anchors.name,
            "number": self.anchors.number,
            "sessions": len(self.anchors.sessions),
            "latest": None if self.latest is None else self.latest.run,
            "due": list(self.due),
            "drift": None if self.drift is None else self.drift.to_json(),
        }


def anchor_standing(deployment: Deployment, anchors: AnchorSet) -> AnchorStanding:
    """Tell whether judges moved on an anchor set, and whether it is due."""
    found = _baselines(deployment, anchors)
    newest = next(found, None)
    if newest is None:
        return AnchorStanding(anchors, None, None, ("it was never judged",))
    now = read_judged(deployment, newest.key)
    is_own = _is_of(newest, anchors)
    return AnchorStanding(
        anchors,
        newest.key if is_own else None,
        _against_earlier(deployment, found, now) if is_own else None,
        tuple(_due(deployment, newest, now)),
    )


def _baselines(deployment: Deployment, anchors: AnchorSet) -> Iterator[RunRecord]:
    """Yield the judged runs of a set, newest first, and last the run that its sessions were taken from."""
    for run in _runs(deployment, anchors.project):
        if _is_of(run, anchors) and _is_judged(deployment, run):
            yield run
    if anchors.from_run is not None:
        key = RunKey.of(project=anchors.project, run=anchors.from_run)
        taken_from = deployment.ledger.find_run(flow=Flow.SESSIONS, key=key)
        if taken_from is not None and not _is_of(taken_from, anchors) and _is_judged(deployment, taken_from):
            yield taken_from


def _is_of(run: RunRecord, anchors: AnchorSet) -> bool:
    frozen = run.spec.get("anchors")
    return frozen is not None and frozen["name"] == anchors.name


def _against_earlier(deployment: Deployment, earlier: Iterator[RunRecord], now: JudgedRun) -> JudgeDrift | None:
    """Compare with the latest run that judged some of the same contents: a set may have been set anew between."""
    for run in islice(earlier, RUNS_LOOKED_AT):
        found = compare_judged(read_judged(deployment, run.key), now)
        if found.sessions > 1:
            return found
    return None


def _due(deployment: Deployment, baseline: RunRecord, now: JudgedRun) -> Iterator[str]:
    """Yield who judges sessions since then and is another one than the anchors know."""
    runs = takewhile(lambda run: run.created_at > baseline.created_at, _runs(deployment, baseline.key.project))
    over_sessions = (run for run in runs if "anchors" not in run.spec and _is_judged(deployment, run))
    later = list(islice(over_sessions, RUNS_LOOKED_AT))
    if not later:
        return
    asked = _Asked(deployment, later)
    for seat in SessionSpec.from_json(later[0].spec).judges.seats:
        known = now.identities.get(seat.id, frozenset())
        if not known:
            yield f"expert {shown(seat.id)} has not judged them"
        elif seat.fingerprint not in {fingerprint for fingerprint, _ in known}:
            yield f"expert {shown(seat.id)} is another judge since run {later[0].key.run}"
        else:
            models = {model for fingerprint, model in known if fingerprint == seat.fingerprint and model is not None}
            run, said = asked.models(seat.id, seat.fingerprint)
            if models and said - models:
                yield (
                    f"expert {shown(seat.id)}: its provider answers as {_names(said - models)} since run {run}, "
                    f"and as {_names(models)} when they were judged"
                )


class _Asked:
    """What providers called the models that they asked in some runs, read only as far as it is wanted."""

    def __init__(self, deployment: Deployment, runs: Sequence[RunRecord]) -> None:
        self._deployment = deployment
        self._left = iter(runs)
        self._read: list[tuple[str, dict[tuple[str, str], set[str]]]] = []

    def models(self, expert_id: str, fingerprint: str) -> tuple[str, set[str]]:
        """Return the latest run in which a judge was asked, and its models; what was taken over is older."""
        for run, said in self._runs():
            if found := said.get((expert_id, fingerprint)):
                return run, found
        return "", set()

    def _runs(self) -> Iterator[tuple[str, dict[tuple[str, str], set[str]]]]:
        yield from self._read
        for run in self._left:
            said: dict[tuple[str, str], set[str]] = {}
            for row in StoredRun(self._deployment, run).open("judgements").rows(_WHO):
                is_own = row["taken_from_run"] is None and row["status"] == CellStatus.OK
                if is_own and row["model_returned"] is not None:
                    said.setdefault((row["expert_id"], row["judge_fingerprint"]), set()).add(row["model_returned"])
            self._read.append((run.key.run, said))
            yield self._read[-1]


def _runs(deployment: Deployment, project: str) -> Iterator[RunRecord]:
    """Yield the runs of a project, newest first."""
    offset = 0
    while runs := deployment.ledger.list_runs(
        project=project, flow=Flow.SESSIONS, state=None, limit=_PAGE, offset=offset
    ).items:
        yield from runs
        offset += len(runs)


def _is_judged(deployment: Deployment, run: RunRecord) -> bool:
    return StoredRun(deployment, run).find("judgements") is not None


def _names(models: set[str]) -> str:
    return ", ".join(map(shown, sorted(models)))
