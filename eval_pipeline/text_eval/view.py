"""A text run as scripts and people read it: the ledger's row joined with what the stages' manifests say."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.core.cost import join_costs
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.reasons import SHOWN
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.reporting.export_files import export_format
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.cost_warnings import cost_warnings
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.status import batches_json
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.text_eval.report.export import export_grouped, export_rows
from eval_pipeline.text_eval.scoring.scorers import outdated
from eval_pipeline.text_eval.scoring.side_by_side import WalkedItem, walk
from eval_pipeline.text_eval.so_far import AnswersSoFar, answers_so_far, embedding_cost_so_far
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.deployment import Deployment

_USAGE = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens")


def show_run(deployment: Deployment, key: RunKey, *, detail: bool) -> dict[str, Any]:
    """Return the JSON document of ``text show``."""
    run = find_run(deployment, flow=Flow.TEXT, key=key)
    stored = _Stored(deployment, run)
    document = {
        **run_json(run),
        "dataset": _dataset_json(run, stored.spec),
        "model": stored.spec.model,
        "spec": run.spec,
        "counts": stored.counts(),
        "summary_scores": stored.stages.fact("scores", "summary_scores") or [],
        "category_metrics": stored.stages.fact("scores", "category_metrics") or [],
        "cost": stored.cost(),
        "threshold": stored.threshold(),
        "latency_s": stored.stages.fact("responses", "latency_s"),
        "retrieval": stored.stages.fact("responses", "retrieval"),
        "batches": batches_json(deployment, deployment.ledger.run_jobs(flow=Flow.TEXT, key=key)),
        "report": stored.stages.fact("report", "url"),
        "langfuse": stored.stages.fact("traces", "langfuse"),
        "warnings": [
            *cost_warnings({stage: stored.stages.summary(stage) for stage in ("responses", "embeddings")}),
            *_outdated_scores(run, stored),
        ],
    }
    return {**document, "traces": list(_traces(stored, run))} if detail else document


def _outdated_scores(run: RunRecord, stored: "_Stored") -> Iterator[dict[str, str]]:
    """Tell of scores that an earlier version made: they stay as they are until somebody scores again."""
    versions = stored.stages.fact("scores", "scorer_versions") or {}
    for name, now in outdated(versions).items():
        yield {
            "code": "scores_outdated",
            "message": f"score {name} was made by {versions[name]}; this version has {now}, which may judge otherwise",
            "hint": f"{command_on('text rescore', run.key)} scores the stored answers again, free of charge",
        }


def _dataset_json(run: RunRecord, spec: TextSpec) -> dict[str, Any]:
    return {
        "name": run.dataset_name,
        "version": run.dataset_version,
        "original_items_count": spec.original_items_count,
        "duplication_factor": spec.repeats,
        "total_items_count": spec.total_items_count,
    }


class _Stored:
    """The finished stages of a run, and what its journals say of the stage that is not finished."""

    def __init__(self, deployment: Deployment, run: RunRecord) -> None:
        self.spec = TextSpec.from_json(run.spec)
        self.stages = StoredRun(deployment, run)
        self._deployment = deployment
        self._run = run

    @cached_property
    def _so_far(self) -> AnswersSoFar | None:
        return answers_so_far(self._deployment, self._run)

    def counts(self) -> dict[str, Any]:
        """Count items by what became of them; ``unfinished`` are those that are still to be asked."""
        stored = self.stages.fact("responses", "counts")
        embeddings = self.stages.fact("embeddings", "counts") or {}
        counts = self._counts_so_far() if stored is None else {**stored, "unfinished": 0}
        total = self.spec.total_items_count
        return {"total": total, **counts, "embedding_failed": embeddings.get("failed_embeddings")}

    def _counts_so_far(self) -> dict[str, Any]:
        total = self.spec.total_items_count
        if self._so_far is None:
            return {"ok": 0, "failed": 0, "unfinished": total}
        ok, failed = self._so_far.counts.ok, self._so_far.counts.failed
        return {"ok": ok, "failed": failed, "unfinished": total - ok - failed}

    def cost(self) -> dict[str, Any] | None:
        """Join the paid stages' costs, unfinished ones with what they cost so far; null when one is unknown."""
        response = self.stages.fact("responses", "cost") or (self._so_far.cost if self._so_far else None)
        embedding = self.stages.fact("embeddings", "cost") or embedding_cost_so_far(self._deployment, self._run)
        found = {"response": response, "embedding": embedding}
        costs = {name: cost for name, cost in found.items() if cost is not None}
        return join_costs(costs) if costs else None

    def threshold(self) -> dict[str, Any]:
        """Return the verdict that counts most failures."""
        found = [self.stages.fact(stage, "threshold") for stage in ("responses", "embeddings")]
        verdicts = [verdict for verdict in found if verdict is not None]
        if not verdicts:
            reasons = [reason.to_json() for reason in (self._so_far.counts.reasons if self._so_far else ())]
            return {"value": self.spec.failure_threshold, "observed": None, "breached": None, "reasons": reasons}
        chosen = max(verdicts, key=lambda verdict: (verdict["breached"], verdict["failed"]))
        told = [reason for verdict in verdicts for reason in verdict.get("reasons", ())]
        return {**chosen, "reasons": sorted(told, key=lambda reason: -int(reason["count"]))[:SHOWN]}


