"""The judged half of one session: what every run came to, and everything that judges and people said of it."""

from collections.abc import Iterator

import orjson

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.session_eval.overview import current_instrument, result_json, versions_json
from eval_pipeline.session_eval.results_store import read_standings
from eval_pipeline.wiring.deployment import Deployment

_JSON_COLUMNS = ("axes", "rendering", "hits")


def detail(deployment: Deployment, project: str, session_id: str) -> JsonDict:
    """Return how a session stands, what runs came to for it, every judgement newest first, and what people rated."""
    ledger = deployment.ledger
    record = ledger.find_session(project=project, session_id=session_id)
    current = current_instrument(deployment, project, panel=None)
    standings = read_standings(deployment, project, current=current, session_ids=[session_id])
    results = ledger.session_results(project=project, session_id=session_id)
    versions = {digest: versions_json(instrument) for digest, instrument in standings.instruments.items()}
    standing = standings.of(session_id, session_fingerprint="" if record is None else record.fingerprint)
    return {
        "status": str(standing.status),
        "reasons": [str(reason) for reason in standing.reasons],
        "panel_complete": standing.panel_complete,
        "results": [result_json(result, versions=versions) for result in results],
        "judgements": [
            judgement
            for result in results
            for judgement in _judgements(deployment, RunKey(project=project, run=result.run), session_id)
        ],
        "ratings": [
            {
                "axis": one.axis,
                "rater": one.rater,
                "level": one.level,
                "comment": one.comment,
                "rated_at": one.rated_at.isoformat(),
                "session_fingerprint": one.session_fingerprint,
            }
            for one in ledger.session_ratings(project=project, session_ids=[session_id])
        ],
    }


def _judgements(deployment: Deployment, key: RunKey, session_id: str) -> Iterator[JsonDict]:
    found = deployment.stages.find(StageRef(flow=Flow.SESSIONS, key=key, stage="judgements"))
    if found is None:
        return
    # the ids first: most rows are of other sessions, and what judges wrote is long
    places = {place for place, row in enumerate(found.rows(("session_id",))) if row["session_id"] == session_id}
    if places:
        yield from (_told(row, key) for place, row in enumerate(found.rows()) if place in places)


def _told(row: Row, key: RunKey) -> JsonDict:
    return {
        "run": key.run,
        **row,
        **{name: orjson.loads(row[name]) for name in _JSON_COLUMNS},
        "cost_usd": None if row["cost_usd"] is None else float(row["cost_usd"]),
        "created_at": row["created_at"].isoformat(),
    }
