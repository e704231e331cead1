"""Compares two stored text runs; nothing is called, nothing is written."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from eval_pipeline.core.differences import Difference, find_differences
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.runs.endpoints import accepted_endpoints
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.text_eval.scoring.compare import (
    ChangedQuestion,
    RunStages,
    check_comparable,
    compare_score,
    most_changed,
    question_scores,
)
from eval_pipeline.text_eval.scoring.side_by_side import score_names
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.deployment import Deployment


def compare_runs(deployment: Deployment, first: RunKey, second: RunKey, *, limit: int) -> JsonDict:
    """Return the JSON document of ``text compare``: every score that both runs have, and what changed most.

    Args:
        deployment: where the runs are.
        first: the baseline.
        second: the run that is judged against it.
        limit: changed questions to show, by the first common score.
    """
    stages = (_stages(deployment, first), _stages(deployment, second))
    check_comparable(*stages)
    names = [name for name in score_names(stages[0].scores) if name in score_names(stages[1].scores)]
    if not names:
        raise UsageError(
            f"runs {first.run} and {second.run} have no score in common",
            code="runs_not_comparable",
            hint="score one of them as the other: eval-pipeline text rescore RUN --scorer S",
        )
    _check_same_scoring(names, first=first, second=second, stages=stages)
    tables = {name: tuple(question_scores(one.scores, name) for one in stages) for name in names}
    comparisons = [compare_score(name, *tables[name]) for name in names]
    changed = most_changed(*tables[names[0]], limit=limit)
    return {
        "first": first.run,
        "second": second.run,
        "project": first.project,
        "dataset_version": stages[0].dataset.manifest.summary["dataset_version"],
        "differences": [difference.to_json() for difference in _differences(deployment, first, second)],
        "scores": [{**asdict(comparison), "verdict": comparison.verdict} for comparison in comparisons],
        "changed": _with_questions(changed, score=names[0], stages=stages[0]),
    }


def _differences(deployment: Deployment, first: RunKey, second: RunKey) -> list[Difference]:
    """Return what may make two runs differ: what they asked, and who answered where that does not follow from it."""
    runs = [find_run(deployment, flow=Flow.TEXT, key=key) for key in (first, second)]
    before, after = (TextSpec.from_json(run.spec) for run in runs)
    told: list[str] = []
    if before.model == after.model:  # a name may be moved on to another model
        told.append("models")
    if before.endpoints == after.endpoints or any(accepted_endpoints(deployment, run) for run in runs):
        told.append("endpoints")
    return find_differences(*({**_asked(deployment, run), **_answered(deployment, run, told)} for run in runs))


def _answered(deployment: Deployment, run: RunRecord, told: Iterable[str]) -> JsonDict:
    """Return what the models that answered called themselves, and the addresses where they did."""
    paid = StoredRun(deployment, run).paid("responses")
    counted = {} if paid is None else paid.calls.to_json()
    return {f"answered_by.{name}": ", ".join(sorted(counted[name])) for name in told if counted.get(name)}


_OUR_OWN = frozenset({"schema", "scorers"})
"""Of a specification: its form, and the scorers that may not be those that were used."""


def _asked(deployment: Deployment, run: RunRecord) -> JsonDict:
    """Return what a run asked and how it was scored."""
    stored = StoredRun(deployment, run)
    made = {stage: stored.find(stage) for stage in _MADE}
    scores = made["scores"]
    summary = {} if scores is None else scores.manifest.summary
    return {
        **{name: value for name, value in run.spec.items() if name not in _OUR_OWN},
        "scorers": {_score_name(scorer): scorer for scorer in summary.get("scorers", ())},
        "scorer_versions": summary.get("scorer_versions", {}),
        "code_version": {stage: found.manifest.code_version for stage, found in made.items() if found is not None},
    }


def _score_name(scorer: Json) -> str:
    return str(scorer.get("label") or scorer["name"])


_MADE = ("responses", "embeddings", "scores")


def _check_same_scoring(
    names: Sequence[str], *, first: RunKey, second: RunKey, stages: tuple[RunStages, RunStages]
) -> None:
    """Refuse scores that different versions of a scorer made: their difference says nothing of the models."""
    versions = [one.scores.manifest.summary.get("scorer_versions") or {} for one in stages]
    for name in names:
        made_by = [version.get(name) for version in versions]
        if None not in made_by and made_by[0] != made_by[1]:
            raise UsageError(
                f"score {name} was made by {made_by[0]} in run {first.run} and by {made_by[1]} in run {second.run}",
                code="runs_not_comparable",
                hint="score both again: eval-pipeline text rescore RUN",
            )


def _stages(deployment: Deployment, key: RunKey) -> RunStages:
    stored = StoredRun(deployment, find_run(deployment, flow=Flow.TEXT, key=key))
    return RunStages(dataset=stored.open("dataset"), scores=stored.open("scores"))


def _with_questions(changed: list[ChangedQuestion], *, score: str, stages: RunStages) -> list[JsonDict]:
    wanted = {question.question_id for question in changed}
    texts = {
        row["question_id"]: row
        for row in stages.dataset.rows(("question_id", "question", "golden_answer"))
        if row["question_id"] in wanted
    }
    return [
        {
            "question_id": question.question_id,
            "question": texts[question.question_id]["question"],
            "golden_answer": texts[question.question_id]["golden_answer"],
            "score": score,
            "first": question.first,
            "second": question.second,
            "difference": question.difference,
        }
        for question in changed
    ]
