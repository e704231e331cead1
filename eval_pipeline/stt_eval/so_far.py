"""What a speech run that is not finished has come to so far, model by model."""

from functools import partial

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import RecordTally, price_item
from eval_pipeline.runs.so_far import PaidSoFar, Share, count_so_far
from eval_pipeline.stt_eval.rates import rate_of, tariff_of
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import as_heard, items_of
from eval_pipeline.wiring.deployment import Deployment


def transcripts_so_far(deployment: Deployment, run: RunRecord) -> PaidSoFar | None:
    """Count what the journal of ``transcripts`` holds; None when nothing was asked yet."""
    spec = SttSpec.from_json(run.spec)
    ref = StageRef(flow=run.flow, key=run.key, stage="transcripts")
    dataset = deployment.stages.find(StageRef(flow=run.flow, key=run.key, stage="dataset"))
    if dataset is None:
        return None
    tallies = {model: RecordTally(threshold=1.0, model=model.label) for model in spec.models}
    prices = {model: partial(price_item, tariff=tariff_of(model, spec), at=run.created_at) for model in spec.models}
    shares = (Share(item.item_id, tallies[item.model], prices[item.model]) for item in items_of(dataset, spec.models))
    counts = count_so_far(deployment, ref, shares, read=as_heard)
    if counts is None:
        return None
    return PaidSoFar(
        counts,
        Costs.of({model.label: tally.cost(rate=rate_of(model, spec)) for model, tally in tallies.items()}),
        by_model={model.label: tally.of_model() for model, tally in tallies.items()},
    )
