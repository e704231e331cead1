"""How a score is drawn: yes-or-no scores as two bars, all others as a histogram."""

from markupsafe import Markup

from eval_pipeline.core.counting import counted
from eval_pipeline.reporting.amounts import count, percent
from eval_pipeline.reporting.plot import Bar, Histogram, Interval, draw_bars, draw_histogram, draw_interval
from eval_pipeline.text_eval.report.words import correct, figure, interval, score_label
from eval_pipeline.text_eval.scoring.summary import BOOLEAN, ScoreSummary


def histogram_svg(score: ScoreSummary) -> Markup:
    """Draw how the values of one score are spread; stands alone as an SVG file, too."""
    return _outcomes(score) if score.data_type == BOOLEAN else _spread(score)


def interval_svg(score: ScoreSummary, *, width: int = 160) -> Markup:
    """Draw a score's mean and interval on its scale; nothing when there is no mean."""
    if score.mean is None:
        return Markup()
    ends = interval(score)
    return draw_interval(
        Interval(
            title=f"{score_label(score.name)}: {figure(score)}" + (f", 95% interval {ends}" if ends else ""),
            low=scale_low(score),
            high=score.histogram_high,
            mean=score.mean,
            interval=_ends(score),
        ),
        width=width,
    )


def _outcomes(score: ScoreSummary) -> Markup:
    right = correct(score)
    bars = [
        _bar("✓ correct", right, total=score.total),
        _bar("✗ not correct", score.total_pairs - right, total=score.total),
        _bar("○ not scored", score.total - score.total_pairs, total=score.total),
    ]
    told = ", ".join(f"{bar.label[2:]}: {count(bar.value)}" for bar in bars)
    title = f"{score_label(score.name)}: how many answers are correct"
    return draw_bars(bars, total=score.total, title=title, description=told)


def _bar(label: str, value: int, *, total: int) -> Bar:
    return Bar(label=label, value=value, note=f"({percent(value / total, decimals=0)})" if total else "")


def _spread(score: ScoreSummary) -> Markup:
    label = score_label(score.name)
    low = scale_low(score)
    below = 0 if low == score.histogram_low else _bins_below_zero(score)
    return draw_histogram(
        Histogram(
            title=f"How {label.lower()} is spread over the answers",
            description=f"{counted(score.total_pairs, 'scored answer')}; mean {figure(score)}.",
            counts=score.histogram[below:],
            low=low,
            high=score.histogram_high,
            x_label=label,
            y_label="answers",
            mean=score.mean,
            interval=_ends(score),
        )
    )


def scale_low(score: ScoreSummary) -> float:
    """Begin the scale at 0 where nothing lies below and a bin begins there: cosines may be negative, few are."""
    below = _bins_below_zero(score)
    beyond = any(value is not None and value < 0 for value in (score.mean, score.ci_low))
    return score.histogram_low if below is None or beyond or any(score.histogram[:below]) else 0.0


def _bins_below_zero(score: ScoreSummary) -> int | None:
    """Count the bins that lie below 0; None when no bin begins there."""
    low, high, bins = score.histogram_low, score.histogram_high, len(score.histogram)
    if not low < 0 < high or not bins:
        return None
    below = -low / (high - low) * bins
    return round(below) if abs(below - round(below)) < 1e-9 else None  # noqa: PLR2004 - rounding


def _ends(score: ScoreSummary) -> tuple[float, float] | None:
    return (score.ci_low, score.ci_high) if score.ci_low is not None and score.ci_high is not None else None
