"""What a run that is not finished has come to so far, counted from the journals of the stages that pay.

Manifests appear when a stage is whole; what was answered and paid for until then stands in its journal alone.
"""

from functools import partial

from eval_pipeline.core.cost import StageCost, Tariff
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import RecordTally, price_item
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.runs.so_far import PaidSoFar, Share, count_so_far
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.rates import answer_tariff, embedding_tariff
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment


def answers_so_far(deployment: Deployment, run: RunRecord) -> PaidSoFar | None:
    """Count what the journal of ``responses`` holds; None when nothing was asked yet."""
    spec = TextSpec.from_json(run.spec)
    dataset = deployment.stages.find(_ref(run.key, "dataset"))
    if dataset is None:
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
