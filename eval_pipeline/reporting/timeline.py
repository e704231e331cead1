"""A line through time: a mean for each week with its range, gaps where there is nothing, how many behind each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from eval_pipeline.reporting.amounts import count, number
from eval_pipeline.reporting.drawing import BAND, BAND_OPACITY, GRID, INK, at, line, rect, svg, tag, text

_WIDTH, _HEIGHT = 760, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 746.0, 16.0, 216.0
_MOST_LABELS = 9
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One week; without a mean there is a gap."""

    begins: date
    mean: float | None
    low: float | None
    high: float | None
    behind: int
    """How many the mean rests on."""


def draw_timeline(points: Sequence[Point], *, high: float, title: str, description: str, behind: str) -> Markup:
    """Draw means from 0 to ``high``, week by week.

    Args:
        points: in order, one each week.
        high: the top of the scale.
        title: of the drawing.
        description: of it, for those who do not see it.
        behind: what is counted below each week.
    """
    parts = [*_scale(high), *_bands(points, high), *_line(points, high), *_weeks(points, behind)]
    return svg(parts, title=title, description=description, height=_HEIGHT, width=_WIDTH)


def _x(place: int, points: Sequence[Point]) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (place + 0.5) / max(1, len(points))


def _y(value: float, high: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * min(max(value / high, 0.0), 1.0)


def _scale(high: float) -> Iterator[Markup]:
    for tick in range(_TICKS + 1):
        value = high * tick / _TICKS
        y = _y(value, high)
        yield line(_LEFT, y, _RIGHT, y, stroke=GRID)
        yield text(_LEFT - 8, y + 4, number(value, decimals=0), anchor="end")


def _bands(points: Sequence[Point], high: float) -> Iterator[Markup]:
    width = min(26.0, (_RIGHT - _LEFT) / max(1, len(points)) * 0.5)
    for place, point in enumerate(points):
        if point.low is not None and point.high is not None:
            top, bottom = _y(point.high, high), _y(point.low, high)
            x = _x(place, points) - width / 2
            yield rect(x, top, width=width, height=max(bottom - top, 1), fill=BAND, fill_opacity=BAND_OPACITY)


def _line(points: Sequence[Point], high: float) -> Iterator[Markup]:
    before: tuple[float, float] | None = None
    for place, point in enumerate(points):
        if point.mean is None:
            before = None
            continue
        here = (_x(place, points), _y(point.mean, high))
        if before is not None:
            yield line(*before, *here, stroke=INK, stroke_width="2")
        before = here
    for place, point in enumerate(points):
        if point.mean is not None:
            x, y = _x(place, points), _y(point.mean, high)
            yield tag("circle", cx=at(x), cy=at(y), r="4.5", fill=INK)
            if len(points) <= 2 * _MOST_LABELS:
                yield text(x + 8, y - 8, number(point.mean, decimals=0), anchor="start", fill=INK)


def _weeks(points: Sequence[Point], behind: str) -> Iterator[Markup]:
    step = max(1, -(-len(points) // _MOST_LABELS))
    for place, point in enumerate(points):
        if place % step == 0:
            x = _x(place, points)
            yield text(x, _BOTTOM + 20, f"{point.begins:%-d %b}", anchor="middle")
            yield text(x, _BOTTOM + 38, count(point.behind), anchor="middle")
    yield text(_LEFT, _BOTTOM + 60, f"Week that begins on this Monday; below it: {behind}", anchor="start", limit=90)
