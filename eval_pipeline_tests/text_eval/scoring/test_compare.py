"""Two runs question by question, against scipy's paired t interval."""

import json
from pathlib import Path

import pytest
from scipy import stats

from eval_pipeline.text_eval.scoring.compare import compare_score, most_changed, question_scores
from eval_pipeline_tests.text_eval.tables import asked, scored, scores_stage

RECORDED = Path(__file__).parents[3] / "examples" / "gsm8k" / "recorded_answers.jsonl"


def test_a_question_counts_once_however_often_it_was_repeated() -> None:
    rows = [scored(asked(1, repeat), "f1", value) for repeat, value in ((1, 1.0), (2, 0.0), (3, None))]

    assert question_scores(scores_stage(*rows, scored(asked(2), "f1", None)), "f1") == {"q000001": 0.5, "q000002": None}


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    before = {"a": 0.2, "b": 0.4, "c": 0.9, "d": 0.5}
    after = {"a": 0.3, "b": 0.8, "c": 0.9, "d": 0.4}

    comparison = compare_score("f1", before, after)

    oracle = stats.ttest_rel(list(after.values()), list(before.values())).confidence_interval(0.95)
    assert comparison.difference == pytest.approx(0.1, abs=1e-12)
    assert (comparison.ci_low, comparison.ci_high) == pytest.approx((oracle.low, oracle.high), rel=1e-9)
    assert (comparison.wins, comparison.losses, comparison.ties) == (2, 1, 1)
    assert comparison.verdict == "not distinguishable"


def test_a_question_that_one_run_could_not_score_is_left_out_and_counted() -> None:
    comparison = compare_score("f1", {"a": 1.0, "b": None, "c": 0.0}, {"a": 1.0, "b": 1.0, "d": 1.0})

    assert (comparison.questions, comparison.left_out) == (1, 3)
    assert comparison.ci_low is None
    assert comparison.verdict == "not distinguishable"


def test_nothing_in_common_is_no_data_and_not_zero() -> None:
    comparison = compare_score("f1", {"a": None}, {"a": 1.0})

    assert comparison.difference is None
    assert comparison.mean_first is None


def test_the_largest_changes_come_first_and_losses_before_wins() -> None:
    first = {"a": 0.0, "b": 1.0, "c": 0.5, "d": 0.5}
    second = {"a": 1.0, "b": 0.0, "c": 0.6, "d": 0.5}

    changed = most_changed(first, second, limit=3)

    assert [question.question_id for question in changed] == ["b", "a", "c"]


def test_the_recorded_models_differ_on_the_questions_that_their_authors_name() -> None:
    """The data set's authors count 76 questions right only with the first model and 360 only with the second."""
    recorded = [json.loads(line) for line in RECORDED.read_bytes().split(b"\n") if line]
    models = ("175b_finetuning", "175b_verification")
    flags = [{str(at): float(row["correct"][model]) for at, row in enumerate(recorded)} for model in models]

    comparison = compare_score("numeric", flags[0], flags[1])

    assert (comparison.losses, comparison.wins) == (76, 360)
    assert comparison.verdict == "better"
