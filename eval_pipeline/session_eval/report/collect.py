"""From the rows of a run's stages to what its report says: two passes, and dozens of sessions kept of any number.

The first pass, over the scores, says what is shown; the second, over the judgements, keeps the verdicts of those
sessions and counts what every expert did.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

import numpy as np
import orjson

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Json, Row
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.judging.aggregation import AxisScore, NoScore
from eval_pipeline.judging.canaries import Canary, CanaryFinding, Payload, read_canaries
from eval_pipeline.judging.panel import Expert, Panel, model_family
from eval_pipeline.judging.rubric import Axis
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.session_eval.report.data import (
    AxisMean,
    AxisResult,
    Counts,
    Disliked,
    ExpertFigures,
    Group,
    Mean,
    SessionReportData,
    ShownQuote,
    ShownSession,
    ShownVerdict,
    Transcript,
    Week,
)
from eval_pipeline.session_eval.report.trust import OUTCOMES, Agreement, Predicted
from eval_pipeline.session_eval.scoring.calibration import succeeded
from eval_pipeline.session_eval.scoring.cells import CANARY, MASKED, OK, PLAIN
from eval_pipeline.session_eval.scoring.session_scores import main_axis, read_axis
from eval_pipeline.session_eval.scoring.weekly import MEAN, OVERALL, AxisWeek, Judged, Weekly, WeekRow, describe

SHOWN_WORST: Final = 10
SHOWN_DISPUTED: Final = 5
SHOWN_DISLIKED: Final = 8
SHOWN_PROFILES: Final = 12
REACHED_FROM: Final = 75.0
"""The level of the main axis from which a user has got what they came for."""
MISSED_BELOW: Final = 50.0
FAULT_UPTO: Final = 50.0
"""An axis at this level or below is a fault that the judges found."""
_SHOWN_ERRORS: Final = 3
_TIMES_PER_MESSAGE: Final = 3

TranscriptOf = Callable[[str, str], Transcript | None]
"""Gives the content of a session by its id and fingerprint; None where it is gone."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is made from."""

    run: RunRecord
    panel: Panel
    scores: Iterable[Row]
    judgements: Iterable[Row]
    """Session by session."""
    agreement: Json
    """As the stage of that name stored it: ``axes`` and ``predicted``."""
    transcripts: TranscriptOf
    weekly: Weekly | None
    """Of all sessions of the project that the same instrument judged."""
    zone: str
    cost: Costs
    threshold: Threshold
    stages: Sequence[StageFact]
    written_at: datetime
    orphaned: int = 0
    """Likes and dislikes of the run's sessions that belong to messages which are gone."""


@dataclass(slots=True)
class _Scored:
    """One session of the first pass."""

    place: int
    row: Row
    axes: Mapping[str, AxisScore]
    main: str | None
    """The axis without which it has no mean."""

    @property
    def mean(self) -> float | None:
        value: float | None = self.row["mean"]
        return value

    @property
    def disputed(self) -> list[AxisScore]:
        return [score for score in self.axes.values() if score.disagreement]

    @property
    def goal(self) -> float | None:
        score = self.axes.get(self.main or "")
        return None if score is None else score.mean

    def lowest(self, panel: Panel) -> tuple[str, AxisScore] | None:
        """Return the axis of quality that was rated lowest."""
        rated = [
            (name, score)
            for name, score in self.axes.items()
            if score.mean is not None and not is_covariate(name, panel)
        ]
        return min(rated, key=lambda one: one[1].mean or 0.0, default=None)

    def has_fault(self, panel: Panel) -> bool | None:
        """Tell whether the judges found fault; None without a score."""
        lowest = self.lowest(panel)
        return None if lowest is None or lowest[1].mean is None else lowest[1].mean <= FAULT_UPTO


@dataclass(slots=True)
class _Expert:
    """What one expert did, while it is counted."""

    cells: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    quotes: int = 0
    verified: int = 0
    models: Counter[str] = field(default_factory=Counter)
    canaries: list[Canary] = field(default_factory=list)


