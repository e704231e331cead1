"""A speech run whose stages are written by hand: two samples, two models, one result that failed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.stt_eval import tables
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run

FLASH, WHISPER = "gemini-2.5-flash", "openai/whisper-1"
HEARD: Mapping[tuple[str, str], str | None] = {
    ("clip-1", FLASH): "नमस्ते, मेरा नाम मीरा है",
    ("clip-1", WHISPER): "=नमस्ते\nमेरा नाम",
    ("clip-2", FLASH): "",
    ("clip-2", WHISPER): None,
}
WERS: Mapping[tuple[str, str], float | None] = {
    ("clip-1", FLASH): 0.0,
    ("clip-1", WHISPER): 0.5,
    ("clip-2", FLASH): None,
    ("clip-2", WHISPER): None,
}


def open_judged(home: Path, *, key: RunKey = KEY) -> Deployment:
    """Open a deployment with the run, its transcripts and its scores."""
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(home))})
    deployment.ledger.add_dataset(a_dataset())
    deployment.ledger.claim_run(a_run(key.run, project=key.project, flow=Flow.STT))
    samples = dict.fromkeys(sample for sample, _ in HEARD)
    rows = [_row(tables.DATASET, sample_id=name, reference="नमस्ते", file_name=f"{name}.wav") for name in samples]
    _store(deployment, "dataset", tables.DATASET, rows=rows, key=key)
    transcribe(deployment, key=key)
    score(deployment, key=key)
    deployment.ledger.set_run_state(flow=Flow.STT, key=key, to=RunState.COMPLETED)
    return deployment


def transcribe(
    deployment: Deployment, heard: Mapping[tuple[str, str], str | None] = HEARD, *, key: RunKey = KEY
) -> Manifest:
    """Write the transcripts; None is a failure."""
    rows = [
        _row(
            tables.TRANSCRIPTS,
            item_id=f"{sample}#{model}",
            sample_id=sample,
            model=model,
            status="failed" if text is None else "completed",
            outcome="refused" if text is None else "ok",
            transcript=text,
        )
        for (sample, model), text in heard.items()
    ]
    return _store(deployment, "transcripts", tables.TRANSCRIPTS, rows=rows, key=key)


def score(
    deployment: Deployment, wers: Mapping[tuple[str, str], float | None] = WERS, *, key: RunKey = KEY
) -> Manifest:
    """Write scores at two levels; those of the other level are worse."""
    transcripts = deployment.stages.open(StageRef(flow=Flow.STT, key=key, stage="transcripts"))
    rows = [
        _row(tables.SCORES, item_id=f"{sample}#{model}", sample_id=sample, model=model, level=level, wer=wer)
        for (sample, model), standard in wers.items()
        for level, wer in (("verbatim", 1.0), ("standard", standard))
    ]
    return _store(deployment, "scores", tables.SCORES, rows=rows, key=key, inputs={"transcripts": transcripts})


def _store(
    deployment: Deployment,
    stage: str,
    schema: pa.Schema,
    *,
    rows: Sequence[Mapping[str, Any]],
    key: RunKey,
    inputs: Mapping[str, Any] | None = None,
) -> Manifest:
    ref = StageRef(flow=Flow.STT, key=key, stage=stage)
    with at_work(deployment, ref, schema=schema, inputs=inputs) as work:
        work.files.append(rows)
        return work.files.finish({})


def _row(schema: pa.Schema, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    """Return a row with these values; the other columns are null, or of their type's emptiest value."""
    empty = {pa.string(): "", pa.int64(): 0, pa.int32(): 0, pa.list_(pa.string()): []}
    return {field.name: values.get(field.name, None if field.nullable else empty[field.type]) for field in schema}
