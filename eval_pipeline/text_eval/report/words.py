"""What a text run's numbers mean in plain English, for a reader who knows the subject and not the statistics."""

from collections.abc import Mapping

from eval_pipeline.core.counting import counted
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.statistics import IntervalMethod
from eval_pipeline.reporting.amounts import count, decimals_for, number, percent
from eval_pipeline.reporting.banners import Banner, endpoints_banner, run_banners
from eval_pipeline.reporting.provenance import answered_elsewhere
from eval_pipeline.text_eval.report.data import ReportData
from eval_pipeline.text_eval.report.failures import NOT_SCORED
from eval_pipeline.text_eval.scoring.summary import BOOLEAN, ScoreSummary

NOT_MEASURED = "How many answers are right was not measured"
_FINE_PERCENT_FROM = 100
_SCORE_LABELS = {
    "cosine_similarity": "Cosine similarity",
    "exact_match": "Exact match",
    "contains": "Contains the golden answer",
    "regex": "Pattern match",
    "numeric": "Same number",
    "token_f1": "Shared words (token F1)",
    "chrf": "Shared characters (chrF)",
}
_SCORE_METHODS = {
    "cosine_similarity": (
        "How close the answer is in meaning to the golden answer. An embedding model turns both texts into directions;"
        " the score is the cosine of the angle between them. The same text gives 1, unrelated texts a value well below."
        " It is no share of correct answers: compare it between runs on the same dataset and embedding model."
    ),
    "exact_match": "Whether the answer is the golden answer, after the tidying that its settings name.",
    "contains": "Whether the golden answer occurs in the answer, after the tidying that its settings name.",
    "regex": "Whether the answer matches the pattern in its settings.",
    "numeric": (
        "Whether the quantity that the answer ends with is that of the golden answer; of several, all in their order."
        " Scale words (lakh, million), units, dates, ranges, fractions and forms such as “A: 18” are understood."
    ),
    "token_f1": "How many words answer and golden answer share, from 0 (none) to 1 (the same words).",
    "chrf": "How many short character sequences answer and golden answer share; 1 is the same text.",
}
_STATUSES = {
    ItemStatus.OK: "Answered",
    ItemStatus.FAILED: "The request failed",
    ItemStatus.EMPTY: "The answer was empty",
    ItemStatus.INCOMPLETE: "The answer was cut off",
    ItemStatus.REFUSED: "The model refused to answer",
    ItemStatus.MISSING: "No usable answer came back",
}
_REASONS = {
    "response_failed": "no answer",
    "empty_output": "the answer was empty",
    "empty_ground_truth": "the golden answer holds nothing to compare with",
    "damaged_ground_truth": "the golden answer is damaged",
    "unreadable_output": "the answer may mean two things",
    "time_limit": "scoring it took too long",
    "embedding_failed": "the texts could not be embedded",
    "judge_failed": "the judge gave no verdict",
}
_OF_GOLDEN = ("empty_ground_truth", "damaged_ground_truth")
"""Not the model's fault, so that counting them as wrong would say nothing of it."""
_INTERVALS: Mapping[str, str] = {
    IntervalMethod.CLUSTERED_T: (
        "mean plus and minus Student's t times the standard error clustered by question (CR1)"
    ),
    IntervalMethod.WILSON: "Wilson score interval on the number of questions, because their scores do not differ",
}
_STAGES = {"response": "Answers", "embedding": "Embeddings", "judge": "Judge"}


def score_label(name: str) -> str:
    """Return a score's name for people."""
    return _SCORE_LABELS.get(name) or name.replace("_", " ")


def score_method(scorer: str) -> str:
    """Say how a scorer works."""
    return _SCORE_METHODS.get(scorer, "Computed by the scorer of this name, with the settings shown.")


_ALIKE = {
    "cosine_similarity": "how close answers are in meaning to the golden answers",
    "token_f1": "how many words answers share with the golden answers",
    "chrf": "how many short sequences of characters answers share with the golden answers",
}


def no_share(score: ScoreSummary, scorer: str, *, run: str) -> str:
    """Say what a score is that is no share of right answers, and how to get one."""
    told = _ALIKE.get(scorer, "a value, not a right or wrong")
    return (
        f"{NOT_MEASURED}: {score_label(score.name)} tells {told}. A wrong answer can be very like a right one. For a"
        f" share of right answers score again, for free: eval-pipeline text rescore {run} --scorer contains (or"
        " numeric, exact_match, regex:PATTERN)."
    )


def interval_method(score: ScoreSummary) -> str | None:
    """Say how the interval was found."""
    return None if score.interval_method is None else _INTERVALS.get(score.interval_method, score.interval_method)


def status_words(status: str | None) -> str:
    """Say what became of an item."""
    if status is None:
        return "Other kinds of failure"
    if status == NOT_SCORED:
        return "Answered, but could not be scored"
    return _STATUSES[ItemStatus(status)] if status in set(ItemStatus) else status


