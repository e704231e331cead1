"""A run of sessions as scripts and people read it: the ledger's row joined with what the stages' manifests say."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from eval_pipeline.core.checks import CHECKS
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_summary import models_as_json
from eval_pipeline.core.runs import Flow
from eval_pipeline.reporting.export_files import export_format, write_table
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.cost_warnings import cost_warnings
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.so_far import standing_of
from eval_pipeline.runs.status import batches_json
from eval_pipeline.runs.stored_run import StoredRun, nothing_to_export
from eval_pipeline.session_eval import tables
from eval_pipeline.session_eval.so_far import judgements_so_far, sessions_so_far
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

_JSON_COLUMNS = ("axes", "rendering", "hits")


def show_run(deployment: Deployment, key: RunKey, *, detail: bool) -> JsonDict:
    """Return the JSON document of a run."""
    run = find_run(deployment, flow=Flow.SESSIONS, key=key)
    stored, spec = StoredRun(deployment, run), SessionSpec.from_json(run.spec)
    paid = stored.paid("judgements")
    so_far = judgements_so_far(deployment, run) if paid is None else None
    standing = standing_of(
        paid,
        so_far,
        total=spec.sessions_count * len(spec.judges.seats) * spec.judges.samples,
        allowed=spec.failure_threshold,
        called="judgements",
    )
    by_expert = (paid.by_model if paid else so_far.by_model if so_far else None) or {}
    faults = (paid and paid.faults) or ()
    document = {
        **run_json(run),
        "spec": run.spec,
        "sessions": {"count": spec.sessions_count, "scope": str(spec.scope)},
        "panel": {
            "version": spec.judges.panel.version,
            "fingerprint": spec.judges.panel.fingerprint,
            "experts": [{"id": seat.id, "endpoint": seat.endpoint, "model": seat.model} for seat in spec.judges.seats],
        },
        "counts": standing.counts_json(),
        "by_expert": models_as_json(by_expert),
        "statuses": stored.fact("session_scores", "statuses") or {},
        "summary_scores": stored.fact("session_scores", "summary_scores") or [],
        "figures": stored.fact("session_scores", "figures") or [],
        "weights_of": stored.fact("session_scores", "weights_of"),
        "checks": {stage: stored.fact(stage, CHECKS) or {} for stage in ("judgements", "session_scores", "agreement")},
        "canaries": stored.fact("judgements", "canaries") or {},
        "cost": standing.cost_json(),
        "threshold": standing.threshold_json(),
        "batches": batches_json(deployment, deployment.ledger.run_jobs(flow=Flow.SESSIONS, key=key)),
        "report": stored.fact("report", "url"),
        "warnings": [
            *cost_warnings(
                {"judgements": paid},
                models={seat.id: f"{seat.endpoint}/{seat.model}" for seat in spec.judges.seats},
            ),
            *(
                {"code": "expert_not_asked", "message": fault, "hint": "run retry asks what is missing"}
                for fault in faults
            ),
        ],
    }
    if not detail:
        return document
    so_far_each = list(sessions_so_far(deployment, run)) if paid is None else []
    return {
        **document,
        "session_scores": list(_scores(stored)),
        "judgements": list(_judgements(stored)),
        "sessions_so_far": so_far_each,
    }


def _scores(stored: StoredRun) -> Iterator[JsonDict]:
    """Tell every session's average, or that it has none."""
    found = stored.find("session_scores")
    for row in () if found is None else found.rows():
        yield {
            **row,
            "axes": orjson.loads(row["axes"]),
            "outcome": None if row["outcome"] is None else orjson.loads(row["outcome"]),
            "last_active": None if row["last_active"] is None else row["last_active"].isoformat(),
            "cost_usd": None if row["cost_usd"] is None else float(row["cost_usd"]),
        }


def _judgements(stored: StoredRun) -> Iterator[JsonDict]:
    found = stored.find("judgements")
    for row in () if found is None else found.rows():
        yield _told(row)


def _told(row: Row) -> JsonDict:
    return {
        **row,
        **{name: orjson.loads(row[name]) for name in _JSON_COLUMNS},
        "cost_usd": None if row["cost_usd"] is None else float(row["cost_usd"]),
        "created_at": row["created_at"].isoformat(),
    }


def export_run(deployment: Deployment, key: RunKey, *, output: Path, bom: bool) -> int:
    """Write every judgement to a file; returns the rows written."""
    stored = StoredRun(deployment, find_run(deployment, flow=Flow.SESSIONS, key=key))
    found = stored.find("judgements")
    if found is None:
        raise nothing_to_export(key, what="judgements")
    return write_table(found.rows(), tables.JUDGEMENTS, path=output, file_format=export_format(output), bom=bom)
