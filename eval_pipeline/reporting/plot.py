"""Plots as SVG that needs nothing around it: the same drawing stands in a page and in an image of its own.

Every plot names itself to screen readers (title, desc) and says by text or shape what it also says by colour.
"""

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval_pipeline.reporting.amounts import count, number, percent
from eval_pipeline.reporting.drawing import (
    BAND,
    BAND_OPACITY,
    BAR,
    GRID,
    INK,
    MUTED,
    WIDTH,
    at,
    line,
    rect,
    svg,
    tag,
    text,
)

_WIDE = 560
_ESTIMATE_HEIGHT = 46
_X_LABEL_CHARACTERS = 90
_X_TICKS = 4
_Y_TICKS = 4


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in equal bins over [low, high], with a mean and its interval where there is one."""

    title: str
    description: str
    counts: Sequence[int]
    low: float
    high: float
    x_label: str
    y_label: str
    mean: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it counts, how many, and the words behind it."""

    label: str
    value: int
    note: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean on a scale, with its interval where there is one."""

    title: str
    low: float
    high: float
    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """One line of a comparison: a value with its interval, and how both are written."""

    label: str
    value: float
    interval: tuple[float, float] | None
    note: str


@dataclass(frozen=True, slots=True)
class _Area:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


_HISTOGRAM_AREA = _Area(left=46, top=24, right=WIDTH - 14, bottom=172)
_HISTOGRAM_HEIGHT = 216


def svg_data_uri(svg: str) -> str:
    """Return the drawing as an address that an image can carry."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii")


def draw_histogram(histogram: Histogram) -> Markup:
    """Draw bars with both axes, the mean as a dashed line and the interval as a band."""
    area = _HISTOGRAM_AREA
    step = _nice_step(max(histogram.counts, default=0))
    top = step * max(1, math.ceil(max(histogram.counts, default=0) / step))
    parts = [
        _band(histogram, area),
        *_y_axis(area, step=step, top=top),
        *_bars(histogram, area, top=top),
        *_mean(histogram, area),
        *_x_axis(histogram, area),
        text(area.left + area.width / 2, _HISTOGRAM_HEIGHT - 4, histogram.x_label, anchor="middle"),
        text(6, 13, histogram.y_label, anchor="start"),
    ]
    return svg(parts, title=histogram.title, description=histogram.description, height=_HISTOGRAM_HEIGHT)


def draw_bars(bars: Sequence[Bar], *, total: int, title: str, description: str) -> Markup:
    """Draw one horizontal bar for each count as its part of the total, with its words and number beside it."""
    parts: list[Markup] = []
    for index, bar in enumerate(bars):
        y = 16 + 46 * index
        width = (WIDTH - 28) * bar.value / max(total, 1)
        parts += [
            text(14, y, bar.label, anchor="start", fill=INK),
            text(WIDTH - 14, y, f"{count(bar.value)} {bar.note}", anchor="end", fill=INK),
            rect(14, y + 6, width=WIDTH - 28, height=14, fill=GRID),
            rect(14, y + 6, width=width, height=14, fill=BAR),
        ]
    return svg(parts, title=title, description=description, height=46 * max(1, len(bars)))


def draw_interval(interval: Interval, *, width: int = 160) -> Markup:
    """Draw a mean as a dot and its interval as a bar with ends, on a line from the lowest to the highest value."""
    pad, middle = 7, 10

    def x(value: float) -> float:
        return pad + (width - 2 * pad) * _place(value, low=interval.low, high=interval.high)

    parts = [line(pad, middle, width - pad, middle, stroke="#b9c3ce")]
    parts += [line(end, middle - 4, end, middle + 4, stroke="#b9c3ce") for end in (pad, width - pad)]
    if interval.interval is not None:
        low, high = (x(value) for value in interval.interval)
        parts += [rect(low, middle - 5, width=max(high - low, 1), height=10, fill=BAND)]
        parts += [line(end, middle - 7, end, middle + 7, stroke=INK) for end in (low, high)]
    parts.append(tag("circle", cx=at(x(interval.mean)), cy=at(middle), r="4.5", fill=INK))
    return svg(parts, title=interval.title, description="", height=20, width=width, background=False)


def draw_estimates(estimates: Sequence[Estimate], *, high: float, x_label: str, title: str, description: str) -> Markup:
    """Draw estimates below each other on one scale from 0 to ``high``, shares as per cent, with their intervals."""
    bottom = _ESTIMATE_HEIGHT * len(estimates) + 8
    area = _Area(left=14, top=4, right=_WIDE - 18, bottom=bottom)
    parts = list(_percent_axis(area, high=high, x_label=x_label))
    for index, estimate in enumerate(estimates):
        parts += _estimate(estimate, area, y=area.top + _ESTIMATE_HEIGHT * index, high=high)
    return svg(parts, title=title, description=description, height=int(bottom) + 44, width=_WIDE)


