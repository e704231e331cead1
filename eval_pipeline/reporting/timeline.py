"""A line through time: a mean for each week with its range, gaps where there is nothing, how many behind each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from eval_pipeline.reporting.amounts import count, number
from eval_pipeline.reporting.drawing import BAND, BAND_OPACITY, GRID, INK, at, line, rect, svg, tag, text

WIDE, NARROW = 760, 380
"""Widths of drawings: of a page, and of a telephone."""
_HEIGHT = 290
_LEFT, _TOP, _BOTTOM = 40.0, 16.0, 216.0
_RIGHT_MARGIN = 14.0
_LABEL_WIDTH = 50
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


def draw_timeline(
    points: Sequence[Point], *, high: float, title: str, description: str, behind: str, width: int = WIDE
) -> Markup:
    """Draw means from 0 to ``high``, week by week.

    Args:
        points: in order, one each week.
        high: the top of the scale.
        title: of the drawing.
        description: of it, for those who do not see it.
        behind: what is counted below each week.
        width: of the drawing.
    """
    frame = _Frame(points, high=high, right=width - _RIGHT_MARGIN)
    parts = [*_scale(frame), *_bands(frame), *_line(frame), *_weeks(frame, behind)]
    return svg(parts, title=title, description=description, height=_HEIGHT, width=width)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where points lie."""

    points: Sequence[Point]
    high: float
    right: float

    @property
    def most_labels(self) -> int:
        return max(1, int((self.right - _LEFT) // _LABEL_WIDTH))

    def x(self, place: int) -> float:
        return _LEFT + (self.right - _LEFT) * (place + 0.5) / max(1, len(self.points))

    def y(self, value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(max(value / self.high, 0.0), 1.0)


def _scale(frame: _Frame) -> Iterator[Markup]:
    for tick in range(_TICKS + 1):
        value = frame.high * tick / _TICKS
        y = frame.y(value)
        yield line(_LEFT, y, frame.right, y, stroke=GRID)
        yield text(_LEFT - 8, y + 4, number(value, decimals=0), anchor="end")


def _bands(frame: _Frame) -> Iterator[Markup]:
    width = min(26.0, (frame.right - _LEFT) / max(1, len(frame.points)) * 0.5)
    for place, point in enumerate(frame.points):
        if point.low is not None and point.high is not None:
            top, bottom = frame.y(point.high), frame.y(point.low)
            x = frame.x(place) - width / 2
            yield rect(x, top, width=width, height=max(bottom - top, 1), fill=BAND, fill_opacity=BAND_OPACITY)


def _line(frame: _Frame) -> Iterator[Markup]:
    before: tuple[float, float] | None = None
    for place, point in enumerate(frame.points):
        if point.mean is None:
            before = None
            continue
        here = (frame.x(place), frame.y(point.mean))
        if before is not None:
            yield line(*before, *here, stroke=INK, stroke_width="2")
        before = here
    for place, point in enumerate(frame.points):
        if point.mean is not None:
            x, y = frame.x(place), frame.y(point.mean)
            yield tag("circle", cx=at(x), cy=at(y), r="4.5", fill=INK)
            if len(frame.points) <= 2 * frame.most_labels:
                yield text(x + 8, y - 8, number(point.mean, decimals=0), anchor="start", fill=INK)


def _weeks(frame: _Frame, behind: str) -> Iterator[Markup]:
    step = max(1, -(-len(frame.points) // frame.most_labels))
    for place, point in enumerate(frame.points):
        if place % step == 0:
            x = frame.x(place)
            yield text(x, _BOTTOM + 20, f"{point.begins:%-d %b}", anchor="middle")
            yield text(x, _BOTTOM + 38, count(point.behind), anchor="middle")
    for row, words in enumerate(("Weeks, by their Monday; below each:", behind)):
        yield text(_LEFT, _BOTTOM + 58 + 15 * row, words, anchor="start", limit=90)
