"""Scores every transcript against its reference, and computes the figures of the run; free to make again."""

import orjson

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.corrected_references import REFERENCES, Correction, correct
from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.figures.speakers import check_speaker_column
from eval_pipeline.stt_eval.report import page as report
from eval_pipeline.stt_eval.report.run_data import data_of
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.spec import SttSpec

ROWS_AT_ONCE = 3_000


def make(task: Task, *, dataset: StageReader, transcripts: StageReader) -> StageReader:
    """Score every transcript against its reference, and compute the run's figures, by other speakers where asked."""
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
        column = task.given.get("speaker_column") or spec.speaker_column
        if column is not None:
            check_speaker_column(column, (orjson.loads(row["metadata"]) for row in dataset.rows(("metadata",))))
        correction = _correction(task, dataset)
        samples = dataset if correction is None else correction.samples
        figures = RunFigures([model.label for model in spec.models], run=names, speaker_column=column)
        rows: list[JsonDict] = []
        for scored in score_samples(samples, transcripts, models=len(spec.models), language=spec.language):
            figures.add(scored)
            rows += scored.rows
            if len(rows) >= ROWS_AT_ONCE:
                stage.files.append(rows)
                rows = []
        stage.files.append(rows)
        told = figures.as_json() | ({} if correction is None else {REFERENCES: dict(correction.facts)})
        stage.files.finish(
            {
                "best": told["best"]["sentence"],
                "markdown": report.render_markdown(data_of(stage.run, told, dataset=dataset, transcripts=transcripts)),
                "figures": told,
                "summary_scores": _summary_scores(told),
            }
        )
    return task.deployment.stages.open(ref)


def _correction(task: Task, dataset: StageReader) -> Correction | None:
    """Return the references of the version that is asked for, else of the one that was scored against before."""
    asked = task.given.get("dataset")
    before = task.deployment.stages.find(task.ref("scores"))
    facts = None if before is None else (before.manifest.summary.get("figures") or {}).get(REFERENCES)
    reference = asked or (facts and f"{facts['dataset']}@{facts['version']}")
    if not reference:
        return None
    return correct(task.deployment, project=task.key.project, reference=reference, dataset=dataset)


def _summary_scores(figures: JsonDict) -> list[JsonDict]:
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
