"""Plots are well-formed SVG that says in words what it draws."""

from base64 import b64decode
from dataclasses import replace
from xml.etree import ElementTree as ET

from eval_pipeline.reporting.plot import (
    Bar,
    Estimate,
    Histogram,
    Interval,
    draw_bars,
    draw_estimates,
    draw_histogram,
    draw_interval,
    svg_data_uri,
)

SVG = "{http://www.w3.org/2000/svg}"
HISTOGRAM = Histogram(
    title="How <scores> are spread",
    description="6 answers",
    counts=(0, 1, 2, 3),
    low=0,
    high=1,
    x_label="score",
    y_label="answers",
    mean=0.7,
    interval=(0.6, 0.8),
)


def _parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def _bars(root: ET.Element) -> list[ET.Element]:
    return [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == "#5f8fb4"]


def test_a_histogram_names_itself_and_its_axes() -> None:
    root = _parse(draw_histogram(HISTOGRAM))
    texts = [text.text for text in root.iter(f"{SVG}text")]

    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "How <scores> are spread"
    assert root.findtext(f"{SVG}desc") == "6 answers"
    assert {"score", "answers", "mean 0.70", "0", "0.5", "1"} <= set(texts)


def test_bars_are_as_high_as_their_counts() -> None:
    heights = [float(bar.get("height", 0)) for bar in _bars(_parse(draw_histogram(HISTOGRAM)))]

    assert len(heights) == 3
    assert abs(heights[1] - 2 * heights[0]) < 0.2
    assert abs(heights[2] - 3 * heights[0]) < 0.2


def test_empty_and_degenerate_histograms_are_drawn_without_bars() -> None:
    for counts in ((), (0, 0)):
        empty = replace(HISTOGRAM, counts=counts, mean=None, interval=None, high=0)

        assert _bars(_parse(draw_histogram(empty))) == []


def test_large_counts_have_few_round_lines() -> None:
    texts = [text.text for text in _parse(draw_histogram(replace(HISTOGRAM, counts=(73_219,)))).iter(f"{SVG}text")]

    assert "80,000" in texts
    assert len(texts) < 16


def test_bars_say_their_counts_and_cut_long_labels() -> None:
    drawing = draw_bars([Bar("<b>" + "x" * 100, value=3, note="(30%)")], total=10, title="t", description="d")
    texts = [text.text or "" for text in _parse(drawing).iter(f"{SVG}text")]

    assert texts[0].startswith("<b>xxx")
    assert len(texts[0]) < 40
    assert texts[1] == "3 (30%)"


def test_an_interval_outside_the_scale_stays_in_the_picture() -> None:
    drawing = draw_interval(Interval(title="t", low=0, high=1, mean=0.9, interval=(0.5, 1.4)))
    ends = [float(line.get("x1", 0)) for line in _parse(drawing).iter(f"{SVG}line")]

    assert max(ends) <= 160


def test_a_data_uri_holds_the_drawing() -> None:
    drawing = draw_histogram(HISTOGRAM)
    head, _, body = svg_data_uri(drawing).partition(",")

    assert head == "data:image/svg+xml;base64"
    assert b64decode(body).decode() == drawing


def test_estimates_stand_below_each_other_on_one_scale() -> None:
    lines = [
        Estimate("A", value=0.1, interval=(0.05, 0.2), note="10%"),
        Estimate("B <b>", value=0.4, interval=None, note="40%"),
    ]

    svg = draw_estimates(lines, high=0.4, x_label="rate", title="Rates", description="A: 10%; B: 40%")

    root = _parse(svg)
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in root.iter(f"{SVG}circle")]
    assert dots == [(146.0, 34.0), (542.0, 80.0)]
    assert "B &lt;b&gt;" in svg
    assert [text.text for text in root.iter(f"{SVG}text")][:5] == ["0%", "10%", "20%", "30%", "40%"]