def _traces(stored: _Stored, run: RunRecord) -> Iterator[dict[str, Any]]:
    dataset, responses, scores = (stored.stages.find(stage) for stage in ("dataset", "responses", "scores"))
    if dataset is None or responses is None:
        return
    for item in walk(dataset, responses, scores):
        yield _trace(item, run)


def _trace(item: WalkedItem, run: RunRecord) -> dict[str, Any]:
    asked, response = item.asked, item.response
    return {
        "trace_id": f"{run.key.partition}/{asked['item_id']}",
        "question": asked["question"],
        "llm_answer": response["answer"],
        "partial_answer": response["partial_answer"],
        "thinking": response.get("thinking"),
        "ground_truth_answer": asked["golden_answer"],
        "ground_truth_alternatives": _json_in(asked, "golden_alternatives") or [],
        "history": _json_in(asked, "turns") or [],
        "contexts": _json_in(asked, "contexts"),
        "passages": _json_in(response, "passages"),
        "question_id": asked["question_id"],
        "repeat": asked["repeat"],
        "category": asked["category"],
        "columns": orjson.loads(asked["metadata"]),
        "status": response["status"],
        "error": _error(response),
        **{name: response[name] for name in ("attempts", "model", "response_id", "latency_s")},
        "usage": {name: response[name] for name in _USAGE},
        "cost_usd": None if response["cost_usd"] is None else float(response["cost_usd"]),
        "scores": [_score(score) for score in item.scores],
    }


def _json_in(row: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a column holds as JSON; None where it is empty, or an earlier version had no such column."""
    text = row.get(name)
    return None if text is None else orjson.loads(text)


def _error(response: Mapping[str, Any]) -> dict[str, Any] | None:
    if response["error_code"] is None:
        return None
    fields = ("code", "type", "message", "transient")
    return {name: response[f"error_{name}"] for name in fields}


def _score(score: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": score["name"],
        "value": score["value"],
        "data_type": score["data_type"],
        "comment": score["comment"],
        "unscoreable_reason": score["unscoreable_reason"],
    }


def export_run(deployment: Deployment, key: RunKey, *, shape: str, output: Path, bom: bool) -> int:
    """Write a run's items to a file; returns the rows written."""
    stored = _Stored(deployment, find_run(deployment, flow=Flow.TEXT, key=key))
    dataset, responses = stored.stages.find("dataset"), stored.stages.find("responses")
    if dataset is None or responses is None:
        raise UsageError(
            f"run {key.run} has no answers to export yet",
            code="stage_missing",
            hint=f"eval-pipeline run status {key.run} shows where it stands",
        )
    export = export_grouped if shape == "grouped" else export_rows
    return export(
        dataset=dataset,
        responses=responses,
        scores=stored.stages.find("scores"),
        path=output,
        file_format=export_format(output),
        bom=bom,
    )
