"""Sentences say what the tests allow, and never more."""

from dataclasses import replace

import numpy as np

from eval_pipeline.stt_eval.figures.model_pairs import ModelPair, judge_pairs
from eval_pipeline.stt_eval.figures.pair_sentence import pair_sentence
from eval_pipeline.stt_eval.figures.silence import compare_on_silence
from eval_pipeline_tests.stt_eval.figures.pairs import compared, interval_only


def sentence(pair: ModelPair, *others: ModelPair) -> str:
    return pair_sentence(judge_pairs([pair, *others])[0])


def test_the_better_model_comes_first_with_interval_p_value_and_samples() -> None:
    pair = compared("A", "B", difference=-0.0464, interval=(-0.0486, -0.0441), p=1e-30, samples=16_574)
    turned = compared("B", "A", difference=0.0464, interval=(0.0441, 0.0486), p=1e-30, samples=16_574)

    assert sentence(pair) == ("A is better than B by 4.6 points WER (95% CI 4.4 to 4.9, p < 0.001, 16,574 samples)")
    assert sentence(turned) == sentence(pair)


def test_what_the_samples_do_not_show_is_said_to_be_not_distinguishable() -> None:
    pair = compared("B", "A", difference=0.008, interval=(-0.012, 0.029), p=0.4217)

    assert sentence(pair) == (
        "A and B are not distinguishable with 49 samples "
        "(difference 0.8 points WER, 95% CI \N{MINUS SIGN}1.2 to 2.9, p = 0.422)"
    )


def test_tests_that_disagree_are_both_shown() -> None:
    pair = compared("A", "B", difference=-0.011, interval=(-0.021, -0.001), p=0.061)

    assert sentence(pair) == (
        "A has 1.1 points WER less than B, but only one of the two tests calls that more than chance "
        "(95% CI 0.1 to 2.1, p = 0.061, 49 samples)"
    )


def test_a_corrected_p_value_says_for_how_many_pairs() -> None:
    pair = compared("A", "B", difference=-0.05, interval=(-0.06, -0.04), p=0.01)
    other = compared("A", "C", difference=-0.05, interval=(-0.06, 0.04), p=0.5)

    assert "p = 0.020 corrected for 2 pairs, 49 samples" in sentence(pair, other)


def test_an_interval_that_excludes_zero_does_not_look_as_if_it_held_it() -> None:
    pair = compared("A", "B", difference=-0.0004, interval=(-0.0006, -0.00002), p=0.01)

    assert "by 0.040 points WER (95% CI 0.002 to 0.060" in sentence(pair)


def test_a_p_value_above_five_percent_does_not_look_as_if_it_were_not() -> None:
    above, below = (compared("A", "B", difference=-0.01, interval=(-0.02, -0.001), p=p) for p in (0.0503, 0.0498))

    assert "only one of the two tests" in sentence(above)
    assert "p = 0.0503," in sentence(above)
    assert "A is better than B" in sentence(below)
    assert "p = 0.050," in sentence(below)


def test_equal_rates_have_a_difference_of_zero_without_a_sign() -> None:
    pair = compared("A", "B", difference=0.0, interval=(-0.01, 0.02), p=1.0)

    assert "(difference 0.0 points WER, 95% CI \N{MINUS SIGN}2.0 to 1.0, p = 1.000)" in sentence(pair)


def test_the_same_errors_everywhere_are_told_from_a_small_difference() -> None:
    pair = compared("A", "B", difference=0.0, interval=(0.0, 0.0), p=1.0, samples=9, equal=9)

    assert sentence(pair) == "A and B make equally many errors on each of 9 samples"


def test_a_single_sample_has_no_interval_to_show() -> None:
    pair = compared("A", "B", difference=-0.05, interval=None, p=None, samples=1, equal=0, segments=1)

    assert sentence(pair) == ("A and B are not distinguishable with 1 sample (difference 5.0 points WER, p = 1.000)")


def test_nothing_in_common_is_no_comparison() -> None:
    pair = compared("A", "B", difference=None, interval=None, p=None, samples=0, equal=0)

    assert sentence(pair) == "A and B cannot be compared: there is no sample to score both on"


def test_another_metric_has_its_name_and_no_mapsswe_is_not_mentioned() -> None:
    (judged,) = judge_pairs([interval_only("A", "B", difference=-0.05, interval=(-0.06, -0.04))])

    assert pair_sentence(judged, metric="CER") == "A is better than B by 5.0 points CER (95% CI 4.0 to 6.0, 49 samples)"


def silent(first: list[int], second: list[int]) -> str:
    pair = compared("A", "B", difference=None, interval=None, p=None, samples=len(first), equal=0)
    heard = compare_on_silence(np.array(first), np.array(second), silent=np.ones(len(first), dtype=np.bool_))
    return pair_sentence(judge_pairs([replace(pair, silence=heard)])[0])


def test_where_nothing_is_said_the_words_that_were_invented_are_compared() -> None:
    assert silent([0, 0, 0], [1, 0, 2]) == (
        "A and B are not distinguishable on silence (no word against 3 words in 3 samples without speech, p = 0.500)"
    )
    assert silent([2] * 8, [1] * 8) == (
        "B is better than A on silence: it invents fewer words "
        "(8 words against 16 words in 8 samples without speech, p = 0.008)"
    )
    assert silent([1, 0], [1, 0]) == "A and B invent equally many words in each of 2 samples without speech (1)"
