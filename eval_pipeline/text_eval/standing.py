"""Where the paid work of a text run stands: its answers, and the vectors that some of its scorers compare."""

from dataclasses import replace

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.reasons import SHOWN, Reason
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold, worst
from eval_pipeline.runs.standing import standing_of
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.text_eval.pairs import FAILED_EMBEDDINGS
from eval_pipeline.text_eval.so_far import answers_so_far, embedding_cost_so_far
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.deployment import Deployment

EMBEDDING_FAILED = "embedding_failed"
"""What ``text show`` calls the items that lack a vector; null before embeddings were counted."""


def text_standing(deployment: Deployment, run: RunRecord, stored: StoredRun) -> PaidStanding:
    """Join what both paid stages came to; of their verdicts the worst one stands."""
    spec, answers, embeddings = TextSpec.from_json(run.spec), stored.paid("responses"), stored.paid("embeddings")
    standing = standing_of(
        answers,
        answers_so_far(deployment, run) if answers is None else None,
        total=spec.total_items_count,
        allowed=spec.failure_threshold,
        called="response",
    )
    verdicts = [paid.threshold for paid in (answers, embeddings) if paid is not None]
    return replace(
        standing,
        counts=replace(standing.counts, others={EMBEDDING_FAILED: _without_vector(embeddings)}),
        verdict=worst(verdicts) if verdicts else None,
        reasons=_most_frequent(verdicts) if verdicts else standing.reasons,
        cost=_with_vectors(standing.cost, deployment, run, embeddings),
    )


def _without_vector(embeddings: PaidSummary | None) -> int | None:
    counts = None if embeddings is None else embeddings.counts
    return None if counts is None else counts.others.get(FAILED_EMBEDDINGS)


def _most_frequent(verdicts: list[Threshold]) -> list[Reason]:
    """Return the reasons of all verdicts; one that a stage took over from another counts once."""
    told = dict.fromkeys(reason for verdict in verdicts for reason in verdict.reasons)
    return sorted(told, key=lambda reason: -reason.count)[:SHOWN]


def _with_vectors(
    answers: Costs | None, deployment: Deployment, run: RunRecord, embeddings: PaidSummary | None
) -> Costs | None:
    """Add what the vectors cost, so far where their stage is not finished; None when nothing was paid."""
    stored = None if embeddings is None else embeddings.cost
    vectors = stored or embedding_cost_so_far(deployment, run)
    if answers is None and vectors is None:
        return None
    return Costs.join({**({} if answers is None else answers.parts), "embedding": vectors})