def reason_words(reason: str | None) -> str:
    """Say why a pair has no score."""
    return "no reason was recorded" if reason is None else _REASONS.get(reason, reason.replace("_", " "))


def stage_words(stage: str) -> str:
    """Name what a line of the cost table paid for."""
    return _STAGES.get(stage, stage)


def banners(data: ReportData) -> list[Banner]:
    """Say what keeps the run from being a result: too many failures, or unfinished work."""
    return run_banners(
        data.run,
        data.threshold,
        noun="item",
        failures="{failed} of {total} failed ({share}); at most {allowed} may fail.",
        unsent="before every question was asked",
    ) + endpoints_banner(answered_elsewhere(data.run, data.stages))


def figure(score: ScoreSummary) -> str:
    """Return the one number of a score: a share for yes-or-no scores, else the mean."""
    if score.mean is None:
        return "no score"
    return _percent(score.mean, total=score.total_pairs) if score.data_type == BOOLEAN else _value(score.mean, score)


def interval(score: ScoreSummary) -> str | None:
    """Return the ends of the interval, in the same form as the figure."""
    if score.ci_low is None or score.ci_high is None:
        return None
    if score.data_type == BOOLEAN:
        low, high = (_percent(end, total=score.total_pairs, guarded=False) for end in (score.ci_low, score.ci_high))
    else:
        low, high = (_value(end, score) for end in (score.ci_low, score.ci_high))
    return f"{low} to {high}"


def scale_end(score: ScoreSummary) -> str | None:
    """Return the upper end of a score's scale where it is a whole number, as in "0.83 of 1"."""
    high = score.histogram_high
    return f"{high:.0f}" if high >= 1 and high == int(high) else None


def sentence(score: ScoreSummary) -> str:
    """Say a score with its uncertainty, so that a person who reads one sentence reads the right one."""
    if score.total == 0:
        return "There were no questions, so there is no result."
    if score.mean is None:
        none = "The only answer could not" if score.total == 1 else f"None of the {count(score.total)} answers could"
        return f"{none} be scored, so there is no result."
    return " ".join([_finding(score), _uncertainty(score), _scored(score)])


def _finding(score: ScoreSummary) -> str:
    if score.data_type == BOOLEAN:
        of = count(score.total_pairs) if score.total_pairs == score.total else f"the {count(score.total_pairs)} scored"
        right = correct(score)
        answers = "answer" if score.total_pairs == 1 else "answers"
        return f"{count(right)} of {of} {answers} {'is' if right == 1 else 'are'} correct ({figure(score)})."
    end = scale_end(score)
    return f"On average {figure(score)}{f' of {end}' if end else ''}."


def correct(score: ScoreSummary) -> int:
    """Return how many items a yes-or-no score counts as correct."""
    if score.distribution is not None:
        return score.distribution.get("true", 0)
    return round((score.mean or 0.0) * score.total_pairs)


def _uncertainty(score: ScoreSummary) -> str:
    ends = interval(score)
    if ends is None:
        reason = "with a single question" if score.questions <= 1 else "from these scores"
        return f"How far chance moved this cannot be told {reason}."
    if score.ci_low == score.ci_high:
        return "Every question scored the same, so the spread says nothing about other questions."
    what = "share" if score.data_type == BOOLEAN else "average"
    low, high = ends.split(" to ")
    return f"With 95% confidence, the {what} over many questions like these lies between {low} and {high}."


def _scored(score: ScoreSummary) -> str:
    missing = score.total - score.total_pairs
    if missing == 0:
        return (
            "The answer could be scored." if score.total == 1 else f"All {count(score.total)} answers could be scored."
        )
    text = f"{count(score.total_pairs)} of {counted(score.total, 'answer')} could be scored"
    if score.data_type != BOOLEAN:
        return f"{text}; the other {count(missing)} {'is' if missing == 1 else 'are'} not part of the average."
    of_golden = sum(score.unscoreable.get(reason, 0) for reason in _OF_GOLDEN)
    if of_golden:
        text = f"{text}, for the golden answers of {count(of_golden)} cannot be used"
    unanswered, total = missing - of_golden, score.total - of_golden
    if not unanswered or not total:
        return f"{text}."
    all_in = _percent(correct(score) / total, total=total)
    of_all = "of all" if not of_golden else "of the rest"
    return f"{text}; counting the other {count(unanswered)} as wrong, {all_in} {of_all} are correct."


def _value(value: float, score: ScoreSummary) -> str:
    return number(value, decimals=decimals_for(score.ci_low, score.ci_high))


def _percent(value: float, *, total: int, guarded: bool = True) -> str:
    return percent(value, decimals=1 if total >= _FINE_PERCENT_FROM else 0, guarded=guarded)
