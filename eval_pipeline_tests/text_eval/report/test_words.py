"""The headline sentence is right for every run, also the odd ones."""

import pytest

from eval_pipeline.text_eval.report.words import figure, interval, reason_words, score_label, sentence, status_words
from eval_pipeline.text_eval.scoring.summary import ScoreSummary
from eval_pipeline_tests.text_eval.report.report_samples import score_summary


def _booleans(right: int, wrong: int, *, total: int | None = None) -> ScoreSummary:
    return score_summary("numeric", [1.0] * right + [0.0] * wrong, total=total or right + wrong)


def test_a_mean_is_told_with_its_interval_and_its_denominator() -> None:
    score = score_summary("cosine_similarity", [0.7, 0.8, 0.9, 0.9], total=6, unscoreable={"response_failed": 2})

    assert sentence(score) == (
        "On average 0.82 of 1. With 95% confidence, the average over many questions like these lies between 0.73 and"
        " 0.92. 4 of 6 answers could be scored; the other 2 are not part of the average."
    )


def test_yes_or_no_scores_are_counted_and_told_as_percentages() -> None:
    assert sentence(_booleans(7, 3)).startswith("7 of 10 answers are correct (70%). With 95% confidence, the share")
    assert interval(_booleans(7, 3)) == "40% to 100%"


def test_shares_of_large_runs_have_a_decimal() -> None:
    assert figure(_booleans(458, 861)) == "34.7%"


def test_unscored_items_of_a_yes_or_no_score_are_also_told_as_if_wrong() -> None:
    text = sentence(_booleans(7, 1, total=10))

    assert text.startswith("7 of the 8 scored answers are correct (88%).")
    assert text.endswith("8 of 10 answers could be scored; counting the other 2 as wrong, 70% of all are correct.")


def test_what_is_wrong_with_a_golden_answer_is_not_counted_against_the_model() -> None:
    lost = score_summary("numeric", [1.0] * 3 + [0.0] * 2, total=7, unscoreable={"damaged_ground_truth": 2})
    both = score_summary(
        "numeric", [1.0] * 3 + [0.0] * 2, total=8, unscoreable={"damaged_ground_truth": 2, "response_failed": 1}
    )

    assert sentence(lost).endswith("5 of 7 answers could be scored, for the golden answers of 2 cannot be used.")
    assert sentence(both).endswith("cannot be used; counting the other 1 as wrong, 50% of the rest are correct.")


def test_one_question_has_no_interval_and_says_why() -> None:
    text = sentence(score_summary("cosine_similarity", [0.8], total=1))

    assert text == (
        "On average 0.80 of 1. How far chance moved this cannot be told with a single question."
        " The answer could be scored."
    )


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (10, "None of the 10 answers could be scored, so there is no result."),
        (1, "The only answer could not be scored, so there is no result."),
        (0, "There were no questions, so there is no result."),
    ],
)
def test_nothing_scored_is_no_result_and_not_zero(total: int, text: str) -> None:
    score = score_summary("cosine_similarity", [], total=total)

    assert sentence(score) == text
    assert figure(score) == "no score"


def test_an_interval_without_width_claims_no_certainty() -> None:
    assert "the spread says nothing about other questions" in sentence(
        score_summary("cosine_similarity", [1.0, 1.0], total=2)
    )


def test_one_right_answer_is_singular() -> None:
    assert sentence(_booleans(1, 3)).startswith("1 of 4 answers is correct (25%).")


def test_unknown_names_are_shown_as_they_are() -> None:
    assert score_label("my_score") == "my score"
    assert status_words("new_status") == "new_status"
    assert reason_words("odd_reason") == "odd reason"
    assert reason_words(None) == "no reason was recorded"
