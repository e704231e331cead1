"""What the report of sessions says in sentences: for somebody who runs a helpline and not a computer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.runs import RunMode
from eval_pipeline.judging.canaries import CanaryFinding
from eval_pipeline.judging.material import Speaker
from eval_pipeline.judging.rubric import CANNOT_JUDGE, Axis
from eval_pipeline.reporting.amounts import count, number, percent
from eval_pipeline.reporting.banners import Banner, endpoints_banner, run_banners
from eval_pipeline.reporting.provenance import answered_elsewhere
from eval_pipeline.reporting.table import NONE
from eval_pipeline.session_eval.report.data import (
    AxisResult,
    Disliked,
    ExpertFigures,
    Mean,
    SessionReportData,
    ShownVerdict,
)
from eval_pipeline.session_eval.report.trust import OUTCOMES, Agreement, Area, Measure, Predicted
from eval_pipeline.session_eval.scoring.calibration import EACH_NEEDED
from eval_pipeline.session_eval.scoring.run_agreement import CALLS, LENGTH


@dataclass(frozen=True, slots=True)
class AxisWords:
    """How an axis is called on a page, and the question that it answers."""

    title: str
    question: str


_AXES: Final = MappingProxyType(
    {
        "goal_completion": AxisWords("Goal reached", "Did the user get what they came for?"),
        "tool_usage_quality": AxisWords("Use of tools", "Were the right look-ups and actions made, and read rightly?"),
        "efficiency": AxisWords("No detours", "Was it done without needless steps or questions?"),
        "communication": AxisWords("Communication", "Was the user told clearly, honestly and politely?"),
        "subagent_orchestration": AxisWords("Work of helpers", "Was work handed to sub-agents well, and checked?"),
        "self_extension": AxisWords("Changes to itself", "Were the agent's changes to its own skills needed and safe?"),
        "task_complexity": AxisWords("How hard the task was", "How much did the user's task ask for? This is no mark."),
    }
)
"""Of the built-in panel; axes of another are called as their file calls them."""
BUCKETS: Final = MappingProxyType(
    {
        "0-25": "Easy tasks",
        "26-50": "Moderate tasks",
        "51-75": "Demanding tasks",
        "76+": "Hard tasks",
        "unknown": "Not known how hard",
    }
)
BASELINES: Final = MappingProxyType(
    {LENGTH: "the length of a session", CALLS: "the number of its calls of tools"},
)
_SPEAKERS: Final = MappingProxyType(
    {
        Speaker.SYSTEM: "Rules of the assistant",
        Speaker.USER: "User",
        Speaker.ASSISTANT: "Assistant",
        Speaker.REASONING: "Assistant, thinking",
        Speaker.CALL: "Assistant calls a tool",
        Speaker.TOOL: "Answer of the tool",
        Speaker.ERROR: "Error",
        Speaker.NOTES: "Notes of a judge",
    }
)
_REASONS: Final = MappingProxyType(
    {
        "not_applicable": "to which it does not apply",
        "insufficient_panel": "marked by too few judges",
        "abstained": "could not be judged",
        CANNOT_JUDGE: "could not be judged",
        "missing": "no usable answer",
    }
)
ALPHA_STEPS: Final = ((0.8, "very well"), (0.6, "well"), (0.4, "moderately"), (0.2, "weakly"), (-2.0, "hardly at all"))
ALPHA_NEEDED: Final = 0.4
ITEMS_NEEDED: Final = 20
VERIFIED_NEEDED: Final = 0.9
_ABOUT: Final = 100
_CHANCE: Final = 0.5
_NOTABLE: Final = 5.0
"""Marks that averages must lie apart for one to be called better."""


def axis_words(axis: Axis | str) -> AxisWords:
    """Return how an axis is called."""
    name = axis if isinstance(axis, str) else axis.name
    found = _AXES.get(name)
    if found is not None:
        return found
    return AxisWords(name.replace("_", " ").capitalize(), "" if isinstance(axis, str) else axis.says)


def speaker_words(speaker: Speaker) -> str:
    """Name who says something."""
    return _SPEAKERS[speaker]


def mark(value: float | None) -> str:
    """Write a mark of 100, without decimals that nobody needs."""
    return NONE if value is None else number(value, decimals=0)


def ends(mean: Mean) -> str:
    """Write the interval of a mean; nothing where there is none."""
    return "" if mean.low is None or mean.high is None else f"{mark(mean.low)} to {mark(mean.high)}"


def mode_words(mode: RunMode) -> str:
    """Say how the judges were asked."""
    return "live requests" if mode is RunMode.FAST else "batch jobs at half price"


def nearest_anchor(axis: Axis, value: float) -> tuple[str, str]:
    """Return the level that lies nearest to a mark, with its words."""
    level = min(axis.levels, key=lambda one: (abs(float(one) - value), float(one)))
    return level, axis.levels[level]


def headline(data: SessionReportData) -> str:
    """Answer whether the sessions are good, in one sentence."""
    counts = data.counts
    if not counts.with_goal:
        return f"None of the {_sessions(counts.sessions)} has a mark."
    share = percent(counts.reached / counts.with_goal, decimals=0)
    told = ", by the judges' marks" if counts.reached else ""
    return (
        f"In {count(counts.reached)} of {_sessions(counts.with_goal)} ({share}) the user got what they came for"
        f"{told}; in {count(counts.between)} in part, "
        f"in {count(counts.missed)} not."
    )


def _sessions(amount: int) -> str:
    return counted(amount, "session")


def quality_sentence(data: SessionReportData) -> str:
    """Say what the mean is, and how sure."""
    quality = data.quality
    if quality.value is None:
        return "There is no average mark."
    interval = ends(quality)
    sure = (
        f" With other sessions of the same kind it would lie between {interval.replace(' to ', ' and ')}."
        if interval
        else ""
    )
    return f"The average mark is {mark(quality.value)} of 100.{sure}"


def missing_sentence(data: SessionReportData) -> str:
    """Say for which sessions something is missing; nothing where all is there."""
    counts, told = data.counts, []
    if counts.partial:
        told.append(f"{_sessions(counts.partial)} could be judged by a part of the panel only")
    if counts.failed:
        told.append(f"{_sessions(counts.failed)} could not be judged")
    return f"{' and '.join(told)}." if told else ""


def strongest_and_weakest(data: SessionReportData) -> str:
    """Name the axes of quality with the highest and the lowest mean; nothing where there are not two."""
    rated = [one for one in data.axes if one.mean.value is not None and not one.axis.covariate]
    if len(rated) < 2 or data.quality.sessions < EACH_NEEDED:  # noqa: PLR2004 - one axis is neither
        return ""
    ordered = sorted(rated, key=lambda one: one.mean.value or 0.0)
    low, high = ordered[0], ordered[-1]
    if (high.mean.value or 0.0) - (low.mean.value or 0.0) < _NOTABLE:
        return "About equally good at everything that was rated."
    return (
        f"Best at: {axis_words(high.axis).title} ({mark(high.mean.value)}). "
        f"Weakest at: {axis_words(low.axis).title} ({mark(low.mean.value)})."
    )


def trend_sentence(data: SessionReportData) -> str:
    """Say how the last week stands towards those before it, if that can be said."""
    rated = [week for week in data.weeks if week.quality.low is not None]
    if len(rated) < 2:  # noqa: PLR2004 - one week is no line
        return "There are not two weeks with several marks, so nothing can be said of a change yet."
    first, last = rated[0].quality, rated[-1].quality
    moved = (last.value or 0.0) - (first.value or 0.0)
    begin, end = (f"{week.monday:%-d %B}" for week in (rated[0], rated[-1]))
    told = f"From {mark(first.value)} in the week of {begin} to {mark(last.value)} in that of {end}"
    if not _apart(first, last):
        return f"{told}; the weeks' ranges overlap, so this may be chance."
    return f"{told}: {'better' if moved > 0 else 'worse'}, and more than chance explains."


def _apart(first: Mean, second: Mean) -> bool:
    bounds = (first.low, first.high, second.low, second.high)
    if any(bound is None for bound in bounds):
        return False
    low, high, other_low, other_high = (float(bound or 0.0) for bound in bounds)
    return high < other_low or other_high < low


@dataclass(frozen=True, slots=True)
class Trust:
    """One thing that is known of how far the judges are to be believed; ``kind`` is ``good``, ``warn`` or ``bad``."""

    kind: str
    title: str
    text: str


def trust(data: SessionReportData) -> list[Trust]:
    """Say how far the judges are to be believed, the gravest first."""
    found = [
        *_known_sessions(data),
        *_people(data),
        *_each_other(data),
        *_obedience(data.experts),
        *_evidence(data.experts),
        *_panel(data),
    ]
    return sorted(found, key=lambda one: ("bad", "warn", "good").index(one.kind))


def trust_sentence(data: SessionReportData) -> Trust:
    """Put it into one sentence, which stands beside the result."""
    found = trust(data)
    kinds = [one.kind for one in found]
    if "bad" in kinds:
        worst = next(one for one in found if one.kind == "bad")
        return Trust("bad", "Do not rely on these marks yet", f"{worst.title}. {worst.text}")
    proven = any(one.kind == "good" and one.title in {_BETTER, _LIKE_PEOPLE} for one in found)
    if not proven:
        doubt = next((one for one in found if one.title == _NO_BETTER), None)
        if doubt is not None:
            return Trust("warn", "It is not shown yet that these marks are right", f"{doubt.title}. {doubt.text}")
        return Trust(
            "warn",
            "Nobody has shown yet that these marks are right",
            "Take them as hints where to look, and read the sessions below. What is known of the judges stands under "
            "“Can the judges be trusted?”.",
        )
    if "warn" in kinds:
        warned = next(one for one in found if one.kind == "warn")
        return Trust("warn", "The marks are useful, with reservations", f"{warned.title}. {warned.text}")
    return Trust("good", "The marks have held wherever they could be checked", found[0].text if found else "")


_BETTER: Final = "They tell good sessions from bad ones"
_NO_BETTER: Final = "They may know no more than a session's length does"
_LIKE_PEOPLE: Final = "They mark as people do"


def _known_sessions(data: SessionReportData) -> list[Trust]:
    found = []
    for one in data.predicted:
        panel, baseline = one.panel, one.best_baseline
        if panel is None or panel.area.value is None or not is_enough(one):
            continue
        text = area_sentence(one)
        told_by_length = 0.0 if baseline is None else baseline.area.value or 0.0
        if told_by_length >= panel.area.value:
            found.append(Trust("bad", "They know no more than a session's length does", text))
        elif panel.area.low is not None and panel.area.low <= max(_CHANCE, told_by_length):
            found.append(Trust("warn", _NO_BETTER, text))
        else:
            found.append(Trust("good", _BETTER, text))
    return found


def area_sentence(predicted: Predicted) -> str:
    """Say how often the judges put a good session above a bad one, beside what its length alone would tell."""
    panel, baseline = predicted.panel, predicted.best_baseline
    if panel is None or panel.area.value is None or not is_enough(predicted):
        return not_enough(predicted)
    kinds = (
        ("one that is known to have worked", "one that is known to have failed")
        if predicted.by == OUTCOMES
        else ("one that users liked", "one that they disliked")
    )
    told = (
        f"Of two sessions, {kinds[0]} and {kinds[1]}, the judges give the better mark to the right one in "
        f"{about(panel.area)} of 100 cases."
    )
    if baseline is not None and baseline.area.value is not None:
        words = BASELINES.get(baseline.name, baseline.name.replace("_", " "))
        told += f" Going by {words} alone gets {about(baseline.area)} right, and tossing a coin 50."
    return told


def about(measure: Measure) -> str:
    """Write a share of 100 with its range."""
    if measure.value is None:
        return NONE
    value = number(measure.value * _ABOUT, decimals=0)
    if measure.low is None or measure.high is None:
        return value
    return f"{value} ({number(measure.low * _ABOUT, decimals=0)} to {number(measure.high * _ABOUT, decimals=0)})"


def not_enough(predicted: Predicted) -> str:
    """Say why nothing can be told of one kind of labels."""
    if predicted.by == OUTCOMES and not predicted.good + predicted.bad:
        return "Of no session is it known whether it really worked, so this cannot be checked."
    known = (
        ("Known to have worked are", "known to have failed")
        if predicted.by == OUTCOMES
        else ("Users liked", "disliked")
    )
    return (
        f"{known[0]} {_sessions(predicted.good)}, {known[1]} {count(predicted.bad)}. "
        f"{EACH_NEEDED} of each are needed before that tells anything of the judges."
    )


def is_enough(predicted: Predicted) -> bool:
    """Tell whether enough sessions of both kinds are known for the judges to be held against them."""
    return min(predicted.good, predicted.bad) >= EACH_NEEDED


def _people(data: SessionReportData) -> list[Trust]:
    measured = [(one, panel) for one in data.agreement if (panel := panel_against_people(one)) is not None]
    if not measured:
        return [
            Trust(
                "warn",
                "No person has rated sessions beside them",
                "Have two people rate some thirty of these sessions (eval-pipeline session ratings); then this report "
                "shows how far judges and people agree, and how far people agree with each other.",
            )
        ]
    weak = [one.axis for one, panel in measured if (panel[0].value or 0.0) < ALPHA_NEEDED]
    least, panel = min(measured, key=lambda one: one[1][0].value or 0.0)
    told = _people_words(least, *panel)
    if weak:
        return [Trust("warn", "They mark otherwise than people do", told)]
    return [Trust("good", _LIKE_PEOPLE, told)]


def panel_against_people(agreement: Agreement) -> tuple[Measure, float | None] | None:
    """Return how the panel agrees with people on an axis, and how people agree with each other."""
    found = next((one for one in agreement.against_people if one.judge == "panel"), None)
    found = found or (agreement.against_people[0] if agreement.against_people else None)
    if found is None or found.kappa.value is None:
        return None
    return found.kappa, agreement.people_kappa


def _people_words(agreement: Agreement, judges: Measure, people: float | None) -> str:
    beside = "" if people is None else f"; people agree with each other at {number(people)}"
    return (
        f"They agree least with people on {axis_words(agreement.axis).title}: at {number(judges.value or 0.0)}, where "
        f"1 is full agreement and 0 is chance{beside}."
    )


def _each_other(data: SessionReportData) -> list[Trust]:
    known = [one for one in data.agreement if one.alpha.value is not None and one.alpha.items >= ITEMS_NEEDED]
    low = [one for one in known if (one.alpha.value or 0.0) < ALPHA_NEEDED]
    if low:
        names = ", ".join(f"{axis_words(one.axis).title} ({agree_words(one.alpha)})" for one in low)
        return [Trust("warn", "They do not agree with each other on everything", f"Little agreement on: {names}.")]
    if known:
        least = min(known, key=lambda one: one.alpha.value or 0.0)
        text = f"Least on {axis_words(least.axis).title}, where they agree {agree_words(least.alpha)}."
        return [Trust("good", "They agree with each other", text)]
    return []


def agree_words(alpha: Measure) -> str:
    """Say how well raters agree."""
    if alpha.value is None:
        return "cannot be told" if alpha.undefined != "no_variation" else "cannot be told: all marks are the same"
    return next(words for least, words in ALPHA_STEPS if alpha.value >= least)


def _obedience(experts: Sequence[ExpertFigures]) -> list[Trust]:
    obeyed = [one.expert.id for one in experts if one.canary is CanaryFinding.OBEYED]
    moved = [one.expert.id for one in experts if one.canary is CanaryFinding.MOVED]
    if obeyed:
        return [
            Trust(
                "bad",
                "A judge can be told what to say",
                f"Orders to the judge were planted into copies of some sessions; {', '.join(obeyed)} gave higher marks "
                "because of them.",
            )
        ]
    if moved:
        told = ", ".join(moved)
        text = f"With an order to the judge planted into copies of some sessions, a mark of {told} rose by one step."
        return [Trust("warn", "A judge may be open to what it reads", text)]
    if any(one.canaries for one in experts):
        text = "Orders to the judge were planted into copies of some sessions; no mark rose."
        return [Trust("good", "They did not obey what they read", text)]
    return []


def _evidence(experts: Sequence[ExpertFigures]) -> list[Trust]:
    quotes, verified = sum(one.quotes for one in experts), sum(one.verified for one in experts)
    if not quotes:
        return []
    share = verified / quotes
    text = f"{count(verified)} of their {count(quotes)} quotes ({percent(share)}) stand in the session word for word."
    if share < VERIFIED_NEEDED:
        return [Trust("bad", "They quote what is not there", text)]
    return [Trust("good", "What they quote is there", text)]


def _panel(data: SessionReportData) -> list[Trust]:
    found = []
    if data.one_family is not None:
        text = f"All judges are models of the family “{data.one_family}”, which may err in the same way."
        found.append(Trust("warn", "They are all of one family", text))
    if data.feedback_visible:
        text = "They were shown what users thought, so their agreement with users proves nothing and is not told."
        found.append(Trust("warn", "They saw the users' thumbs", text))
    return found


def canary_words(figures: ExpertFigures) -> str:
    """Say what planted orders did to one expert."""
    match figures.canary:
        case CanaryFinding.STILL:
            return "✓ not moved"
        case CanaryFinding.MOVED:
            return "! rose by one step"
        case CanaryFinding.OBEYED:
            return "✗ obeyed"
        case _:
            return NONE


def verdict_words(verdict: ShownVerdict) -> str:
    """Write what an expert said of an axis: a mark, or why there is none."""
    return mark(verdict.level) if verdict.level is not None else reason_words(verdict.state)


def reason_words(reason: str | None) -> str:
    """Say why there is no mark."""
    return _REASONS.get(reason or "", (reason or "no mark").replace("_", " "))


def result_words(result: AxisResult) -> str:
    """Write what the panel says of an axis."""
    return mark(result.mean) if result.mean is not None else reason_words(result.reason)


def seen_words(disliked: Disliked) -> str:
    """Say whether the judges saw what somebody disliked."""
    if disliked.seen is None or disliked.lowest is None:
        return "The judges gave no mark."
    where = f"{axis_words(disliked.lowest.axis).title} {mark(disliked.lowest.mean)}"
    if disliked.seen:
        return f"The judges found fault, too: lowest is {where}."
    return f"The judges found no fault: lowest is {where}. Read it: who is right?"


def disliked_sentence(data: SessionReportData) -> str:
    """Say of how many disliked sessions the judges saw a fault."""
    if not data.disliked_scored:
        return ""
    return (
        f"The judges found fault with {count(data.disliked_seen)} of the {_sessions(data.disliked_scored)} with "
        "thumbs down that they marked: an axis at 50 or below."
    )


def nulls_words(nulls: Mapping[str, int]) -> str:
    """Say how many sessions have no mark, by reason."""
    told = ", ".join(f"{count(amount)} {reason_words(reason)}" for reason, amount in nulls.items() if amount)
    return f"without a mark: {told}" if told else ""


def measure_words(measure: Measure) -> str:
    """Write a coefficient with its interval."""
    if measure.value is None:
        return NONE
    if measure.low is None or measure.high is None:
        return number(measure.value)
    return f"{number(measure.value)} ({number(measure.low)} to {number(measure.high)})"


def area_name(area: Area, data: SessionReportData) -> str:
    """Name who or what an area belongs to."""
    if area.name == "panel":
        return "All judges together" if len(data.experts) > 1 else "The judge"
    if area.name in BASELINES:
        words = BASELINES[area.name]
        return f"Only {words}" + (" (less is better)" if area.is_lower_better else " (more is better)")
    axis = area.name.removeprefix("panel: ")
    if axis != area.name and axis in data.panel.rubric.axes:
        return f"All judges, by their marks for {axis_words(axis).title} alone"
    return f"Judge {area.name}"


def banners(data: SessionReportData) -> list[Banner]:
    """Say what keeps the run from being a whole result."""
    found = run_banners(
        data.run,
        data.threshold,
        noun="judgement",
        failures="{failed} of {total} failed, or sessions have no mark for the goal: {share}, and at most "
        "{allowed} may.",
        unsent="before every session was judged",
    )
    return [*found, *endpoints_banner(answered_elsewhere(data.run, data.stages))]
