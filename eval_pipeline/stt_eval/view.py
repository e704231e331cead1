"""A speech run as scripts and people read it: the ledger's row joined with what the stages' manifests say."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.endpoints import read_endpoints
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import ModelSummary, models_as_json
from eval_pipeline.core.record_columns import error_in
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.reporting.export_files import export_format
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.cost_warnings import cost_warnings
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.so_far import standing_of
from eval_pipeline.runs.status import batches_json
from eval_pipeline.runs.stored_run import StoredRun, nothing_to_export
from eval_pipeline.stt_eval.corrected_references import REFERENCES, samples_as_scored
from eval_pipeline.stt_eval.feedback import shown_verdicts, verdicts_of
from eval_pipeline.stt_eval.report.export import export_rows, side_by_side
from eval_pipeline.stt_eval.report_age import age_warnings
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.so_far import transcripts_so_far
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring.deployment import Deployment


def show_run(deployment: Deployment, key: RunKey, *, detail: bool) -> JsonDict:
    """Return the JSON document of ``stt show``."""
    run = find_run(deployment, flow=Flow.STT, key=key)
    stored = _Stored(deployment, run)
    standing, figures = stored.standing(), stored.stages.fact("scores", "figures") or {}
    document = {
        **run_json(run),
        "mode": str(stored.spec.mode),
        "dataset": {
            "name": run.dataset_name,
            "version": run.dataset_version,
            "samples_count": stored.spec.samples_count,
            "total_items_count": stored.spec.total_items_count,
        },
        "models": [model.label for model in stored.spec.models],
        "spec": run.spec,
        "counts": standing.counts_json(),
        "by_model": models_as_json(stored.by_model()),
        "method": figures.get("method"),
        "metric": figures.get("metric"),
        "figures": figures.get("models") or [],
        "samples": figures.get("samples"),
        "slices": figures.get("slices") or [],
        "pairs": figures.get("pairs") or [],
        "best": figures.get("best"),
        "speakers": figures.get("speakers"),
        "normalisers": figures.get("normalisers"),
        "references": figures.get(REFERENCES),
        "summary_scores": stored.stages.fact("scores", "summary_scores") or [],
        "cost": standing.cost_json(),
        "threshold": standing.threshold_json(),
        "batches": batches_json(deployment, deployment.ledger.run_jobs(flow=Flow.STT, key=key)),
        "report": stored.stages.fact("report", "url"),
        "warnings": stored.warnings(),
    }
    return {**document, "results": list(stored.results())} if detail else document


class _Stored:
    """The finished stages of a run, and what its journal says of transcripts that are not finished."""

    def __init__(self, deployment: Deployment, run: RunRecord) -> None:
        self.spec = SttSpec.from_json(run.spec)
        self.stages = StoredRun(deployment, run)
        self._deployment = deployment
        self._run = run

        self._paid = self.stages.paid("transcripts")
        self._so_far = transcripts_so_far(deployment, run) if self._paid is None else None

    def standing(self) -> PaidStanding:
        """Say what became of every pair, and what the models cost."""
        return standing_of(
            self._paid,
            self._so_far,
            total=self.spec.total_items_count,
            allowed=self.spec.failure_threshold,
            called="transcripts",
        )

    def by_model(self) -> Mapping[str, ModelSummary]:
        """Return what every model came to, so far while the run is not finished."""
        stored = None if self._paid is None else self._paid.by_model
        return stored or (self._so_far.by_model if self._so_far else {})

    def warnings(self) -> list[dict[str, str]]:
        """Say what a person should know of the run's cost, and of models that could not be asked."""
        faults = (self._paid and self._paid.faults) or ()
        hint = "run retry asks them again"
        told = [{"code": "model_not_asked", "message": fault, "hint": hint} for fault in faults]
        ages = age_warnings(self._deployment, self._run.key)
        return [*cost_warnings({"transcripts": self._paid}), *told, *self._unscored(), *ages]

    def _unscored(self) -> Iterator[dict[str, str]]:
        """Tell of references that nothing can be held against: they count neither as right nor as wrong."""
        samples = (self.stages.fact("scores", "figures") or {}).get("samples") or {}
        for name, why in (("damaged", "is damaged"), ("not_understood", "says that nobody understood it")):
            if count := samples.get(name):
                yield {
                    "code": "references_not_scored",
                    "message": f"{count:,} of {counted(samples['total'], 'sample')} not scored: the reference {why}",
                    "hint": "correct these references and add the dataset again; stt rescore scores against them",
                }

    def results(self) -> Iterator[JsonDict]:
        """Yield every pair with its transcript and its scores, sample by sample."""
        dataset, transcripts = self.stages.find("dataset"), self.stages.find("transcripts")
        if dataset is None or transcripts is None:
            return
        scores, project = self.stages.find("scores"), self._run.key.project
        samples = samples_as_scored(self._deployment, project=project, dataset=dataset, scores=scores)
        if scores is not None:  # as they were made, also where transcripts are compared otherwise by now
            for sample, row, levels in side_by_side(samples, transcripts, scores):
                yield _result(sample, row, levels or ())
            return
        models = len(self.spec.models)
        for scored in score_samples(samples, transcripts, models=models, language=self.spec.language):
            count = len(scored.rows) // models
            for position, row in enumerate(scored.transcripts):
                yield _result(scored.sample, row, scored.rows[position * count : (position + 1) * count])


def _result(sample: Row, row: Row, scores: Sequence[Row]) -> JsonDict:
    return {
        "item_id": row["item_id"],
        "sample": row["sample_id"],
        "file_name": sample["file_name"],
        "language": sample["language"],
        "duration_s": sample["duration_s"],
        "model": row["model"],
        "status": row["status"],
        "outcome": row["outcome"],
        "reference": sample["reference"],
        "transcript": row["transcript"],
        "raw_text": row["raw_text"],
        "error": error_in(row),
        "latency_s": row["latency_s"],
        "attempts": row["attempts"],
        "cost_usd": None if row["cost_usd"] is None else float(row["cost_usd"]),
        "flags": scores[0]["flags"],
        "scores": {
            score["level"]: {name: value for name, value in score.items() if name not in _NAMED} for score in scores
        },
    }


_NAMED = frozenset({"item_id", "sample_id", "model", "level", "flags"})


def export_run(deployment: Deployment, key: RunKey, *, output: Path, bom: bool) -> int:
    """Write a run's results to a file, one line for each sample and model; returns the lines written."""
    run = find_run(deployment, flow=Flow.STT, key=key)
    stored = StoredRun(deployment, run)
    dataset, transcripts = stored.find("dataset"), stored.find("transcripts")
    if dataset is None or transcripts is None:
        raise nothing_to_export(key, what="transcripts")
    return export_rows(
        dataset=dataset,
        transcripts=transcripts,
        scores=stored.find("scores"),
        endpoints=read_endpoints(run.spec),
        samples=samples_as_scored(deployment, project=key.project, dataset=dataset, scores=stored.find("scores")),
        path=output,
        file_format=export_format(output),
        bom=bom,
        verdicts=shown_verdicts(verdicts_of(deployment, key)),
    )