def _estimate(estimate: Estimate, area: _Area, *, y: float, high: float) -> list[Markup]:
    def x(value: float) -> float:
        return area.left + area.width * _place(value, low=0, high=high)

    middle = y + 30
    parts = [
        text(area.left, y + 15, estimate.label, anchor="start", fill=INK),
        text(area.right, y + 15, estimate.note, anchor="end", fill=INK),
        line(area.left, middle, area.right, middle, stroke=GRID),
    ]
    if estimate.interval is not None:
        low, end = (x(value) for value in estimate.interval)
        parts.append(rect(low, middle - 5, width=max(end - low, 1), height=10, fill=BAND))
        parts += [line(edge, middle - 7, edge, middle + 7, stroke=INK) for edge in (low, end)]
    return [*parts, tag("circle", cx=at(x(estimate.value)), cy=at(middle), r="4.5", fill=INK)]


def _percent_axis(area: _Area, *, high: float, x_label: str) -> Iterator[Markup]:
    step = _nice_step(round(high * 1_000)) / 1_000
    for tick in range(math.floor(high / step + 1e-9) + 1):
        x = area.left + area.width * _place(step * tick, low=0, high=high)
        yield line(x, area.top, x, area.bottom, stroke=GRID)
        yield text(x, area.bottom + 16, percent(step * tick, guarded=False), anchor="middle")
    yield line(area.left, area.bottom, area.right, area.bottom, stroke=MUTED)
    yield text(area.left + area.width / 2, area.bottom + 36, x_label, anchor="middle", limit=_X_LABEL_CHARACTERS)


def _band(histogram: Histogram, area: _Area) -> Markup:
    if histogram.interval is None:
        return Markup()
    left, right = (_x(histogram, area, value) for value in histogram.interval)
    return rect(left, area.top, width=max(right - left, 2), height=area.height, fill=BAND, fill_opacity=BAND_OPACITY)


def _bars(histogram: Histogram, area: _Area, *, top: int) -> list[Markup]:
    slot = area.width / max(1, len(histogram.counts))
    gap = min(2.0, slot / 5)
    return [
        rect(
            area.left + slot * index + gap / 2,
            area.bottom - area.height * value / top,
            width=slot - gap,
            height=area.height * value / top,
            fill=BAR,
        )
        for index, value in enumerate(histogram.counts)
        if value
    ]


def _mean(histogram: Histogram, area: _Area) -> list[Markup]:
    if histogram.mean is None:
        return []
    x = _x(histogram, area, histogram.mean)
    anchor = "end" if x > area.left + area.width * 0.8 else "start" if x < area.left + area.width * 0.2 else "middle"
    label = f"mean {number(histogram.mean)}"
    return [
        line(x, area.top, x, area.bottom, stroke=INK, stroke_width="1.5", stroke_dasharray="4 3"),
        text(x, area.top - 7, label, anchor=anchor, fill=INK),
    ]


def _y_axis(area: _Area, *, step: int, top: int) -> list[Markup]:
    parts: list[Markup] = []
    for value in range(0, top + 1, step):
        y = area.bottom - area.height * value / top
        parts += [
            line(area.left, y, area.right, y, stroke=GRID),
            text(area.left - 6, y + 4, count(value), anchor="end"),
        ]
    return parts


def _x_axis(histogram: Histogram, area: _Area) -> list[Markup]:
    parts = [line(area.left, area.bottom, area.right, area.bottom, stroke=MUTED)]
    for index in range(_X_TICKS + 1):
        x = area.left + area.width * index / _X_TICKS
        value = histogram.low + (histogram.high - histogram.low) * index / _X_TICKS
        parts += [
            line(x, area.bottom, x, area.bottom + 4, stroke=MUTED),
            text(x, area.bottom + 17, f"{value:.4g}", anchor="middle"),
        ]
    return parts


def _nice_step(largest: int) -> int:
    """Choose 1, 2 or 5 times a power of ten, so that about four lines reach the largest count."""
    rough = max(1.0, largest / _Y_TICKS)
    power = 10 ** math.floor(math.log10(rough))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))


def _x(histogram: Histogram, area: _Area, value: float) -> float:
    return area.left + area.width * _place(value, low=histogram.low, high=histogram.high)


def _place(value: float, *, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5
