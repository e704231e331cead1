"""The stages that cost nothing: scores, the report and Langfuse traces; made again as often as one likes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from eval_pipeline.core.cost import join_costs
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.runs.at_work import MADE_FROM, at_work, check_made_from, content_sha256
from eval_pipeline.runs.ending import end_run
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.report.data import ReportData
from eval_pipeline.text_eval.report.page import plot_markdown, render_html, render_markdown, scores_markdown
from eval_pipeline.text_eval.report.rows import collect_report
from eval_pipeline.text_eval.scoring.scorers import parse_scorers, scorer_versions
from eval_pipeline.text_eval.scoring.scores import score_items
from eval_pipeline.text_eval.scoring.summariser import Summariser
from eval_pipeline.text_eval.scoring.summary import RunSummary, read_model
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.traces import deliver_traces, item_traces, trace_run
from eval_pipeline.wiring.models import open_trace_sink

REPORT_FILE = "report.html"


@dataclass(frozen=True, slots=True)
class Answers:
    """What every result is made from."""

    dataset: StageReader
    responses: StageReader
    embeddings: StageReader | None = None
    scores: StageReader | None = None

    def inputs(self) -> dict[str, StageReader]:
        """Name what there is."""
        stages = {
            "dataset": self.dataset,
            "responses": self.responses,
            "embeddings": self.embeddings,
            "scores": self.scores,
        }
        return {name: stage for name, stage in stages.items() if stage is not None}

    def check_match(self) -> None:
        """Raise when embeddings or scores were made from other answers."""
        for stage in (self.embeddings, self.scores):
            if stage is not None:
                check_made_from(stage, responses=self.responses)


def make_scores(task: Task, answers: Answers, *, scorers: Sequence[str | Mapping[str, Any]] = ()) -> StageReader:
    """Score every answer against its golden answer, by the run's scorers or by others."""
    chosen = parse_scorers(scorers)
    answers.check_match()
    ref = task.ref("scores")
    with at_work(
        task.deployment, ref, schema=tables.SCORES, inputs=answers.inputs(), dagster_run_id=task.dagster_run_id
    ) as stage:
        spec = TextSpec.from_json(stage.run.spec)
        used = chosen or spec.scorers
        summariser = Summariser(used)
        for rows in score_items(
            dataset=answers.dataset,
            responses=answers.responses,
            embeddings=answers.embeddings if spec.needs_embeddings else None,
            scorers=used,
        ):
            summariser.add(rows)
            stage.files.append(rows)
        stage.files.finish(
            {
                **_score_facts(summariser.summary()),
                "scorers": [scorer.to_json() for scorer in used],
                "scorer_versions": scorer_versions(used),
                MADE_FROM: content_sha256(answers.responses.manifest),
            }
        )
    return task.deployment.stages.open(ref)


def _score_facts(summary: RunSummary) -> dict[str, Any]:
    plots = [f"**{score.name}**\n\n{plot_markdown(score)}" for score in summary.scores]
    return {"markdown": "\n\n".join([scores_markdown(summary), *plots]), **read_model(summary)}


def summarise(scores: StageReader) -> Summariser:
    """Read the stored scores into a summary."""
    summariser = Summariser(parse_scorers(scores.manifest.summary["scorers"]))
    for batch in scores.batches():
        summariser.add(batch.to_pylist())
    return summariser


def make_report(task: Task, answers: Answers) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when a threshold was missed.

    A run that missed its threshold needs no scores for its report; any other does.
    """
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
                "cost": run_cost(answers),
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


def worst_threshold(answers: Answers) -> Threshold:
    """Return the verdict that counts most failures: the embeddings' where they were made, else the responses'."""
    paid = [stage for stage in (answers.responses, answers.embeddings) if stage is not None]
    verdicts = [Threshold.from_json(stage.manifest.summary["threshold"]) for stage in paid]
    return max(verdicts, key=lambda verdict: (verdict.breached, verdict.failed))


def run_cost(answers: Answers) -> dict[str, Any]:
    """Join the costs of the paid stages."""
    paid = {"response": answers.responses, "embedding": answers.embeddings}
    found = {name: stage.manifest.summary.get("cost") for name, stage in paid.items() if stage is not None}
    return join_costs({name: cost for name, cost in found.items() if cost is not None})


def make_traces(task: Task, *, dataset: StageReader, responses: StageReader, scores: StageReader) -> StageReader:
    """Deliver one trace per item to Langfuse; again without duplicates."""
    check_made_from(scores, responses=responses)
    deployment, ref = task.deployment, task.ref("traces")
    inputs = {"dataset": dataset, "responses": responses, "scores": scores}
    with at_work(
        deployment,
        ref,
        schema=tables.TRACES,
        inputs=inputs,
        dagster_run_id=task.dagster_run_id,
        optional=True,
    ) as stage:
        run = find_run(deployment, flow=task.flow, key=task.key)
        items = item_traces(run, dataset=dataset, responses=responses, scores=scores)
        delivered = deliver_traces(
            trace_run(run, TextSpec.from_json(run.spec)),
            items,
            sink=open_trace_sink(task.credentials),
            writer=stage.files,
        )
        stage.files.finish({"langfuse": delivered.url, "counts": asdict(delivered.counts)})
    return deployment.stages.open(ref)


def make_breached_report(task: Task) -> dict[str, StageReader]:
    """Write the report of a run that missed its threshold, from what there is.

    Returns:
        what was made, by stage: where there are embeddings, scores cost nothing and say which pairs failed.
    """
    stages = task.deployment.stages
    answers = Answers(
        dataset=stages.open(task.ref("dataset")),
        responses=stages.open(task.ref("responses")),
        embeddings=_embeddings_of_these(task),
    )
    if answers.embeddings is None:
        return {"report": write_report(task, answers)}
    scores = make_scores(task, answers)
    return {"scores": scores, "report": write_report(task, replace(answers, scores=scores))}


def _embeddings_of_these(task: Task) -> StageReader | None:
    """Return the embeddings that were made from the present responses, if any."""
    stages = task.deployment.stages
    embeddings = stages.find(task.ref("embeddings"))
    responses = stages.open(task.ref("responses")).manifest
    if embeddings is None or embeddings.manifest.inputs.get("responses") != responses.sha256:
        return None
    return embeddings
