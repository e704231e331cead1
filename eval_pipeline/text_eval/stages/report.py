"""The report of a text run: one self-contained page; with it the run ends."""

from dataclasses import replace
from datetime import UTC, datetime

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.answers import Answers, run_cost, worst_threshold
from eval_pipeline.text_eval.report.data import ReportData
from eval_pipeline.text_eval.report.page import render_html, render_markdown
from eval_pipeline.text_eval.report.rows import collect_report
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.scoring.summariser import Summariser

REPORT_FILE = "report.html"


def make(
    task: Task,
    *,
    dataset: StageReader,
    responses: StageReader,
    embeddings: StageReader | None,
    scores: StageReader | None,
) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when a threshold was missed.

    A run that missed its threshold needs no scores for its report; any other does.
    """
    answers = Answers(dataset=dataset, responses=responses, embeddings=embeddings, scores=scores)
    threshold = worst_threshold(answers)
    if answers.scores is None and not threshold.breached:
        task.deployment.stages.open(task.ref("scores"))
    stage = write_report(task, answers)
    end_run(task, threshold)
    return stage


def write_report(task: Task, answers: Answers) -> StageReader:
    """Write the report from what there is; a missed threshold is marked in it."""
    answers.check_match()
    deployment, ref = task.deployment, task.ref("report")
    with at_work(deployment, ref, schema=None, inputs=answers.inputs(), dagster_run_id=task.dagster_run_id) as stage:
        data = _collect(stage.run, answers)
        key = stage.files.add_file(REPORT_FILE, render_html(data).encode())
        stage.files.finish(
            {
                "url": deployment.objects.url(key),
                "markdown": render_markdown(data),
                "breached": data.threshold.breached,
                "threshold": data.threshold.to_json(),
                "cost": run_cost(answers).to_json(),
            }
        )
    return deployment.stages.open(ref)


def scored_as(run: RunRecord, scores: StageReader | None) -> RunRecord:
    """Return the run with the scorers that its scores were made by, which may be others than it was specified with."""
    return run if scores is None else replace(run, spec={**run.spec, "scorers": scores.manifest.summary["scorers"]})


def _collect(run: RunRecord, answers: Answers) -> ReportData:
    summariser = summarise(answers.scores) if answers.scores else None
    return collect_report(
        scored_as(run, answers.scores),
        dataset=answers.dataset,
        responses=answers.responses,
        scores=answers.scores,
        embeddings=answers.embeddings,
        summary=summariser.summary() if summariser else None,
        questions=summariser.question_summaries() if summariser else (),
        cost=run_cost(answers),
        threshold=worst_threshold(answers),
        written_at=datetime.now(UTC),
    )


def summarise(scores: StageReader) -> Summariser:
    """Read the stored scores into a summary."""
    summariser = Summariser(parse_scorers(scores.manifest.summary["scorers"]))
    for batch in scores.batches():
        summariser.add(batch.to_pylist())
    return summariser
