"""The panel's score of every session and axis, made from the stored judgements: free to make again.

What a run came to is also recorded in the ledger, which overviews and weeks are told from.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from eval_pipeline.core.checks import CheckOutcome, checks_json
from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import RunKey, shown
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.core.session_results import SessionResult
from eval_pipeline.core.sessions import SessionScope
from eval_pipeline.core.stages import StageRef
from eval_pipeline.judging.calibration import LABELS_NEEDED
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.panels.settling import canonical
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval import tables
from eval_pipeline.session_eval.results_store import spec_instrument
from eval_pipeline.session_eval.scoring.by_session import cells_by_session
from eval_pipeline.session_eval.scoring.cells import COLUMNS
from eval_pipeline.session_eval.scoring.columns import JudgedColumns
from eval_pipeline.session_eval.scoring.session_scores import SessionScore, Weights, score_session
from eval_pipeline.session_eval.scoring.weekly import describe
from eval_pipeline.session_eval.session_feedback import thumbs
from eval_pipeline.session_eval.session_store import each
from eval_pipeline.session_eval.spec import SessionSpec

DISAGREEMENT: Final = "disagreement"
MOST_DISAGREEMENT: Final = 0.2
"""Share of the scores on which experts are far apart, above which it is warned of."""
OWN_WEIGHTS: Final = "panel"
"""That experts weigh what the panel says."""
WEIGHTS_OF: Final = "weights_of"
"""The fact of the summary that names the run whose ratings by people told what experts weigh."""
_AT_ONCE: Final = 500
_SESSION_COLUMNS: Final = (
    "session_id",
    "session_fingerprint",
    "profile_id",
    "name",
    "last_active",
    "axes",
)


def make(task: Task, *, sessions: StageReader, judgements: StageReader) -> StageReader:
    """Put the judgements of every session together."""
    deployment, ref = task.deployment, task.ref("session_scores")
    inputs = {"sessions": sessions, "judgements": judgements}
    with at_work(
        deployment, ref, schema=tables.SESSION_SCORES, inputs=inputs, dagster_run_id=task.dagster_run_id
    ) as stage:
        spec = SessionSpec.from_json(stage.run.spec)
        weights_of = _weights_of(task)
        weights = None if weights_of is None else learnt_in(task, weights_of)
        told = _Told(spec)
        instrument = spec_instrument(spec)
        deployment.ledger.keep_instrument(
            project=task.key.project, digest=instrument.digest, document=instrument.to_json()
        )
        scored = _scored(task, spec, sessions, judgements, weights)
        for some in chunks(scored, size=_AT_ONCE):
            stage.lease.check()
            stage.files.append([row for row, _ in some])
            if spec.anchors is None:  # what was said of anchors tells of judges: it is no news of a session
                deployment.ledger.record_results(
                    task.key, [_result(stage.run, row, score, instrument.digest) for row, score in some]
                )
            for row, score in some:
                told.add(row, score)
        stage.files.finish({**told.summary(seed=task.key.run), WEIGHTS_OF: weights_of})
    return deployment.stages.open(ref)


def _weights_of(task: Task) -> str | None:
    """Name the run whose ratings tell what experts weigh: the one that is asked for, else the one that was before."""
    asked = task.given.get("weights")
    if asked is not None:
        return None if asked == OWN_WEIGHTS else asked
    before = task.deployment.stages.find(task.ref("session_scores"))
    return None if before is None else before.manifest.summary.get(WEIGHTS_OF)


def learnt_in(task: Task, run: str) -> Weights:
    """Read what experts weigh by what people rated in a run.

    Raises:
        NotFoundError: ``weights_not_found``, where nobody rated enough.
    """
    key = RunKey.of(project=task.key.project, run=run)
    found = task.deployment.stages.find(StageRef(flow=Flow.SESSIONS, key=key, stage="agreement"))
    measured = {} if found is None else found.manifest.summary.get("agreement") or {}
    learnt = measured.get("learnt_weights") or {}
    if not learnt:
        raise NotFoundError(
            f"run {shown(run)} tells no weights of experts: people rated fewer than {LABELS_NEEDED} of its sessions on "
            "any axis, or it was not scored since",
            code="weights_not_found",
            hint=f"eval-pipeline session ratings import brings ratings in; then: eval-pipeline session rescore {run}",
        )
    return {(expert, axis): weight for axis, experts in learnt.items() for expert, weight in experts.items()}


def _scored(
    task: Task, spec: SessionSpec, sessions: StageReader, judgements: StageReader, weights: Weights | None
) -> Iterator[tuple[JsonDict, SessionScore]]:
    """Score sessions one by one, in their order."""
    liked = thumbs(task.deployment, task.key.project)
    outcomes = _outcomes(task, sessions)
    ids = (row["session_id"] for row in sessions.rows(("session_id",)))
    by_session = cells_by_session(ids, judgements.rows(COLUMNS))
    for session, (session_id, cells) in zip(sessions.rows(_SESSION_COLUMNS), by_session, strict=True):
        score = score_session(
            cells, panel=spec.judges.panel, applies=frozenset(orjson.loads(session["axes"])), weights=weights
        )
        likes, dislikes = liked.get(session_id, (0, 0))
        row = {
            **{name: session[name] for name in _SESSION_COLUMNS if name != "axes"},
            "status": score.status.value,
            "panel_complete": score.panel_complete,
            "mean": score.mean,
            "complexity": score.complexity,
            "axes": canonical(score.axes_json()),
            "cells": score.cells,
            "cells_failed": score.cells_failed,
            "cost_usd": score.cost_usd,
            "likes": likes,
            "dislikes": dislikes,
            "outcome": outcomes.get(session_id),
        }
        yield row, score


def _outcomes(task: Task, sessions: StageReader) -> Mapping[str, str]:
    """Return what environments verified of the run's sessions, as JSON."""
    ids = tuple(row["session_id"] for row in sessions.rows(("session_id",)))
    found = each(task.deployment, task.key.project, SessionScope(session_ids=ids))
    return {one.session_id: canonical(one.outcome) for one in found if one.outcome is not None}


