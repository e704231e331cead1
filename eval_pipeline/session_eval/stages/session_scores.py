"""The panel's score of every session and axis, made from the stored judgements: free to make again."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.judging.aggregation import AxisScore, CellState, Opinion, aggregate, average_samples
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.panels.cells import PLAIN
from eval_pipeline.runs.panels.judges import Judges
from eval_pipeline.runs.panels.settling import canonical
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval import tables
from eval_pipeline.session_eval.spec import SessionSpec


def make(task: Task, *, sessions: StageReader, judgements: StageReader) -> StageReader:
    """Put the judgements of every session together."""
    deployment, ref = task.deployment, task.ref("session_scores")
    inputs = {"sessions": sessions, "judgements": judgements}
    with at_work(
        deployment, ref, schema=tables.SESSION_SCORES, inputs=inputs, dagster_run_id=task.dagster_run_id
    ) as stage:
        judges = SessionSpec.from_json(stage.run.spec).judges
        for rows in chunks(_rows(judges, sessions, judgements), size=500):
            stage.files.append(rows)
        stage.files.finish({"sessions": sessions.manifest.rows})
    return deployment.stages.open(ref)


def _rows(judges: Judges, sessions: StageReader, judgements: StageReader) -> Iterator[JsonDict]:
    cells: dict[str, list[Row]] = defaultdict(list)
    for row in judgements.rows():
        if row["variant"] == PLAIN:
            cells[row["session_id"]].append(row)
    for session in sessions.rows():
        yield _row(judges, session, cells[session["session_id"]])


def _row(judges: Judges, session: Row, cells: Sequence[Row]) -> JsonDict:
    scores = {name: _score(judges, name, cells) for name in orjson.loads(session["axes"])}
    main = judges.main_axis
    failed = sum(cell["status"] != "ok" for cell in cells)
    has_main = main is not None and main.name in scores and scores[main.name].mean is not None
    costs = [cell["cost_usd"] for cell in cells]
    return {
        **{name: session[name] for name in ("session_id", "session_fingerprint", "profile_id", "name", "last_active")},
        "status": "failed" if not has_main else "partial" if failed else "evaluated",
        "panel_complete": not failed,
        "mean": _mean(judges, scores) if has_main else None,
        "complexity": next((scores[name].mean for name in scores if judges.panel.rubric.axes[name].covariate), None),
        "axes": canonical({name: _axis(score) for name, score in scores.items()}),
        "cells": len(cells),
        "cells_failed": failed,
        "cost_usd": None if None in costs else sum(costs, Decimal(0)),
        "likes": 0,
        "dislikes": 0,
        "outcome": None,
    }


def _score(judges: Judges, name: str, cells: Sequence[Row]) -> AxisScore:
    weights = {seat.id: seat.expert.weight for seat in judges.seats}
    said: dict[str, list[Opinion]] = defaultdict(list)
    for cell in cells:
        axis = orjson.loads(cell["axes"]).get(name)
        if axis is not None:
            opinion = Opinion(CellState(axis["state"]), axis["score"], weights[cell["expert_id"]])
            said[cell["expert_id"]].append(opinion)
    return aggregate([average_samples(samples) for samples in said.values()])


def _mean(judges: Judges, scores: Mapping[str, AxisScore]) -> float | None:
    axes = judges.panel.rubric.axes
    counted = [
        score.mean
        for name, score in scores.items()
        if score.mean is not None and axes[name].required and not axes[name].covariate
    ]
    return sum(counted) / len(counted) if counted else None


def _axis(score: AxisScore) -> JsonDict:
    return {
        "mean": score.mean,
        "reason": None if score.reason is None else str(score.reason),
        "n": score.scored,
        "owners": score.owners,
        "sd": score.sd,
        "disagreement": score.disagreement,
    }
