"""Two runs side by side, axis by axis: session by session where both judged the same, else by their means.

A difference between two runs is one of the agent only where the same instrument judged both; else the document says
what else differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.statistics import paired_difference
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval.results_store import spec_instrument
from eval_pipeline.session_eval.scoring.columns import JudgedColumns
from eval_pipeline.session_eval.scoring.standing import Instrument, changes
from eval_pipeline.session_eval.scoring.weekly import MEAN, WeekRow, describe
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

_COLUMNS: Final = ("session_id", "session_fingerprint", "last_active", "mean", "complexity", "axes", "cost_usd")


@dataclass(frozen=True, slots=True)
class _Scored:
    """One run's scores."""

    instrument: Instrument
    fingerprints: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float | None]]
    """By session, then by axis, ``mean`` among them."""
    overall: WeekRow


def compare_runs(deployment: Deployment, first: RunKey, second: RunKey, *, limit: int) -> JsonDict:
    """Compare two runs.

    Args:
        deployment: where they are stored.
        first: the run that the other is held against.
        second: the other one.
        limit: how many of the sessions that changed most are named.
    """
    one, other = _scored(deployment, first), _scored(deployment, second)
    both = sorted(one.scores.keys() & other.scores.keys())
    axes = [axis for axis in (MEAN, *one.instrument.axes) if axis in {MEAN, *other.instrument.axes}]
    return {
        "first": first.run,
        "second": second.run,
        "project": first.project,
        "same_instrument": one.instrument.digest == other.instrument.digest,
        "instrument_changes": [str(reason) for reason in changes(one.instrument, other.instrument)],
        "sessions": {
            "first": len(one.scores),
            "second": len(other.scores),
            "both": len(both),
            "changed_content": sum(one.fingerprints[name] != other.fingerprints[name] for name in both),
        },
        "axes": [_axis(axis, one, other, both) for axis in axes],
        "changed": _changed(one, other, both)[:limit],
    }


def _scored(deployment: Deployment, key: RunKey) -> _Scored:
    run = find_run(deployment, flow=Flow.SESSIONS, key=key)
    instrument = spec_instrument(SessionSpec.from_json(run.spec))
    columns = JudgedColumns(instrument.axes)
    fingerprints: dict[str, str] = {}
    scores: dict[str, dict[str, float | None]] = {}
    for row in StoredRun(deployment, run).open("session_scores").rows(_COLUMNS):
        axes: Mapping[str, Json] = orjson.loads(row["axes"])
        told = {name: row[name] for name in ("last_active", "mean", "complexity", "cost_usd")}
        columns.add(**told, axes=axes, thumbs=(0, 0))
        fingerprints[row["session_id"]] = row["session_fingerprint"]
        scores[row["session_id"]] = {MEAN: row["mean"], **{axis: score["mean"] for axis, score in axes.items()}}
    return _Scored(instrument, fingerprints, scores, describe(columns.judged(), seed=key.partition)[0])


def _axis(axis: str, one: _Scored, other: _Scored, both: list[str]) -> JsonDict:
    pairs = [
        (before, after)
        for name in both
        if (before := one.scores[name].get(axis)) is not None and (after := other.scores[name].get(axis)) is not None
    ]
    moved = paired_difference(
        [pair[0] for pair in pairs], second=[pair[1] for pair in pairs], clusters=range(len(pairs))
    )
    interval = moved.interval
    return {
        "axis": axis,
        "first": one.overall.to_json()["axes"][axis],
        "second": other.overall.to_json()["axes"][axis],
        "paired": len(pairs),
        "difference": moved.mean,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "verdict": _verdict(None if interval is None else (interval.low, interval.high)),
        "wins": sum(after > before for before, after in pairs),
        "losses": sum(after < before for before, after in pairs),
        "ties": sum(after == before for before, after in pairs),
    }


def _verdict(interval: tuple[float, float] | None) -> str:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "not distinguishable"
    return "higher" if interval[0] > 0 else "lower"


def _changed(one: _Scored, other: _Scored, both: list[str]) -> list[JsonDict]:
    """Return the sessions whose mean changed, those that changed most first."""
    found = [
        {"session_id": name, "first": before, "second": after}
        for name in both
        if (before := one.scores[name][MEAN]) is not None
        and (after := other.scores[name][MEAN]) is not None
        and before != after
    ]
    return sorted(found, key=lambda row: (-abs(float(row["second"]) - float(row["first"])), str(row["session_id"])))
