"""A project's sessions with how they stand, page by page: who was judged, by what, and how it went."""

from collections.abc import Collection, Mapping
from typing import Final

from eval_pipeline.core.configuration import check_range
from eval_pipeline.core.datasets import Page
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import validate_project
from eval_pipeline.core.runs import Flow, RunMode
from eval_pipeline.core.session_results import SessionResult, SessionStatus
from eval_pipeline.core.sessions import SessionRecord, SessionScope
from eval_pipeline.runs.panels.judges import seat_panel
from eval_pipeline.session_eval.prepare import load_panel
from eval_pipeline.session_eval.request import SessionRequest
from eval_pipeline.session_eval.results_store import judges_instrument, read_standings, spec_instrument
from eval_pipeline.session_eval.scoring.standing import Instrument, Standing
from eval_pipeline.session_eval.session_feedback import thumbs
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

LIMIT: Final = 50
MOST: Final = 500
_MOST_OFFSET: Final = 10**9
_RUNS_LOOKED_AT: Final = 20
"""The latest runs, among which one over sessions is sought: one over anchors tries judges."""


def overview(
    deployment: Deployment,
    project: str,
    *,
    profile: str | None = None,
    statuses: Collection[SessionStatus] = (),
    search: str | None = None,
    panel: str | None = None,
    limit: int = LIMIT,
    offset: int = 0,
) -> JsonDict:
    """Return one page of sessions: pinned ones first, then by last activity, then by id.

    Args:
        deployment: where they are.
        project: whose.
        profile: of this one alone.
        statuses: that stand so; none: all. A partial one also counts as evaluated.
        search: occurs in the name.
        panel: file of the panel that they are to be up to date with; None: that of the project's latest run.
        limit: 1 to 500.
        offset: how many are passed over.
    """
    check_range("limit", value=limit, low=1, high=MOST)
    check_range("offset", value=offset, low=0, high=_MOST_OFFSET)
    validate_project(project)
    current = current_instrument(deployment, project, panel=panel)
    wanted = set(statuses) | ({SessionStatus.PARTIAL} if SessionStatus.EVALUATED in statuses else set())
    page = deployment.ledger.sessions_standing(
        project=project,
        scope=SessionScope(profile=profile, search=search),
        statuses=wanted,
        instrument=None if current is None else current.digest,
        limit=limit,
        offset=offset,
    )
    return {
        "project": project,
        "total": page.total,
        "limit": limit,
        "offset": offset,
        "current": None if current is None else versions_json(current),
        "sessions": _told(deployment, project, page, current=current),
    }


def current_instrument(deployment: Deployment, project: str, *, panel: str | None) -> Instrument | None:
    """Return what sessions would be judged with: a panel, or else that of the project's latest run."""
    if panel is not None:
        endpoints = deployment.endpoints(project)
        judges = seat_panel(
            load_panel(SessionRequest(panel=panel)), endpoints=endpoints, mode=RunMode.FAST, samples=1, seed=0
        )
        frozen = endpoints.frozen([(seat.endpoint, seat.model) for seat in judges.seats])
        return judges_instrument(judges, frozen)
    latest = deployment.ledger.list_runs(
        project=project, flow=Flow.SESSIONS, state=None, limit=_RUNS_LOOKED_AT, offset=0
    ).items
    specs = (SessionSpec.from_json(run.spec) for run in latest)
    spec = next((spec for spec in specs if spec.anchors is None), None)
    return None if spec is None else spec_instrument(spec)


def _told(
    deployment: Deployment, project: str, page: Page[SessionRecord], *, current: Instrument | None
) -> list[JsonDict]:
    ids = [record.session_id for record in page.items]
    standings = read_standings(deployment, project, current=current, session_ids=ids)
    versions = {digest: versions_json(instrument) for digest, instrument in standings.instruments.items()}
    results = {one.session_id: one for one in deployment.ledger.latest_results(project=project, session_ids=ids)}
    liked = thumbs(deployment, project, ids)
    return [
        session_json(
            record,
            standing=standings.of(record.session_id, session_fingerprint=record.fingerprint),
            result=results.get(record.session_id),
            liked=liked.get(record.session_id, (0, 0)),
            versions=versions,
        )
        for record in page.items
    ]


def session_json(
    record: SessionRecord,
    *,
    standing: Standing,
    result: SessionResult | None,
    liked: tuple[int, int],
    versions: Mapping[str, JsonDict],
) -> JsonDict:
    """Return one session with how it stands."""
    return {
        "session_id": record.session_id,
        "profile_id": record.profile_id,
        "name": record.name,
        "created_at": None if record.created_at is None else record.created_at.isoformat(),
        "last_active": None if record.last_active is None else record.last_active.isoformat(),
        "pinned": record.pinned,
        "message_count": record.messages,
        "likes": liked[0],
        "dislikes": liked[1],
        "status": str(standing.status),
        "reasons": [str(reason) for reason in standing.reasons],
        "panel_complete": standing.panel_complete,
        "result": None if result is None else result_json(result, versions=versions),
    }


def result_json(result: SessionResult, *, versions: Mapping[str, JsonDict]) -> JsonDict:
    """Return what one run came to for a session."""
    return {
        "run": result.run,
        "judged_at": result.judged_at.isoformat(),
        "status": str(result.status),
        "mean": result.mean,
        "complexity": result.complexity,
        "averages": {axis: score["mean"] for axis, score in result.axes.items()},
        "axes": {axis: dict(score) for axis, score in result.axes.items()},
        "cells": result.cells,
        "cells_failed": result.cells_failed,
        "failed_tries": result.failed_tries,
        "cost_usd": None if result.cost_usd is None else float(result.cost_usd),
        "session_fingerprint": result.session_fingerprint,
        "versions": versions[result.instrument],
    }


def versions_json(instrument: Instrument) -> JsonDict:
    """Return what tells an instrument from others."""
    return {
        "instrument": instrument.digest,
        "panel_version": instrument.panel_version,
        "panel_fingerprint": instrument.panel_fingerprint,
        "rubric_version": instrument.rubric_version,
        "rubric_fingerprint": instrument.rubric_fingerprint,
        "judge_fingerprints": {name: one.judge_fingerprint for name, one in instrument.experts.items()},
        "models": {name: one.model for name, one in instrument.experts.items()},
    }