@dataclass(slots=True)
class _Heard:
    """What the second pass leaves."""

    experts: dict[str, _Expert]
    of_session: dict[str, list[Row]] = field(default_factory=dict)
    taken: int = 0
    masked: int = 0
    shortened: int = 0
    feedback_visible: bool = False


def collect_report(source: Source) -> SessionReportData:
    """Collect the report of a run."""
    panel = source.panel
    main = main_axis(panel.rubric)
    scored = [_Scored(place, row, _axes(row), main) for place, row in enumerate(source.scores)]
    worst = sorted(
        (one for one in scored if one.mean is not None),
        key=lambda one: (one.mean or 0.0, one.goal or 0.0, one.place),
    )
    disputed = sorted(
        (one for one in scored if one.disputed),
        key=lambda one: (-len(one.disputed), -max(score.sd or 0.0 for score in one.disputed), one.place),
    )
    disliked = sorted(
        (one for one in scored if one.row["dislikes"]),
        key=lambda one: (_order_of_sight(one.has_fault(panel)), -one.row["dislikes"], one.place),
    )
    chosen = [*worst[:SHOWN_WORST], *disputed[:SHOWN_DISPUTED], *disliked[:SHOWN_DISLIKED]]
    heard = _hear(source.judgements, panel=panel, wanted={one.row["session_id"] for one in chosen})
    shown = _show(chosen, heard, source.transcripts, panel=panel)
    figures = describe(_judged(scored, panel), seed=source.run.key.partition)
    overall = figures[0]
    profiles = len({one.row["profile_id"] for one in scored})
    sights = [sight for one in disliked if (sight := one.has_fault(panel)) is not None]
    found = [entry for one in disliked[:SHOWN_DISLIKED] for entry in _disliked(one, shown[_id(one)], panel)]
    return SessionReportData(
        run=source.run,
        panel=panel,
        counts=_counts(scored),
        quality=_mean(overall.axes[MEAN]),
        axes=tuple(_axis_mean(axis, overall, scored) for axis in panel.rubric.axes.values()),
        buckets=tuple(_group(row.bucket, row, main=main) for row in figures[1:] if row.sessions),
        profiles=_profiles(scored, panel, seed=source.run.key.partition) if profiles > 1 else (),
        more_profiles=max(0, profiles - SHOWN_PROFILES),
        weeks=_weeks(source.weekly, main=main),
        undated=0 if source.weekly is None else source.weekly.undated,
        zone=source.zone,
        worst=tuple(shown[_id(one)] for one in worst[:SHOWN_WORST]),
        more_worst=max(0, len(worst) - SHOWN_WORST),
        disputed=tuple(shown[_id(one)] for one in disputed[:SHOWN_DISPUTED]),
        all_disputed=len(disputed),
        disliked=tuple(found),
        all_disliked=len(disliked),
        disliked_seen=sum(sights),
        disliked_scored=len(sights),
        orphaned=source.orphaned,
        experts=tuple(_expert(expert, heard.experts[expert.id], panel) for expert in panel.experts),
        agreement=tuple(Agreement.from_json(axis) for axis in source.agreement["axes"]),
        predicted=tuple(sorted(map(Predicted.from_json, source.agreement["predicted"]), key=_order_of_labels)),
        cost=source.cost,
        threshold=source.threshold,
        stages=source.stages,
        written_at=source.written_at,
        one_family=_one_family(panel),
        feedback_visible=heard.feedback_visible,
        taken=heard.taken,
        masked=heard.masked,
        shortened=heard.shortened,
    )


def _id(scored: _Scored) -> str:
    return str(scored.row["session_id"])


def _order_of_labels(predicted: Predicted) -> bool:
    """Put first what is known for sure: what an environment verified."""
    return predicted.by != OUTCOMES


def _order_of_sight(seen: bool | None) -> int:
    """Put first what the judges did not see."""
    return {False: 0, None: 1, True: 2}[seen]


def _axes(row: Row) -> dict[str, AxisScore]:
    return {name: read_axis(score) for name, score in orjson.loads(row["axes"]).items()}


