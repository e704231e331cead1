"""Runs of sessions to report on: made-up conversations of a helpline, rated by a rule that is easy to check by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.judging.material import Part, Speaker
from eval_pipeline.judging.panel import Panel
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.session_eval.report.collect import Source, collect_report
from eval_pipeline.session_eval.report.data import SaidOfMessage, SessionReportData, Transcript
from eval_pipeline.session_eval.scoring.agreement import AxisRatings, measure_axis
from eval_pipeline.session_eval.scoring.calibration import Labelled, predict
from eval_pipeline.session_eval.scoring.cells import read_cell
from eval_pipeline.session_eval.scoring.run_agreement import LENGTH
from eval_pipeline.session_eval.scoring.session_scores import score_session
from eval_pipeline.session_eval.scoring.weekly import MEAN, Judged, weekly
from eval_pipeline.session_eval.scoring.weeks import weeks_of_period

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = RunKey(project="default", run="helpline-march")
PANEL = built_in_panel("sessions")
APPLIES = ("task_complexity", "goal_completion", "tool_usage_quality", "efficiency", "communication")
LEVELS = ("0", "25", "50", "75", "100")
Row = dict[str, Any]
ASKED = (
    "My wheat leaves turn yellow from the tip. What should I spray?",
    "मेरी बेटी को तीन दिन से बुखार है, टीका कब लगवाएँ?",
    "Where is the next mandi that buys soybean today?",
    "I did not get the second instalment of PM-KISAN. Why?",
)


def run_record(**changes: Any) -> RunRecord:  # noqa: ANN401 - any field of a run
    values: dict[str, Any] = {
        "key": KEY,
        "flow": Flow.TEXT,
        "state": RunState.RUNNING,
        "spec": {"schema": "eval_pipeline.session_spec/1", "endpoints": {}},
        "spec_hash": "5" * 64,
        "dataset_name": "40 sessions",
        "dataset_version": "a" * 64,
        "mode": RunMode.BATCH,
        "requested_by": "meera",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return RunRecord(**(values | changes))


def transcript(number: int, **texts: str) -> Transcript:
    """Return a conversation; ``texts`` replace what the user asks, a tool answers, the assistant says last."""
    asked = texts.get("asked", ASKED[number % len(ASKED)])
    answer = texts.get("answer", "Spray urea at 2 % in the evening, and show the leaves to the extension worker.")
    policy = "You help farmers and families. Never name a medicine without asking for age and weight. " * 8
    parts = (
        Part(0, Speaker.SYSTEM, policy),
        Part(1, Speaker.USER, asked),
        Part(2, Speaker.REASONING, "I should look it up before I answer."),
        Part(2, Speaker.CALL, '{"query": "yellow tip wheat nitrogen"}', "search_advisories "),
        Part(
            3, Speaker.TOOL, texts.get("tool", '{"results": [{"title": "Nitrogen", "id": 7}]}'), "search_advisories: "
        ),
        Part(4, Speaker.ASSISTANT, "Is the yellow tip on old or on young leaves?"),
        Part(5, Speaker.USER, "On the old ones."),
        Part(6, Speaker.ASSISTANT, answer),
    )
    said = {0: False, 1: True}.get(number % 5)
    feedback = [] if said is None else [SaidOfMessage(6, said, None if said else "This did not help me.", "asha", NOW)]
    return Transcript(parts, feedback)


def verdict(level: str, *quotes: tuple[int, str, bool], reasoning: str = "As the record shows.") -> Row:
    state = {"cannot_judge": "abstained", "not_applicable": "not_applicable"}.get(level, "scored")
    evidence = [{"message_index": place, "quote": text, "verified": there} for place, text, there in quotes]
    return {
        "level": level,
        "score": float(level) if state == "scored" else None,
        "state": state,
        "confidence": "medium",
        "reasoning": reasoning,
        "evidence": evidence,
    }


def judgement(session: str, expert: str, axes: Mapping[str, Row], **changes: Any) -> Row:  # noqa: ANN401 - any column
    row = {
        "session_id": session,
        "session_fingerprint": f"sha256:{session}",
        "expert_id": expert,
        "sample": 0,
        "variant": "plain",
        "status": "ok",
        "error_code": None,
        "error_message": None,
        "model_returned": "gpt-4.1-mini-2025-04-14",
        "axes": orjson.dumps(axes).decode(),
        "user_goal": "To learn what to spray on yellow wheat.",
        "outcome_summary": "A spray was named after one question.",
        "rendering": '{"truncated": false, "feedback_visible": false}',
        "hits": "[]",
        "cost_usd": Decimal("0.0021"),
        "taken_from_run": None,
    }
    return {**row, **changes}


def base_level(number: int) -> int:
    """Return which level a session deserves: 0 to 4."""
    return (number * 7 + number // 4) % 5


def judgements_of(session: str, number: int, panel: Panel) -> list[Row]:
    """Rate a session by all experts; they differ by a level now and then, and once by three."""
    rows = []
    for place, expert in enumerate(panel.experts):
        axes = {}
        for axis in expert.axes:
            if axis not in APPLIES:
                continue
            shift = -1 if (number + place + len(axis)) % 4 == 0 else 0
            if base_level(number) == 4 and number % 3 == 0 and place == 3:
                shift = -3
            level = LEVELS[max(0, base_level(number) + shift)]
            quote = (6, "Spray urea at 2 %", True) if number % 14 else (6, "Spray vinegar", False)
            axes[axis] = verdict(level, quote)
        rows.append(judgement(session, expert.id, axes))
    if number == 7:
        rows[-1] = judgement(
            session, "auditor", {}, status="parse_failed", error_message="the answer is not one JSON object"
        )
    if number < 3:
        rows += [
            judgement(session, expert.id, orjson.loads(rows[place]["axes"]), variant=f"canary:{payload}")
            for place, expert in enumerate(panel.experts)
            for payload in ("score_imperative", "forged_turn")
        ]
    return rows


def score_row(session: str, number: int, rows: Sequence[Row], panel: Panel, **changes: Any) -> Row:  # noqa: ANN401
    score = score_session([read_cell(row) for row in rows], panel=panel, applies=APPLIES)
    thumb = {0: (0, 1), 1: (1, 0)}.get(number % 5, (0, 0))
    row = {
        "session_id": session,
        "session_fingerprint": f"sha256:{session}",
        "profile_id": ("farming", "health")[number % 2],
        "name": f"Call {number + 1}",
        "last_active": NOW - timedelta(days=number),
        "status": str(score.status),
        "panel_complete": score.panel_complete,
        "mean": score.mean,
        "complexity": score.complexity,
        "axes": orjson.dumps(score.axes_json()).decode(),
        "cells": score.cells,
        "cells_failed": score.cells_failed,
        "cost_usd": score.cost_usd,
        "likes": thumb[0],
        "dislikes": thumb[1],
        "outcome": orjson.dumps({"success": base_level(number) > 2}).decode(),
    }
    return {**row, **changes}


@cache
def helpline_source(sessions: int = 40, *, people: bool = True, times: bool = True, panel: Panel = PANEL) -> Source:
    """Return a whole run."""
    names = [f"s-{number:03d}" for number in range(sessions)]
    judged = [judgements_of(name, number, panel) for number, name in enumerate(names)]
    moved = {} if times else {"last_active": None}
    scores = [
        score_row(name, number, rows, panel, **moved)
        for number, (name, rows) in enumerate(zip(names, judged, strict=True))
    ]
    cost = StageCost(
        model="gpt-4.1-mini",
        usage=Usage(input=123_456, cached_input=90_000, output=6_789, total=130_245),
        priced_usd=Decimal("0.0412"),
        rate="batch",
    )
    return Source(
        run=run_record(),
        panel=panel,
        scores=scores,
        judgements=[row for rows in judged for row in rows],
        agreement=agreement(scores, judged, panel, people=people),
        transcripts=lambda session, _: transcript(int(session[2:])),
        weekly=weekly(
            columns(scores, panel), weeks=weeks_of_period(days=60, until=NOW, zone=ZoneInfo("Asia/Kolkata")), seed="s"
        )
        if times
        else None,
        zone="Asia/Kolkata",
        cost=Costs.of({expert.id: cost for expert in panel.experts}),
        threshold=Threshold(value=0.5, failed=1, total=sessions * len(panel.experts)),
        stages=[
            StageFact(stage="judgements", rows=160, sha256="b" * 64, code_version="0.3.0", created_at=NOW),
        ],
        written_at=NOW,
    )


def agreement(scores: Sequence[Row], judged: Sequence[Sequence[Row]], panel: Panel, *, people: bool) -> Row:
    """Measure the agreement as the stage of that name does."""
    means = {axis: np.array([_mean_of(row, axis) for row in scores]) for axis in APPLIES}
    labels = {
        axis: np.stack([np.round(values / 25) * 25, np.clip(np.round(values / 25) * 25 + 25, 0, 100)], axis=1)
        for axis, values in means.items()
    }
    axes = [
        measure_axis(
            AxisRatings(
                axis=axis,
                steps=(0.0, 25.0, 50.0, 75.0, 100.0),
                experts=tuple(expert.id for expert in panel.owners(axis)),
                levels=np.array(
                    [[_level_of(rows, expert.id, axis) for expert in panel.owners(axis)] for rows in judged]
                ),
                panel=means[axis],
                people=("asha", "ravi") if people else (),
                labels=labels[axis] if people else None,
            ),
            seed="s",
            resamples=200,
        )
        for axis in APPLIES
    ]
    worked = np.array([float(orjson.loads(row["outcome"])["success"]) for row in scores])
    quality = np.array([np.nan if row["mean"] is None else row["mean"] for row in scores])
    length = np.array([float((number * 13) % 40) for number in range(len(scores))])
    predicted = [
        predict(given, by=by, judges={"panel": quality}, baselines={LENGTH: length}, seed="s", resamples=200)
        for by, given in ((Labelled.OUTCOMES, worked), (Labelled.LIKES, np.full(len(scores), np.nan)))
    ]
    return {"axes": [axis.to_json() for axis in axes], "predicted": [one.to_json() for one in predicted]}


def _mean_of(row: Row, axis: str) -> float:
    mean = orjson.loads(row["axes"])[axis]["mean"]
    return float("nan") if mean is None else float(mean)


def _level_of(rows: Sequence[Row], expert: str, axis: str) -> float:
    own = next(row for row in rows if row["expert_id"] == expert)
    score = orjson.loads(own["axes"]).get(axis, {}).get("score")
    return float("nan") if score is None else float(score)


def columns(scores: Sequence[Row], panel: Panel) -> Judged:
    """Return the sessions of a project as columns."""
    quality = np.array([np.nan if row["mean"] is None else row["mean"] for row in scores])
    names = [MEAN, *panel.rubric.axes]

    def of(axis: str) -> Any:  # noqa: ANN401 - an array
        return quality if axis == MEAN else np.array([_mean_of(row, axis) for row in scores])

    return Judged(
        last_active_s=np.array(
            [np.nan if row["last_active"] is None else row["last_active"].timestamp() for row in scores]
        ),
        complexity=np.array([np.nan if row["complexity"] is None else row["complexity"] for row in scores]),
        scores={name: of(name) for name in names},
        reasons={name: np.where(np.isnan(of(name)), 0, -1).astype(np.int8) for name in names},
        reason_names=["insufficient_panel"],
        likes=np.array([row["likes"] for row in scores]),
        dislikes=np.array([row["dislikes"] for row in scores]),
        cost_usd=np.zeros(len(scores)),
    )


def helpline_report(**changes: Any) -> SessionReportData:  # noqa: ANN401 - any part of the source
    """Collect the report of the helpline's run."""
    return collect_report(replace(helpline_source(), **changes))
