"""The stages of the speech flow that cost nothing: scores and the report; made again as often as one likes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.reporting.export_columns import metadata_keys
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.runs.at_work import MADE_FROM, at_work, check_made_from, content_sha256
from eval_pipeline.runs.ending import end_run
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.report import page as report
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring import stt_feedback

ROWS_AT_ONCE = 3_000


def make_scores(task: Task, *, dataset: StageReader, transcripts: StageReader) -> StageReader:
    """Score every transcript against its reference, and compute the run's figures."""
    ref = task.ref("scores")
    with at_work(
        task.deployment,
        ref,
        schema=tables.SCORES,
        inputs={"dataset": dataset, "transcripts": transcripts},
        dagster_run_id=task.dagster_run_id,
    ) as stage:
        spec = SttSpec.from_json(stage.run.spec)
        names = (task.key.project, task.key.run, spec.dataset_version)
        figures = RunFigures([model.label for model in spec.models], run=names)
        rows: list[dict[str, Any]] = []
        for scored in score_samples(dataset, transcripts, models=len(spec.models), language=spec.language):
            figures.add(scored)
            rows += scored.rows
            if len(rows) >= ROWS_AT_ONCE:
                stage.files.append(rows)
                rows = []
        stage.files.append(rows)
        told = figures.as_json()
        stage.files.finish(
            {
                "best": told["best"]["sentence"],
                "markdown": report.render_markdown(_data_of(stage.run, told, dataset=dataset, transcripts=transcripts)),
                "figures": told,
                "summary_scores": _summary_scores(told),
                MADE_FROM: content_sha256(transcripts.manifest),
            }
        )
    return task.deployment.stages.open(ref)


def _summary_scores(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every model's headline rate, so that it plots over runs."""
    metric = figures["metric"].lower()
    return [
        {
            "name": f"{metric} {model['model']}",
            "avg": model[metric]["value"],
            "ci_low": model[metric]["low"],
            "ci_high": model[metric]["high"],
            "total_pairs": model[metric]["samples"],
            "data_type": "NUMERIC",
        }
        for model in figures["models"]
    ]


def make_report(
    task: Task, *, dataset: StageReader, transcripts: StageReader, scores: StageReader | None
) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when the threshold was missed."""
    threshold = Threshold.from_json(transcripts.manifest.summary["threshold"])
    if scores is None:
        scores = make_scores(task, dataset=dataset, transcripts=transcripts)
    stage = write_report(task, dataset=dataset, transcripts=transcripts, scores=scores)
    end_run(task, threshold)
    return stage


def make_breached_report(task: Task) -> dict[str, StageReader]:
    """Write scores and report of a run that missed its threshold, from what there is; returns what was made."""
    stages = task.deployment.stages
    dataset, transcripts = stages.open(task.ref("dataset")), stages.open(task.ref("transcripts"))
    scores = make_scores(task, dataset=dataset, transcripts=transcripts)
    return {"scores": scores, "report": write_report(task, dataset=dataset, transcripts=transcripts, scores=scores)}


def write_report(task: Task, *, dataset: StageReader, transcripts: StageReader, scores: StageReader) -> StageReader:
    """Write the report from what there is; a missed threshold is marked in it."""
    check_made_from(scores, responses=transcripts)
    deployment, ref = task.deployment, task.ref("report")
    inputs = {"dataset": dataset, "transcripts": transcripts, "scores": scores}
    with (
        at_work(deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage,
        temporary_folder() as folder,
    ):
        data = _report_data(task, stage.run, dataset=dataset, transcripts=transcripts, scores=scores)
        samples = score_samples(dataset, transcripts, models=len(data.spec.models), language=data.spec.language)
        written = report.write_report(data, samples, audio=deployment.objects, folder=Path(folder))
        keys = {name: stage.files.copy_file(name, path) for name, path in written.named()}
        stage.files.finish(
            {
                "url": deployment.objects.url(keys[written.page.name]),
                "best": data.figures["best"]["sentence"],
                "markdown": report.render_markdown(data),
                "breached": data.threshold.breached,
                "threshold": data.threshold.to_json(),
                "cost": dict(data.cost),
                "samples_shown": written.shown_samples,
                "verdicts": len(data.verdicts),
            }
        )
    return deployment.stages.open(ref)


def _report_data(
    task: Task, run: RunRecord, *, dataset: StageReader, transcripts: StageReader, scores: StageReader
) -> SpeechReportData:
    verdicts = stt_feedback.verdicts_of(task.deployment, task.key)
    data = _data_of(run, scores.manifest.summary["figures"], dataset=dataset, transcripts=transcripts)
    return replace(
        data,
        stages=[*data.stages, StageFact.of(scores.manifest)],
        verdicts=stt_feedback.shown_verdicts(verdicts),
        agreement=stt_feedback.agreement(task.deployment, task.key) if verdicts else None,
    )


def _data_of(
    run: RunRecord, figures: Mapping[str, Any], *, dataset: StageReader, transcripts: StageReader
) -> SpeechReportData:
    """Join what is known of a run without people's verdicts."""
    return SpeechReportData(
        run=run,
        spec=SttSpec.from_json(run.spec),
        figures=figures,
        threshold=Threshold.from_json(transcripts.manifest.summary["threshold"]),
        cost=transcripts.manifest.summary["cost"],
        stages=[StageFact.of(stage.manifest) for stage in (dataset, transcripts)],
        written_at=datetime.now(UTC),
        metadata_keys=metadata_keys(dataset),
    )