def _judged(scored: Sequence[_Scored], panel: Panel) -> Judged:
    """Return the sessions as columns."""
    names = [MEAN, *panel.rubric.axes]
    reasons = [str(reason) for reason in NoScore]

    def column(values: Iterable[float | None]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    def score(one: _Scored, axis: str) -> float | None:
        found = one.axes.get(axis)
        return one.mean if axis == MEAN else None if found is None else found.mean

    def reason(one: _Scored, axis: str) -> int:
        if score(one, axis) is not None:
            return -1
        found = one.axes.get(one.main or "" if axis == MEAN else axis)
        told = str(NoScore.NOT_APPLICABLE if found is None else found.reason or NoScore.INSUFFICIENT_PANEL)
        return reasons.index(told)

    return Judged(
        last_active_s=column(_seconds(one.row["last_active"]) for one in scored),
        complexity=column(one.row["complexity"] for one in scored),
        scores={name: column(score(one, name) for one in scored) for name in names},
        reasons={name: np.array([reason(one, name) for one in scored], dtype=np.int8) for name in names},
        reason_names=reasons,
        likes=np.array([one.row["likes"] for one in scored], dtype=np.int64),
        dislikes=np.array([one.row["dislikes"] for one in scored], dtype=np.int64),
        cost_usd=column(None if (cost := one.row["cost_usd"]) is None else float(cost) for one in scored),
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _mean(axis: AxisWeek) -> Mean:
    ends = axis.interval
    return Mean(
        value=axis.mean,
        low=None if ends is None else ends.low,
        high=None if ends is None else ends.high,
        sessions=axis.sessions,
        sd=axis.sd,
        nulls=dict(axis.nulls),
    )


def _axis_mean(axis: Axis, overall: WeekRow, scored: Sequence[_Scored]) -> AxisMean:
    disputed = sum(one.axes[axis.name].disagreement for one in scored if axis.name in one.axes)
    return AxisMean(axis, _mean(overall.axes[axis.name]), disputed=disputed)


def _group(label: str, row: WeekRow, *, main: str | None) -> Group:
    return Group(label, row.sessions, quality=_mean(row.axes[MEAN]), goal=_goal(row, main=main))


def _goal(row: WeekRow, *, main: str | None) -> Mean:
    goal = row.axes.get(main or "")
    return Mean(None, None, None, sessions=0) if goal is None else _mean(goal)


def _profiles(scored: Sequence[_Scored], panel: Panel, *, seed: str) -> tuple[Group, ...]:
    """Return the profiles with most sessions."""
    by_profile: dict[str | None, list[_Scored]] = {}
    for one in scored:
        by_profile.setdefault(one.row["profile_id"], []).append(one)
    ordered = sorted(by_profile.items(), key=lambda entry: (-len(entry[1]), entry[0] or ""))
    return tuple(
        _group(profile or "", describe(_judged(own, panel), seed=f"{seed}/{profile}")[0], main=main_axis(panel.rubric))
        for profile, own in ordered[:SHOWN_PROFILES]
    )


def _counts(scored: Sequence[_Scored]) -> Counts:
    statuses = Counter(one.row["status"] for one in scored)
    goals = [one.goal for one in scored if one.goal is not None]
    times = [one.row["last_active"] for one in scored if one.row["last_active"] is not None]
    return Counts(
        sessions=len(scored),
        evaluated=statuses["evaluated"],
        partial=statuses["partial"],
        failed=statuses["failed"],
        reached=sum(goal >= REACHED_FROM for goal in goals),
        missed=sum(goal < MISSED_BELOW for goal in goals),
        with_goal=len(goals),
        first_active=min(times, default=None),
        last_active=max(times, default=None),
    )


def _weeks(weekly: Weekly | None, *, main: str | None) -> tuple[Week, ...]:
    """Return the weeks from the first to the last that has a session."""
    rows = [row for row in weekly.rows if row.bucket == OVERALL and row.week is not None] if weekly else []
    filled = [place for place, row in enumerate(rows) if row.sessions]
    return tuple(
        Week(
            row.week, row.sessions, _mean(row.axes[MEAN]), _goal(row, main=main), likes=row.likes, dislikes=row.dislikes
        )
        for row in (rows[filled[0] : filled[-1] + 1] if filled else [])
        if row.week is not None
    )


def _hear(judgements: Iterable[Row], *, panel: Panel, wanted: set[str]) -> _Heard:
    heard = _Heard(experts={expert.id: _Expert() for expert in panel.experts})
    for session_id, rows in groupby(judgements, key=lambda row: str(row["session_id"])):
        own = list(rows)
        for row in own:
            _count(row, heard)
        heard.masked += any(row["variant"] == MASKED for row in own)
        for canary, expert_id in _canaries(session_id, own, panel):
            heard.experts[expert_id].canaries.append(canary)
        if session_id in wanted:
            heard.of_session[session_id] = [row for row in own if not row["variant"].startswith(CANARY)]
    return heard


def _count(row: Row, heard: _Heard) -> None:
    expert = heard.experts.get(row["expert_id"])
    if expert is None or row["variant"] != PLAIN:
        return
    heard.taken += row["taken_from_run"] is not None
    rendering = orjson.loads(row["rendering"])
    heard.shortened += bool(rendering.get("truncated"))
    heard.feedback_visible |= bool(rendering.get("feedback_visible"))
    expert.cells += 1
    expert.statuses[row["status"]] += 1
    if row["model_returned"]:
        expert.models[row["model_returned"]] += 1
    if row["status"] != OK:
        expert.errors[str(row["error_message"] or row["error_code"] or row["status"])] += 1
    for verdict in orjson.loads(row["axes"]).values():
        for quote in verdict.get("evidence") or ():
            expert.quotes += 1
            expert.verified += quote["verified"] is True


def _canaries(session_id: str, rows: Sequence[Row], panel: Panel) -> Iterator[tuple[Canary, str]]:
    """Yield what was planted into a session, as each expert rated it with and without."""
    plain = {row["expert_id"]: row for row in rows if row["variant"] == PLAIN and row["sample"] == 0}
    known = {str(payload) for payload in Payload}
    for row in rows:
        payload = row["variant"].removeprefix(CANARY)
        axis = canary_axis(row["expert_id"], panel)
        if not row["variant"].startswith(CANARY) or payload not in known or axis is None:
            continue
        base = plain.get(row["expert_id"])
        yield (
            Canary(session_id, Payload(payload), plain=_level(base, axis), planted=_level(row, axis)),
            row["expert_id"],
        )


def canary_axis(expert_id: str, panel: Panel) -> Axis | None:
    """Return the axis by which one tells whether an expert obeys: the main one; None where it does not rate that."""
    main = main_axis(panel.rubric)
    rates = any(expert.id == expert_id and main in expert.axes for expert in panel.experts)
    return panel.rubric.axes[main] if main is not None and rates else None


def _level(row: Row | None, axis: Axis) -> str | None:
    if row is None or row["status"] != OK:
        return None
    level: str | None = orjson.loads(row["axes"]).get(axis.name, {}).get("level")
    return level


def _expert(expert: Expert, counted: _Expert, panel: Panel) -> ExpertFigures:
    axis = canary_axis(expert.id, panel)
    answered = [canary for canary in counted.canaries if canary.planted is not None]
    finding: CanaryFinding | None = read_canaries(answered, axis=axis) if answered and axis is not None else None
    statuses = counted.statuses
    return ExpertFigures(
        expert=expert,
        cells=counted.cells,
        failed=counted.cells - statuses[OK],
        unreadable=statuses["parse_failed"],
        unproven=statuses["invalid_evidence"],
        refused=statuses["refused"],
        quotes=counted.quotes,
        verified=counted.verified,
        canaries=len(answered),
        canary=finding,
        models=tuple(model for model, _ in counted.models.most_common()),
        errors=tuple(counted.errors.most_common(_SHOWN_ERRORS)),
    )


def _show(
    chosen: Sequence[_Scored], heard: _Heard, transcripts: TranscriptOf, *, panel: Panel
) -> dict[str, ShownSession]:
    shown: dict[str, ShownSession] = {}
    for one in chosen:
        if _id(one) not in shown:
            transcript = transcripts(_id(one), one.row["session_fingerprint"])
            session = _shown_session(one, heard.of_session.get(_id(one), []), transcript, panel=panel)
            shown[_id(one)] = replace(session, number=len(shown) + 1)
    return shown


def is_covariate(name: str, panel: Panel) -> bool:
    """Tell whether an axis describes a session rather than its quality."""
    axis = panel.rubric.axes.get(name)
    return axis is not None and axis.covariate


def _shown_session(one: _Scored, rows: Sequence[Row], transcript: Transcript | None, *, panel: Panel) -> ShownSession:
    ok = [row for row in rows if row["status"] == OK]
    told = next((row for row in ok if row["user_goal"]), None)
    hits = [hit["text"] for row in rows[:1] for hit in orjson.loads(row["hits"])]
    outcome = succeeded(orjson.loads(one.row["outcome"]) if one.row["outcome"] else None)
    places = [axis.name for axis in sorted(panel.rubric.axes.values(), key=lambda axis: axis.covariate)]
    ordered = [(name, one.axes[name]) for name in places if name in one.axes]
    return ShownSession(
        session_id=_id(one),
        name=one.row["name"],
        profile=one.row["profile_id"],
        last_active=one.row["last_active"],
        status=one.row["status"],
        quality=one.mean,
        complexity=one.row["complexity"],
        axes=tuple(_axis_result(name, score) for name, score in ordered),
        verdicts=tuple(_verdicts(ok)),
        failures=tuple(
            (row["expert_id"], row["error_message"] or row["error_code"] or row["status"])
            for row in rows
            if row["status"] != OK and row["variant"] == PLAIN
        ),
        likes=one.row["likes"],
        dislikes=one.row["dislikes"],
        succeeded=None if np.isnan(outcome) else bool(outcome),
        addressed_to_judges=tuple(hits),
        user_goal="" if told is None else told["user_goal"],
        outcome_summary="" if told is None else told["outcome_summary"] or "",
        transcript=transcript,
    )


def _axis_result(name: str, score: AxisScore) -> AxisResult:
    return AxisResult(
        axis=name,
        mean=score.mean,
        reason=None if score.reason is None else str(score.reason),
        scored=score.scored,
        owners=score.owners,
        sd=score.sd,
        disagreement=score.disagreement,
    )


def _verdicts(rows: Iterable[Row]) -> Iterator[ShownVerdict]:
    number = 0
    for row in rows:
        for axis, said in orjson.loads(row["axes"]).items():
            quotes = []
            for quote in said.get("evidence") or ():
                number += 1
                quotes.append(ShownQuote(number, quote["message_index"], quote["quote"], quote["verified"] is True))
            yield ShownVerdict(
                expert_id=row["expert_id"],
                axis=axis,
                level=said.get("score"),
                state=said["state"],
                confidence=said.get("confidence") or "",
                reasoning=said.get("reasoning") or "",
                quotes=tuple(quotes),
                variant=row["variant"],
                sample=row["sample"],
            )


def _disliked(one: _Scored, session: ShownSession, panel: Panel) -> Iterator[Disliked]:
    """Yield what people disliked in a session, message by message."""
    if session.transcript is None:
        return
    texts: dict[int, list[str]] = {}
    for part in session.transcript.parts:
        texts.setdefault(part.message, []).append(part.head + part.text)
    lowest = one.lowest(panel)
    entries = [entry for entry in session.transcript.feedback if not entry.liked and entry.message is not None]
    for entry in entries[:_TIMES_PER_MESSAGE]:
        yield Disliked(
            session=session,
            said=entry,
            text="\n".join(texts.get(entry.message if entry.message is not None else -1, [])) or None,
            seen=one.has_fault(panel),
            lowest=None if lowest is None else _axis_result(*lowest),
        )


def _one_family(panel: Panel) -> str | None:
    families = {model_family(expert.model) for expert in panel.experts}
    return families.pop() if len(families) == 1 and len(panel.experts) > 1 else None
