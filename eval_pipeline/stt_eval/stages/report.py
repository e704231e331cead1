"""The report of a speech run: a page with players and word diffs, CSV and JSON beside it; with it the run ends."""

from dataclasses import replace
from pathlib import Path

from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.stored_run import check_made_from
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.stt_eval import feedback as stt_feedback
from eval_pipeline.stt_eval.corrected_references import samples_as_scored
from eval_pipeline.stt_eval.report import page as report
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.report.run_data import data_of
from eval_pipeline.stt_eval.report_age import ENTRIES
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.stages.scores import make as make_scores


def make(task: Task, *, dataset: StageReader, transcripts: StageReader, scores: StageReader | None) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when the threshold was missed."""
    threshold = PaidSummary.of(transcripts.manifest).threshold
    if scores is None:
        scores = make_scores(task, dataset=dataset, transcripts=transcripts)
    stage = write_report(task, dataset=dataset, transcripts=transcripts, scores=scores)
    end_run(task, threshold)
    return stage


def write_report(task: Task, *, dataset: StageReader, transcripts: StageReader, scores: StageReader) -> StageReader:
    """Write the report from what there is; a missed threshold is marked in it."""
    check_made_from(scores, transcripts)
    deployment, ref = task.deployment, task.ref("report")
    inputs = {"dataset": dataset, "transcripts": transcripts, "scores": scores}
    with (
        at_work(deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage,
        temporary_folder() as folder,
    ):
        said = sum(map(len, stt_feedback.run_history(deployment, task.key).values()))  # before the verdicts are read
        data = _report_data(task, stage.run, dataset=dataset, transcripts=transcripts, scores=scores)
        rows = samples_as_scored(deployment, project=task.key.project, dataset=dataset, scores=scores)
        samples = score_samples(rows, transcripts, models=len(data.spec.models), language=data.spec.language)
        written = report.write_report(data, samples, audio=deployment.objects, folder=Path(folder))
        keys = {name: stage.files.copy_file(name, path) for name, path in written.named()}
        stage.files.finish(
            {
                "url": deployment.objects.url(keys[written.page.name]),
                "best": data.figures["best"]["sentence"],
                "markdown": report.render_markdown(data),
                "breached": data.threshold.breached,
                "threshold": data.threshold.to_json(),
                "cost": data.cost.to_json(),
                "samples_shown": written.shown_samples,
                "verdicts": len(data.verdicts),
                ENTRIES: said,
            }
        )
    return deployment.stages.open(ref)


def _report_data(
    task: Task, run: RunRecord, *, dataset: StageReader, transcripts: StageReader, scores: StageReader
) -> SpeechReportData:
    verdicts = stt_feedback.verdicts_of(task.deployment, task.key)
    data = data_of(run, scores.manifest.summary["figures"], dataset=dataset, transcripts=transcripts)
    return replace(
        data,
        stages=[*data.stages, StageFact.of(scores.manifest)],
        verdicts=stt_feedback.shown_verdicts(verdicts),
        agreement=stt_feedback.agreement(task.deployment, task.key) if verdicts else None,
    )
