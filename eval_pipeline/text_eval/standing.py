"""Where the paid work of a text run stands: its answers, and the vectors that some of its scorers compare.

Of a stage that is whole its manifest tells; until then its journal, which holds what was answered and paid for.
"""

from dataclasses import replace
from functools import partial

from eval_pipeline.core.cost import Costs, StageCost, Tariff
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.reasons import SHOWN, Reason
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import RecordTally, price_item
from eval_pipeline.core.thresholds import Threshold, worst
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.runs.so_far import PaidSoFar, Share, count_so_far, standing_of
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.pairs import FAILED_EMBEDDINGS
from eval_pipeline.text_eval.rates import answer_tariff, embedding_tariff
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models
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


def answers_so_far(deployment: Deployment, run: RunRecord) -> PaidSoFar | None:
    """Count what the journal of ``responses`` holds; None when nothing was asked yet."""
    spec = TextSpec.from_json(run.spec)
    dataset = deployment.stages.find(_ref(run.key, "dataset"))
    if dataset is None or spec.recorded is not None:
        return None
    tally = RecordTally(threshold=spec.failure_threshold, model=spec.model)
    price = partial(price_item, tariff=answer_tariff(spec), at=run.created_at)
    shares = (Share(row["item_id"], tally, price) for row in dataset.rows(["item_id"]))
    counts = count_so_far(deployment, _ref(run.key, "responses"), shares)
    if counts is None:
        return None
    rate = models.rate(spec.answers_at, spec.model, mode=run.mode)
    return PaidSoFar(counts, tally.cost(rate=rate))


def embedding_cost_so_far(deployment: Deployment, run: RunRecord) -> StageCost | None:
    """Add up what the journal of ``embeddings`` was billed for; None when nothing was."""
    spec = TextSpec.from_json(run.spec)
    with _journal(deployment, run.key, "embeddings").spool() as spool:
        index = VectorIndex.read(spool)
    if index.calls == 0:
        return None
    return cost_of_vectors(index, tariff=embedding_tariff(spec), run=run)


def cost_of_vectors(index: VectorIndex, *, tariff: Tariff, run: RunRecord) -> StageCost:
    """Price the embedding calls of a journal; one that told no tokens makes the sum unknown."""
    cost = StageCost(model=index.model or tariff.model)
    if index.calls == 0:
        return cost
    price = tariff.price(index.usage, at=run.created_at, returned_model=index.model)
    cost = cost.plus(index.usage, price, model=index.model)
    return cost.plus(None, None, model=index.model) if index.calls_without_usage else cost


def _ref(key: RunKey, stage: str) -> StageRef:
    return StageRef(flow=Flow.TEXT, key=key, stage=stage)


def _journal(deployment: Deployment, key: RunKey, stage: str) -> Journal:
    return Journal(deployment.objects, _ref(key, stage))
