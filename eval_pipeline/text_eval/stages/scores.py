"""Scores every answer against its golden answer; free to make again, also by other scorers."""

from collections.abc import Mapping
from typing import Any

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunState
from eval_pipeline.runs.at_work import StageAtWork, at_work, run_cancelled
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.answers import Answers
from eval_pipeline.text_eval.report.page import plot_markdown, scores_markdown
from eval_pipeline.text_eval.scoring.scorers import parse_scorers, scorer_versions
from eval_pipeline.text_eval.scoring.scores import score_items
from eval_pipeline.text_eval.scoring.summariser import Summariser
from eval_pipeline.text_eval.scoring.summary import RunSummary, read_model
from eval_pipeline.text_eval.spec import TextSpec


def check(given: Mapping[str, Any]) -> None:
    """Refuse scorers that there are not."""
    parse_scorers(given.get("scorers", ()))


def make(task: Task, *, dataset: StageReader, responses: StageReader, embeddings: StageReader | None) -> StageReader:
    """Score every answer against its golden answer, by the run's scorers or by others."""
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    used = parse_scorers(task.given.get("scorers", ())) or TextSpec.from_json(run.spec).scorers
    compared = embeddings if any(scorer.needs_embeddings for scorer in used) else None
    answers = Answers(dataset=dataset, responses=responses, embeddings=compared)
    answers.check_match()
    ref = task.ref("scores")
    with at_work(
        task.deployment, ref, schema=tables.SCORES, inputs=answers.inputs(), dagster_run_id=task.dagster_run_id
    ) as stage:
        summariser = Summariser(used)
        for rows in score_items(
            dataset=answers.dataset,
            responses=answers.responses,
            embeddings=answers.embeddings,
            scorers=used,
        ):
            _stop_if_asked(stage)
            summariser.add(rows)
            stage.files.append(rows)
        stage.files.finish(
            {
                **_score_facts(summariser.summary()),
                "scorers": [scorer.to_json() for scorer in used],
                "scorer_versions": scorer_versions(used),
            }
        )
    return task.deployment.stages.open(ref)


def _stop_if_asked(stage: StageAtWork) -> None:
    """Stop between two chunks of items when a person cancels; not for the wish that had ended the run before."""
    ended_by_it = stage.run.cancel_requested and stage.run.state is not RunState.RUNNING
    if stage.should_stop() and not ended_by_it:
        stage.lease.check()
        raise run_cancelled(stage.run.key)


def _score_facts(summary: RunSummary) -> dict[str, Any]:
    plots = [f"**{score.name}**\n\n{plot_markdown(score)}" for score in summary.scores]
    return {"markdown": "\n\n".join([scores_markdown(summary), *plots]), **read_model(summary)}
