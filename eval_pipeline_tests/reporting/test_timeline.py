"""A line through time says by text what it says by place, and draws nothing where there is nothing."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

from eval_pipeline.reporting.timeline import NARROW, WIDE, Point, draw_timeline

MONDAY = date(2026, 1, 5)
MEANS = (40.0, None, 60.0, 70.0)
POINTS = [
    Point(
        MONDAY + timedelta(weeks=place),
        mean,
        None if mean is None else mean - 10,
        None if mean is None else mean + 10,
        behind=place,
    )
    for place, mean in enumerate(MEANS)
]


def drawn(points: list[Point], *, width: int = WIDE) -> ET.Element:
    svg = draw_timeline(points, high=100, title="Marks <b>", description="\u202e", behind="sessions", width=width)
    return ET.fromstring(str(svg))  # noqa: S314 - our own drawing


def tags(svg: ET.Element, name: str) -> list[ET.Element]:
    return svg.findall(f"{{http://www.w3.org/2000/svg}}{name}")


def test_a_week_without_a_mean_is_a_gap_and_still_named() -> None:
    svg = drawn(POINTS)
    words = [text.text for text in tags(svg, "text")]

    assert len(tags(svg, "circle")) == 3
    assert [line for line in tags(svg, "line") if line.get("stroke-width") == "2"] != []
    assert len([line for line in tags(svg, "line") if line.get("stroke-width") == "2"]) == 1
    assert {"5 Jan", "12 Jan", "19 Jan", "26 Jan", "40", "60", "70"} <= set(words)
    assert [title.text for title in tags(svg, "title")] == ["Marks <b>"]
    assert "\u202e" not in ET.tostring(svg, encoding="unicode")


def test_a_year_fits_into_either_width_with_as_many_names_as_there_is_room_for() -> None:
    year = [Point(MONDAY + timedelta(weeks=week), 50.0, None, None, behind=1) for week in range(53)]
    for width, most in ((WIDE, 14), (NARROW, 6)):
        svg = drawn(year, width=width)
        named = [
            text for text in tags(svg, "text") if text.text and text.text[-3:].isalpha() and text.text[0].isdigit()
        ]
        assert svg.get("width") == str(width)
        assert 3 <= len(named) <= most
        assert all(0 <= float(circle.get("cx", "-1")) <= width for circle in tags(svg, "circle"))
    assert len(tags(drawn([]), "circle")) == 0
