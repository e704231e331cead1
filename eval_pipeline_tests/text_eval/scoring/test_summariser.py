"""What a run's scores come to, as a whole, by category and by question, against numpy and scipy."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.scoring.summariser import Summariser
from eval_pipeline.text_eval.scoring.summary import RunSummary, ScoreSummary, read_model
from eval_pipeline_tests.text_eval.tables import asked, scored

quick = settings(max_examples=100, deadline=None, derandomize=True)
REASONS = ("response_failed", "empty_output", "empty_ground_truth", "embedding_failed")


def summariser(rows: Sequence[Mapping[str, Any]], *scorers: str) -> Summariser:
    result = Summariser(parse_scorers(scorers))
    result.add([{"unscoreable_reason": None, **row} for row in rows])
    return result


def only(summary: RunSummary) -> ScoreSummary:
    (score,) = summary.scores
    return score


def booleans(values: Sequence[float | None], **changes: object) -> list[dict[str, Any]]:
    return [
        scored(
            asked(number, **changes),
            "numeric",
            value,
            data_type="BOOLEAN",
            unscoreable_reason="response_failed" if value is None else None,
        )
        for number, value in enumerate(values)
    ]


def test_a_score_is_summarised_over_its_scored_items_with_the_dataset_as_denominator() -> None:
    score = only(summariser(booleans([1, 0, None, 1]), "numeric").summary())
    expected = stats.t.interval(0.95, 2, loc=2 / 3, scale=stats.sem([1, 0, 1]))

    assert (score.total, score.total_pairs, score.questions) == (4, 3, 3)
    assert score.unscoreable == {"response_failed": 1}
    assert score.mean == 2 / 3
    assert score.std == pytest.approx(np.std([1, 0, 1]))
    assert score.standard_error == pytest.approx(stats.sem([1, 0, 1]))
    assert (score.ci_low, score.ci_high) == (max(0, expected[0]), 1)
    assert score.interval_method == "clustered_t"
    assert score.distribution == {"true": 2, "false": 1}
    assert (score.histogram, score.histogram_low, score.histogram_high) == ((1, 2), 0, 1)


def test_no_scored_item_is_no_data() -> None:
    score = only(summariser(booleans([None, None]), "numeric").summary())

    assert (score.mean, score.std, score.standard_error, score.ci_low, score.ci_high, score.interval_method) == (
        None,
    ) * 6
    assert (score.total, score.total_pairs, score.questions) == (2, 0, 0)
    assert score.histogram == (0, 0)


def test_a_run_without_rows_still_names_its_scores() -> None:
    run = summariser([], "cosine_similarity", "numeric").summary()

    assert [(score.name, score.total) for score in run.scores] == [("cosine_similarity", 0), ("numeric", 0)]
    assert run.categories == ()


def test_all_right_says_that_its_interval_is_wilsons() -> None:
    score = only(summariser(booleans([1] * 10), "numeric").summary())

    assert score.interval_method == "wilson"
    assert score.ci_low == pytest.approx(stats.binomtest(10, 10).proportion_ci(method="wilson").low)
    assert score.ci_high == 1


def test_repeats_are_not_counted_as_independent() -> None:
    rows = [
        scored(asked(number, repeat), "numeric", float(number < 5), data_type="BOOLEAN")
        for number in range(10)
        for repeat in range(1, 6)
    ]
    score = only(summariser(rows, "numeric").summary())

    assert (score.total_pairs, score.questions) == (50, 10)
    assert score.standard_error == pytest.approx(stats.sem([1] * 5 + [0] * 5))


def cosines(values: Sequence[float]) -> list[dict[str, Any]]:
    return [scored(asked(number), "cosine_similarity", value) for number, value in enumerate(values)]


def test_cosines_are_drawn_from_0_to_1_unless_one_is_below() -> None:
    above = only(summariser(cosines([0.0, 0.04, 0.05, 0.5, 0.99, 1.0]), "cosine_similarity").summary())
    below = only(summariser(cosines([-0.95, 0.0, 1.0]), "cosine_similarity").summary())

    assert (above.histogram_low, above.histogram_high, len(above.histogram)) == (0, 1, 20)
    assert {at: count for at, count in enumerate(above.histogram) if count} == {0: 2, 1: 1, 10: 1, 19: 2}
    assert (below.histogram_low, below.histogram_high, len(below.histogram)) == (-1, 1, 20)
    assert {at: count for at, count in enumerate(below.histogram) if count} == {0: 1, 10: 1, 19: 1}
    assert above.distribution is None


@quick
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60))
def test_every_scored_item_stands_in_one_bin(values: list[float]) -> None:
    assert sum(only(summariser(cosines(values), "cosine_similarity").summary()).histogram) == len(values)


items = st.lists(
    st.tuples(
        st.sampled_from(["money", "time", "दूरी", None]),
        st.one_of(st.floats(0, 1), st.sampled_from(REASONS)),
    ),
    min_size=1,
    max_size=60,
)


@quick
@given(items)
def test_categories_add_up_to_the_run(given_items: list[tuple[str | None, float | str]]) -> None:
    rows = [
        scored(
            asked(number, category=category),
            "token_f1",
            None if isinstance(value, str) else value,
            unscoreable_reason=value if isinstance(value, str) else None,
        )
        for number, (category, value) in enumerate(given_items)
    ]
    run = summariser(rows, "token_f1").summary()
    whole, parts = only(run), [category.scores[0] for category in run.categories]

    if {category for category, _ in given_items} == {None}:
        assert parts == []
        return
    assert sum(category.items for category in run.categories) == len(given_items) == whole.total
    assert sum(part.total for part in parts) == whole.total
    assert sum(part.total_pairs for part in parts) == whole.total_pairs
    assert sum(part.questions for part in parts) == whole.questions
    assert np.sum([part.histogram for part in parts], axis=0).tolist() == list(whole.histogram)
    for reason in REASONS:
        assert sum(part.unscoreable.get(reason, 0) for part in parts) == whole.unscoreable.get(reason, 0)
    if whole.mean is not None:
        weighted = sum(part.mean * part.total_pairs for part in parts if part.mean is not None)
        assert weighted / whole.total_pairs == pytest.approx(whole.mean)


def test_categories_stand_by_name_and_items_without_one_last() -> None:
    rows = booleans([1], category="time") + booleans([None], category=None) + booleans([0], category="money")
    for number, row in enumerate(rows):
        row["item_id"] = str(number)
    categories = summariser(rows, "numeric").summary().categories

    assert [(part.category, part.items, part.failed, part.scores[0].mean) for part in categories] == [
        ("money", 1, 0, 0.0),
        ("time", 1, 0, 1.0),
        (None, 1, 1, None),
    ]


def test_an_item_counts_as_failed_for_its_answer_not_for_one_scorer() -> None:
    rows = []
    for number, reason in enumerate(REASONS):
        item = asked(number, category="all")
        rows.append(scored(item, "cosine_similarity", None, unscoreable_reason=reason))
        rows.append(scored(item, "token_f1", None, unscoreable_reason=reason))
    (category,) = summariser(rows, "cosine_similarity", "token_f1").summary().categories

    assert (category.items, category.failed) == (4, 2)


def test_consistency_tells_the_values_of_every_question_across_its_repeats() -> None:
    values: dict[int, list[float | None]] = {1: [1, 0, 1], 2: [1, 1, 1], 3: [None, 1, None], 4: [None, None, None]}
    rows = [
        scored(asked(number, repeat + 1), "numeric", values[number][repeat], unscoreable_reason="response_failed")
        for repeat in range(3)
        for number in values
    ]
    questions = list(summariser(rows, "numeric").question_summaries())

    assert [(question.question_id, question.repeats) for question in questions] == [
        (f"q{number:06d}", 3) for number in values
    ]
    assert [question.scores[0].values for question in questions] == [(1, 0, 1), (1, 1, 1), (1,), ()]
    assert [question.scores[0].mean for question in questions] == [2 / 3, 1, 1, None]
    assert [question.scores[0].std for question in questions] == [pytest.approx(np.std([1, 0, 1])), 0, 0, None]


def test_rows_may_come_in_any_portions_and_be_summarised_in_between() -> None:
    rows = booleans([1, 0, None, 1, 1], category="all")
    growing = Summariser(parse_scorers(["numeric"]))
    for row in rows:
        growing.add([row])
        growing.summary()

    assert growing.summary() == summariser(rows, "numeric").summary()


def test_a_score_that_the_run_does_not_have_is_refused() -> None:
    with pytest.raises(ConflictError, match=r"'numeric'.*specification"):
        summariser(booleans([1]), "exact_match")


def test_the_read_model_keeps_the_known_names_at_full_precision() -> None:
    rows = booleans([1, 0, 1], category="money") + booleans([None], category="time")
    rows[-1]["item_id"] = "last"
    model = read_model(summariser(rows, "numeric").summary())
    (score,) = model["summary_scores"]

    assert json.loads(json.dumps(model, allow_nan=False)) == model
    assert {"name", "avg", "std", "total_pairs", "data_type"} <= score.keys()
    assert (score["name"], score["avg"], score["data_type"], score["total_pairs"]) == ("numeric", 2 / 3, "BOOLEAN", 3)
    assert (score["total"], score["unscoreable"], score["questions"]) == (4, {"response_failed": 1}, 3)
    assert [(part["category"], part["items"], part["failed"]) for part in model["category_metrics"]] == [
        ("money", 3, 0),
        ("time", 1, 1),
    ]
    assert model["category_metrics"][1]["scores"][0]["avg"] is None
