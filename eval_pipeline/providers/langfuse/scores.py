"""Scores as the requests of Langfuse's score endpoint, which takes a list of at most a megabyte."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from langfuse.api.scores.types import CreateScoreBatchResults, CreateScoresResponse

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.tracing import ItemTrace, SessionScore, TraceScore
from eval_pipeline.providers.langfuse.connection import RejectedError
from eval_pipeline.providers.langfuse.spans import ENVIRONMENT

REQUEST_BYTES = 900_000
REQUEST_SCORES = 200

Score = JsonDict


def score_requests(items: Iterable[ItemTrace]) -> Iterator[list[Score]]:
    """Yield the scores of the items, as many to a request as fit."""
    return _requests(_score(item, score) for item in items for score in item.scores)


def session_score_requests(scores: Iterable[SessionScore]) -> Iterator[list[Score]]:
    """Yield scores of sessions, as many to a request as fit."""
    return _requests(_said(one.score, one.at, {"sessionId": one.session_id}) for one in scores)


def _requests(bodies: Iterable[Score]) -> Iterator[list[Score]]:
    request: list[Score] = []
    size_bytes = 0
    for body in bodies:
        body_bytes = len(json.dumps(body))
        if request and (len(request) == REQUEST_SCORES or size_bytes + body_bytes > REQUEST_BYTES):
            yield request
            request, size_bytes = [], 0
        request.append(body)
        size_bytes += body_bytes
    if request:
        yield request


def check_accepted(answer: CreateScoresResponse) -> None:
    """Raise unless every score of the request was taken."""
    if isinstance(answer, CreateScoreBatchResults) and answer.rejected:
        reasons = "; ".join(sorted({error.message for error in answer.errors}))
        raise RejectedError(
            f"{answer.rejected:,} of {counted(answer.accepted + answer.rejected, 'score')} rejected: {reasons}"
        )


def _score(item: ItemTrace, score: TraceScore) -> Score:
    """Attach the score to the item's root span; the same id and timestamp again update it."""
    return _said(score, item.started_at, {"traceId": item.trace_id, "observationId": item.span_id})


def _said(score: TraceScore, at: datetime, about: Score) -> Score:
    body = {
        "id": score.score_id,
        **about,
        "name": score.name,
        "value": score.value,
        "dataType": score.data_type,
        "comment": score.comment,
        "environment": ENVIRONMENT,
        "timestamp": at.isoformat(),
    }
    return {name: value for name, value in body.items() if value is not None}
