"""Have the judges moved? Two runs that judged the same sessions, every expert held against itself.

Sessions that are judged again when a judge or its provider's model changed are the anchors; the same content must have
been judged both times, or the agent would be taken for the judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval_pipeline.core.checks import CheckOutcome
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval.scoring.cells import COLUMNS, Cell, read_cell
from eval_pipeline.session_eval.scoring.drift import FEWEST_ANCHORS, Moved, moved, rate
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

RUNS_LOOKED_AT: Final = 20
"""The latest runs of a project, among which two are sought that can be compared."""
_IDENTITY: Final = ("session_fingerprint", "judge_fingerprint", "model_returned")


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What experts said in one run."""

    key: RunKey
    sessions: Mapping[str, Sequence[Cell]]
    fingerprints: Mapping[str, str]
    """Of sessions."""
    identities: Mapping[str, frozenset[tuple[str, str | None]]]
    """By expert: fingerprints of the judge, with the models that providers said they used."""
    owners: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class JudgeDrift:
    """What moved between two runs."""

    before: JudgedRun
    now: JudgedRun
    moved: tuple[Moved, ...]
    sessions: int
    """That both judged with the same content."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The experts that are others by now: by their fingerprint, or by the model that the provider names."""
        before, now = self.before.identities, self.now.identities
        return tuple(sorted(name for name in before.keys() & now.keys() if before[name] != now[name]))

    @property
    def alarms(self) -> tuple[str, ...]:
        """What moved too far, in words."""
        return tuple(f"{one.expert_id}, {one.axis}: {alarm}" for one in self.moved for alarm in one.drift.alarms)

    def check(self) -> CheckOutcome:
        """Return what the asset check says."""
        few = f"; of {FEWEST_ANCHORS} and more sessions it would be surer" if self.sessions < FEWEST_ANCHORS else ""
        told = f"{self.before.key.run} and {self.now.key.run} judged {self.sessions:,} sessions alike{few}."
        facts = {"sessions": self.sessions, "alarms": len(self.alarms)}
        if self.alarms:
            return CheckOutcome(passed=False, words=f"{'; '.join(self.alarms[:5])}. {told}", facts=facts)
        return CheckOutcome(passed=True, words=f"No judge moved. {told}", facts=facts)

    def to_json(self) -> JsonDict:
        """Return what scripts read."""
        return {
            "before": self.before.key.run,
            "now": self.now.key.run,
            "project": self.now.key.project,
            "sessions": self.sessions,
            "changed_experts": list(self.changed),
            "alarms": list(self.alarms),
            "moved": [one.to_json() for one in self.moved],
        }


def drift_between(deployment: Deployment, before: RunKey, now: RunKey) -> JudgeDrift:
    """Compare what experts said of the sessions that two runs judged with the same content."""
    return compare_judged(read_judged(deployment, before), read_judged(deployment, now))


def latest_drift(deployment: Deployment, project: str) -> JudgeDrift | None:
    """Compare the latest run with the latest one before it that judged some of its sessions by other judges.

    None where there is no such pair among the latest runs: no judge changed, or nothing was judged again.
    """
    runs = deployment.ledger.list_runs(
        project=project, flow=Flow.SESSIONS, state=None, limit=RUNS_LOOKED_AT, offset=0
    ).items
    there = [run.key for run in runs if StoredRun(deployment, run).find("judgements") is not None]
    if not there:
        return None
    now = read_judged(deployment, there[0])
    for key in there[1:]:
        found = compare_judged(read_judged(deployment, key), now)
        if found.sessions > 1 and found.changed:
            return found
    return None


def compare_judged(before: JudgedRun, now: JudgedRun) -> JudgeDrift:
    """Hold every expert against itself, on what both runs judged with the same content."""
    both = [name for name, digest in now.fingerprints.items() if before.fingerprints.get(name) == digest]
    return JudgeDrift(
        before,
        now,
        moved(
            rate({name: before.sessions[name] for name in both}, owners=before.owners),
            rate({name: now.sessions[name] for name in both}, owners=now.owners),
        ),
        len(both),
    )


def read_judged(deployment: Deployment, key: RunKey) -> JudgedRun:
    """Read what experts said in a run."""
    run = find_run(deployment, flow=Flow.SESSIONS, key=key)
    panel = SessionSpec.from_json(run.spec).judges.panel
    sessions: dict[str, list[Cell]] = {}
    fingerprints: dict[str, str] = {}
    identities: dict[str, set[tuple[str, str | None]]] = {}
    for row in StoredRun(deployment, run).open("judgements").rows((*COLUMNS, *_IDENTITY)):
        cell = read_cell(row)
        if cell.counts:
            sessions.setdefault(row["session_id"], []).append(cell)
            fingerprints[row["session_id"]] = row["session_fingerprint"]
            if cell.is_ok:
                identity = (row["judge_fingerprint"], row["model_returned"])
                identities.setdefault(cell.expert_id, set()).add(identity)
    return JudgedRun(
        key=key,
        sessions=sessions,
        fingerprints=fingerprints,
        identities={name: frozenset(found) for name, found in identities.items()},
        owners={axis: tuple(expert.id for expert in panel.owners(axis)) for axis in panel.rubric.axes},
    )