def _result(run: RunRecord, row: Row, score: SessionScore, instrument: str) -> SessionResult:
    return SessionResult(
        session_id=row["session_id"],
        run=run.key.run,
        session_fingerprint=row["session_fingerprint"],
        instrument=instrument,
        status=score.status,
        may_be_retried=score.may_be_retried,
        mean=score.mean,
        complexity=score.complexity,
        axes=score.axes_json(),
        cells=score.cells,
        cells_failed=score.cells_failed,
        cost_usd=score.cost_usd,
        profile_id=row["profile_id"],
        last_active=row["last_active"],
        judged_at=datetime.now(UTC),
    )


class _Told:
    """Counts what the stage tells of itself."""

    def __init__(self, spec: SessionSpec) -> None:
        self._columns = JudgedColumns(tuple(spec.judges.panel.rubric.axes))
        self._statuses: Counter[str] = Counter()
        self._scores = self._disputed = 0

    def add(self, row: Row, score: SessionScore) -> None:
        """Count one session."""
        self._statuses[score.status.value] += 1
        self._scores += sum(one.mean is not None for one in score.axes.values())
        self._disputed += sum(one.disagreement for one in score.axes.values())
        self._columns.add(
            last_active=row["last_active"],
            mean=score.mean,
            complexity=score.complexity,
            axes=score.axes_json(),
            thumbs=(row["likes"], row["dislikes"]),
            cost_usd=None if score.cost_usd is None else float(score.cost_usd),
        )

    def summary(self, *, seed: str) -> JsonDict:
        """Return counts, the means of the run's sessions, and how far experts were apart."""
        figures = describe(self._columns.judged(), seed=seed)
        overall = figures[0].axes
        return {
            "sessions": sum(self._statuses.values()),
            "statuses": dict(sorted(self._statuses.items())),
            "figures": [row.to_json() for row in figures],
            "summary_scores": [
                {
                    "name": name,
                    "avg": axis.mean,
                    "ci_low": None if axis.interval is None else axis.interval.low,
                    "ci_high": None if axis.interval is None else axis.interval.high,
                    "total_pairs": axis.sessions,
                    "data_type": "NUMERIC",
                }
                for name, axis in overall.items()
            ],
            **checks_json({DISAGREEMENT: self._disagreement()}),
        }

    def _disagreement(self) -> CheckOutcome:
        share = self._disputed / self._scores if self._scores else 0.0
        return CheckOutcome(
            passed=share <= MOST_DISAGREEMENT,
            words=f"On {self._disputed:,} of {self._scores:,} scores ({share:.1%}) experts are far apart: "
            f"25 or more by standard deviation, or 50 between two; {MOST_DISAGREEMENT:.0%} are usual.",
            facts={"scores": self._scores, "disputed": self._disputed, "share": round(share, 4)},
        )
