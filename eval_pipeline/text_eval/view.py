"""A text run as scripts and people read it: the ledger's row joined with what the stages' manifests say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.core.counting import counted
from eval_pipeline.core.endpoints import read_endpoints
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.record_columns import error_in
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.reporting.export_files import export_format
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.cost_warnings import cost_warnings
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.status import batches_json
from eval_pipeline.runs.stored_run import StoredRun, nothing_to_export
from eval_pipeline.text_eval.report.export import export_grouped, export_rows
from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers import outdated
from eval_pipeline.text_eval.scoring.side_by_side import WalkedItem, walk
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.standing import text_standing
from eval_pipeline.wiring.deployment import Deployment

_USAGE = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens")


def show_run(deployment: Deployment, key: RunKey, *, detail: bool) -> dict[str, Any]:
    """Return the JSON document of ``text show``."""
    run = find_run(deployment, flow=Flow.TEXT, key=key)
    stored, spec = StoredRun(deployment, run), TextSpec.from_json(run.spec)
    standing, answers = text_standing(deployment, run, stored), stored.paid("responses")
    latency = None if answers is None else answers.calls.latency_s
    document = {
        **run_json(run),
        "dataset": _dataset_json(run, spec),
        "model": spec.model,
        "recorded": None if spec.recorded is None else spec.recorded.to_json(),
        "spec": run.spec,
        "counts": standing.counts_json(),
        "summary_scores": stored.fact("scores", "summary_scores") or [],
        "category_metrics": stored.fact("scores", "category_metrics") or [],
        "cost": standing.cost_json(),
        "threshold": standing.threshold_json(),
        "latency_s": None if latency is None else latency.to_json(),
        "retrieval": None if answers is None else answers.own.get("retrieval"),
        "batches": batches_json(deployment, deployment.ledger.run_jobs(flow=Flow.TEXT, key=key)),
        "report": stored.fact("report", "url"),
        "langfuse": stored.fact("traces", "langfuse"),
        "warnings": [
            *cost_warnings({stage: stored.paid(stage) for stage in ("responses", "embeddings")}),
            *_damaged_golden(stored, total=spec.total_items_count),
            *_outdated_scores(run, stored),
        ],
    }
    return {**document, "traces": list(_traces(stored, run))} if detail else document


def _damaged_golden(stored: StoredRun, *, total: int) -> Iterator[dict[str, str]]:
    """Tell of items that nothing could be held against: they count neither as right nor as wrong."""
    scores = stored.fact("scores", "summary_scores") or ()
    count = max((score["unscoreable"].get(UnscoreableReason.DAMAGED_GROUND_TRUTH, 0) for score in scores), default=0)
    if count:
        yield {
            "code": "golden_damaged",
            "message": f"{count:,} of {counted(total, 'item')} not scored: the golden answer is damaged",
            "hint": "correct these golden answers, and add the dataset again",
        }


def _outdated_scores(run: RunRecord, stored: StoredRun) -> Iterator[dict[str, str]]:
    """Tell of scores that an earlier version made: they stay as they are until somebody scores again."""
    versions = stored.fact("scores", "scorer_versions") or {}
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


def _traces(stored: StoredRun, run: RunRecord) -> Iterator[dict[str, Any]]:
    dataset, responses, scores = (stored.find(stage) for stage in ("dataset", "responses", "scores"))
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
        "error": error_in(response),
        **{name: response[name] for name in ("attempts", "model", "response_id", "latency_s")},
        "usage": {name: response[name] for name in _USAGE},
        "cost_usd": None if response["cost_usd"] is None else float(response["cost_usd"]),
        "scores": [_score(score) for score in item.scores],
    }


def _json_in(row: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a column holds as JSON; None where it is empty, or an earlier version had no such column."""
    text = row.get(name)
    return None if text is None else orjson.loads(text)


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
    run = find_run(deployment, flow=Flow.TEXT, key=key)
    stored = StoredRun(deployment, run)
    dataset, responses = stored.find("dataset"), stored.find("responses")
    if dataset is None or responses is None:
        raise nothing_to_export(key, what="answers")
    export = export_grouped if shape == "grouped" else export_rows
    return export(
        dataset=dataset,
        responses=responses,
        scores=stored.find("scores"),
        endpoints=read_endpoints(run.spec),
        path=output,
        file_format=export_format(output),
        bom=bom,
    )
