"""How scores are drawn."""

from dataclasses import replace

from eval_pipeline.text_eval.report.plots import histogram_svg, interval_svg, scale_low
from eval_pipeline_tests.text_eval.report.report_samples import score_summary

COSINES = replace(score_summary("cosine_similarity", [0.5, 0.9], total=2), histogram=(0, 0, 1, 1), histogram_low=-1.0)


def test_yes_or_no_scores_are_bars_with_words() -> None:
    drawing = histogram_svg(score_summary("numeric", [1.0, 0.0, 1.0], total=4))

    assert "✓ correct" in drawing
    assert "2 (50%)" in drawing
    assert "○ not scored" in drawing


def test_an_empty_negative_half_is_left_out() -> None:
    assert scale_low(COSINES) == 0.0
    assert ">-1<" not in histogram_svg(COSINES)


def test_a_negative_value_keeps_its_half() -> None:
    negative = replace(COSINES, histogram=(0, 1, 1, 1))

    assert scale_low(negative) == -1.0
    assert ">-1<" in histogram_svg(negative)


def test_bins_that_straddle_zero_keep_the_scale() -> None:
    assert scale_low(replace(COSINES, histogram=(0, 1, 1))) == -1.0


def test_no_mean_draws_no_interval() -> None:
    assert interval_svg(score_summary("cosine_similarity", [], total=3)) == ""
