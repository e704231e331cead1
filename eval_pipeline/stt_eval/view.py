"""A speech run as scripts and people read it: the ledger's row joined with what the stages' manifests say."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from eval_pipeline.core.documents import Json, JsonDict, Row
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.reporting.export_files import export_format
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.cost_warnings import cost_warnings
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.status import batches_json
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.stt_eval.corrected_references import REFERENCES, samples_as_scored
from eval_pipeline.stt_eval.feedback import shown_verdicts, verdicts_of
from eval_pipeline.stt_eval.report.export import export_rows, side_by_side
from eval_pipeline.stt_eval.report_age import age_warnings
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.so_far import TranscriptsSoFar, transcripts_so_far
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import FAILED
from eval_pipeline.wiring.deployment import Deployment

_ERROR = ("code", "type", "message", "transient")


def show_run(deployment: Deployment, key: RunKey, *, detail: bool) -> JsonDict:
    """Return the JSON document of ``stt show``."""
    run = find_run(deployment, flow=Flow.STT, key=key)
    stored = _Stored(deployment, run)
    figures = stored.stages.fact("scores", "figures") or {}
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
        "counts": stored.counts(),
        "by_model": stored.by_model(),
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
        "cost": stored.cost(),
        "threshold": stored.threshold(),
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

    @cached_property
    def _so_far(self) -> TranscriptsSoFar | None:
        return transcripts_so_far(self._deployment, self._run)

    def counts(self) -> JsonDict:
        """Count pairs by what became of them; ``unfinished`` are those that are still to be transcribed."""
        total = self.spec.total_items_count
        stored = self.stages.fact("transcripts", "counts")
        if stored is not None:
            return {"total": total, **stored, "unfinished": 0}
        if self._so_far is None:
            return {"total": total, "ok": 0, "failed": 0, "unfinished": total}
        ok, failed = self._so_far.counts.ok, self._so_far.counts.failed
        return {"total": total, "ok": ok, "failed": failed, "unfinished": total - ok - failed}

    def by_model(self) -> JsonDict:
        """Count every model's transcripts."""
        return self.stages.fact("transcripts", "by_model") or (self._so_far.by_model if self._so_far else {})

    def cost(self) -> JsonDict | None:
        """Return every model's cost and the sum, so far while the run is not finished."""
        return self.stages.fact("transcripts", "cost") or (self._so_far.cost if self._so_far else None)

    def threshold(self) -> JsonDict:
        """Return the verdict; before there is one, why pairs failed so far."""
        verdict = self.stages.fact("transcripts", "threshold")
        if verdict is not None:
            return {"reasons": [], **verdict}
        reasons = self._so_far.counts.reasons if self._so_far else ()
        told = [reason.to_json() for reason in reasons]
        return {"value": self.spec.failure_threshold, "observed": None, "breached": None, "reasons": told}

    def warnings(self) -> list[dict[str, str]]:
        """Say what a person should know of the run's cost, and of models that could not be asked."""
        summary = self.stages.summary("transcripts")
        faults = [] if summary is None else summary["faults"]
        hint = "run retry asks them again"
        told = [{"code": "model_not_asked", "message": fault, "hint": hint} for fault in faults]
        ages = age_warnings(self._deployment, self._run.key)
        return [*cost_warnings({"transcripts": _with_cost(summary)}), *told, *ages]

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


def _with_cost(summary: Json | None) -> Json | None:
    """Give the cost of several models the form of one stage's, as the warnings read it."""
    if summary is None:
        return None
    unknown = [name for name, cost in summary["cost"].items() if isinstance(cost, dict) and cost["cost_usd"] is None]
    cost = {"cost_usd": summary["cost"]["total_cost_usd"], "model": ", ".join(unknown)}
    return {**summary, "cost": cost}


def _result(sample: Row, row: Row, scores: Sequence[Row]) -> JsonDict:
    failed = row["status"] == FAILED
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
        "error": {name: row[f"error_{name}"] for name in _ERROR} if failed and row["error_code"] else None,
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
    stored = StoredRun(deployment, find_run(deployment, flow=Flow.STT, key=key))
    dataset, transcripts = stored.find("dataset"), stored.find("transcripts")
    if dataset is None or transcripts is None:
        raise UsageError(
            f"run {key.run} has no transcripts to export yet",
            code="stage_missing",
            hint=f"eval-pipeline run status {key.run} shows where it stands",
        )
    return export_rows(
        dataset=dataset,
        transcripts=transcripts,
        scores=stored.find("scores"),
        samples=samples_as_scored(deployment, project=key.project, dataset=dataset, scores=stored.find("scores")),
        path=output,
        file_format=export_format(output),
        bom=bom,
        verdicts=shown_verdicts(verdicts_of(deployment, key)),
    )
