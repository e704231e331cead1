"""A speech run whose stages are written directly: two models heard two clips, one refused the second."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus, Usage
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.dispatch.records import encode
from eval_pipeline.runs.claims import claim
from eval_pipeline.storage.journal import Journal
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.prepare import prepare
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import Item, items_of, transcript_row
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.writing import allow, in_time, record_all

MODELS = ("gemini-2.5-flash", "whisper-1")
SAID = {
    ("एक दो", MODELS[0]): "एक दो",
    ("तीन", MODELS[0]): "तीन",
    ("एक दो", MODELS[1]): "एक",
}
REFUSED = ItemError(code="safety", type="finish_reason", message="the model stopped (SAFETY)", transient=False)


def write_spoken_run(home: Path, run: str) -> None:
    """Claim a run on the dataset ``clips`` of a home, write its stages and end it."""
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(home))})
    try:
        _write(deployment, RunKey.of(project="default", run=run))
    finally:
        deployment.close()


def begin_spoken_run(home: Path, run: str) -> None:
    """Claim such a run and write down what was heard until it stopped: one pair of four is still to be asked."""
    key = RunKey.of(project="default", run=run)
    with closing(Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(home))})) as deployment:
        dataset, spec = _begin(deployment, key)
        items = list(items_of(dataset, spec.models))
        journal = Journal(deployment.objects, StageRef(flow=Flow.STT, key=key, stage="transcripts"))
        with journal.writer(1) as writer:
            in_time(record_all(writer, [encode(_record(item)) for item in items[:3]]))


def _begin(deployment: Deployment, key: RunKey) -> tuple[StageReader, SttSpec]:
    request = SttRequest.from_mapping({"dataset": "clips", "models": list(MODELS)})
    prepared = prepare(request, project=key.project, run=key.run, deployment=deployment, needs_key=False)
    claim(prepared, flow=Flow.STT, requested_by="a test", deployment=deployment, here=False)
    samples = audio_samples(deployment.objects, prepared.dataset)
    ref = StageRef(flow=Flow.STT, key=key, stage="dataset")
    rows = [_sample_row(sample) for sample in samples]
    return _write_stage(deployment, ref, tables.DATASET, rows, {}, spec_hash=prepared.spec.hash), prepared.spec


def _write(deployment: Deployment, key: RunKey) -> None:
    dataset, spec = _begin(deployment, key)

    def write(stage: str, schema: Any, rows: list[dict[str, Any]], summary: dict[str, Any]) -> Any:  # noqa: ANN401 - pyarrow
        ref = StageRef(flow=Flow.STT, key=key, stage=stage)
        return _write_stage(deployment, ref, schema, rows, summary, spec_hash=spec.hash)

    rows = [_heard(item) for item in items_of(dataset, spec.models)]
    transcripts = write("transcripts", tables.TRANSCRIPTS, rows, _summary())
    figures = RunFigures(MODELS, run=[key.project, key.run])
    scored = list(score_samples(dataset, transcripts, models=len(MODELS), language=None))
    for sample in scored:
        figures.add(sample)
    told = {"figures": figures.as_json(), "summary_scores": []}
    write("scores", tables.SCORES, [row for sample in scored for row in sample.rows], told)
    deployment.ledger.set_run_state(flow=Flow.STT, key=key, to=RunState.COMPLETED)


def _write_stage(
    deployment: Deployment,
    ref: StageRef,
    schema: Any,  # noqa: ANN401 - pyarrow
    rows: list[dict[str, Any]],
    summary: dict[str, Any],
    *,
    spec_hash: str,
) -> StageReader:
    writer = deployment.stages.writer(ref, schema=schema, attempt=1, spec_hash=spec_hash, inputs={}, check=allow)
    with writer:
        writer.append(rows)
        writer.finish(summary)
    return deployment.stages.open(ref)


def _sample_row(sample: Sample) -> dict[str, Any]:
    told = {name: getattr(sample, name, None) for name in tables.DATASET.names}
    return {**told, "mime_type": sample.mime, "format": str(sample.format), "metadata": "{}"}


def _heard(item: Item) -> dict[str, Any]:
    return transcript_row(item, _record(item), ItemCost(Decimal("0.001")))


def _record(item: Item) -> ItemRecord:
    said = SAID.get((item.sample["reference"], item.model.label))
    if said is None:
        return ItemRecord(item.item_id, ItemStatus.REFUSED, error=REFUSED)
    usage = Usage(input=100, output=10, total=110)
    return ItemRecord(item.item_id, ItemStatus.OK, answer=said, latency_s=0.5, usage=usage)


def _summary() -> dict[str, Any]:
    return {
        "counts": {"total": 4, "ok": 3, "failed": 1, "by_status": {"ok": 3, "refused": 1}},
        "threshold": Threshold(0.5, failed=1, total=4).to_json(),
        "cost": Costs.of({model: StageCost(model=model) for model in MODELS}).to_json(),
        "by_model": {},
        "faults": [],
        "items_without_usage": 0,
        "unreported_calls": 0,
    }
