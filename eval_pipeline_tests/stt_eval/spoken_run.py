"""A speech run whose stages are written directly: two models heard two clips, one refused the second."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from eval_pipeline.core.cost import StageCost, costs_as_json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.runs.claims import claim
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.prepare import prepare
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.spec import SttRequest
from eval_pipeline.stt_eval.transcript_rows import Item, items_of, transcript_row
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.storage.writing import allow

MODELS = ("gemini-2.5-flash", "whisper-1")
SAID = {
    ("एक दो", MODELS[0]): "एक दो",
    ("तीन", MODELS[0]): "तीन",
    ("एक दो", MODELS[1]): "एक",
}
REFUSED = ItemError(code="safety", type="finish_reason", message="the model stopped (SAFETY)", transient=False)


def write_spoken_run(home: Path, run: str) -> None:
    """Claim a run on the dataset ``clips`` of a home, write its stages and end it."""
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(home)})
    try:
        _write(deployment, RunKey.of(project="default", run=run))
    finally:
        deployment.close()


def _write(deployment: Deployment, key: RunKey) -> None:
    request = SttRequest.from_mapping({"dataset": "clips", "models": list(MODELS)})
    prepared = prepare(request, project=key.project, run=key.run, deployment=deployment, needs_key=False)
    claim(prepared, flow=Flow.STT, requested_by="a test", deployment=deployment, here=False)

    def write(stage: str, schema: Any, rows: list[dict[str, Any]], summary: dict[str, Any]) -> Any:  # noqa: ANN401 - pyarrow
        ref = StageRef(flow=Flow.STT, key=key, stage=stage)
        writer = deployment.stages.writer(
            ref, schema=schema, attempt=1, spec_hash=prepared.spec.hash, inputs={}, check=allow
        )
        with writer:
            writer.append(rows)
            writer.finish(summary)
        return deployment.stages.open(ref)

    samples = audio_samples(deployment.objects, prepared.dataset)
    dataset = write("dataset", tables.DATASET, [_sample_row(sample) for sample in samples], {})
    rows = [_heard(item) for item in items_of(dataset, prepared.spec.models)]
    transcripts = write("transcripts", tables.TRANSCRIPTS, rows, _summary())
    figures = RunFigures(MODELS, run=[key.project, key.run])
    scored = list(score_samples(dataset, transcripts, models=len(MODELS), language=None))
    for sample in scored:
        figures.add(sample)
    told = {"figures": figures.as_json(), "summary_scores": []}
    write("scores", tables.SCORES, [row for sample in scored for row in sample.rows], told)
    deployment.ledger.set_run_state(flow=Flow.STT, key=key, to=RunState.COMPLETED)


def _sample_row(sample: Sample) -> dict[str, Any]:
    told = {name: getattr(sample, name, None) for name in tables.DATASET.names}
    return {**told, "mime_type": sample.mime, "format": str(sample.format), "metadata": "{}"}


def _heard(item: Item) -> dict[str, Any]:
    said = SAID.get((item.sample["reference"], item.model.label))
    if said is None:
        record = ItemRecord(item.item_id, ItemStatus.REFUSED, error=REFUSED)
    else:
        record = ItemRecord(item.item_id, ItemStatus.OK, answer=said, latency_s=0.5)
    return transcript_row(item, record, ItemCost(Decimal("0.001")))


def _summary() -> dict[str, Any]:
    return {
        "counts": {"total": 4, "ok": 3, "failed": 1, "by_status": {"ok": 3, "refused": 1}},
        "threshold": {"value": 0.5, "observed": 0.25, "breached": False},
        "cost": costs_as_json({model: StageCost(model=model) for model in MODELS}),
        "by_model": {},
        "faults": [],
        "items_without_usage": 0,
        "unreported_calls": 0,
    }
