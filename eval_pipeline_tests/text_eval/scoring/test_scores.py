"""Every item gets every score, or the reason why not, joined by ids that are compared."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.scoring.scores import ITEMS_AT_ONCE, ScoreRow, score_items
from eval_pipeline_tests.text_eval.tables import answered, asked, dataset_stage, embeddings_stage, responses_stage


def vector(*components: float) -> bytes:
    return np.array(components, dtype="<f4").tobytes()


def embedded(
    item: Mapping[str, Any], answer: bytes | None, golden: bytes | None, problem: str | None = None
) -> dict[str, Any]:
    return {"item_id": item["item_id"], "answer_vector": answer, "golden_vector": golden, "problem": problem}


def score(
    items: Sequence[Mapping[str, Any]],
    responses: Sequence[Mapping[str, Any]],
    *scorers: str | Mapping[str, Any],
    vectors: Sequence[Mapping[str, Any]] | None = None,
) -> list[ScoreRow]:
    batches = score_items(
        dataset=dataset_stage(*items),
        responses=responses_stage(*responses),
        embeddings=None if vectors is None else embeddings_stage(*vectors),
        scorers=parse_scorers(scorers),
    )
    return [row for batch in batches for row in batch]


def test_items_stand_in_the_order_of_the_dataset_with_the_scorers_as_given() -> None:
    items = [asked(number, repeat, golden_answer="18") for number in (1, 2) for repeat in (1, 2)]
    rows = score(items, [answered(item, "A: 18") for item in items], "numeric", "exact_match")

    assert [(row["item_id"], row["name"]) for row in rows] == [
        (item["item_id"], name) for item in items for name in ("numeric", "exact_match")
    ]
    assert {(row["name"], row["value"]) for row in rows} == {("numeric", 1.0), ("exact_match", 0.0)}


def test_rows_are_those_of_the_table() -> None:
    item = asked(1, golden_answer="18", category="money")
    rows = score([item], [answered(item, "4")], "numeric")

    assert pa.Table.from_pylist(rows, schema=tables.SCORES).to_pylist() == [
        {
            "item_id": "q000001#1",
            "question_id": "q000001",
            "repeat": 1,
            "category": "money",
            "name": "numeric",
            "data_type": "BOOLEAN",
            "value": 0.0,
            "unscoreable_reason": None,
            "comment": "expected 18, found 4",
        }
    ]


@pytest.mark.parametrize(
    ("response", "golden", "reason"),
    [
        ({"status": "failed", "answer": None}, "18", "response_failed"),
        ({"status": "refused", "answer": None}, "18", "response_failed"),
        ({"status": "missing", "answer": None}, "18", "response_failed"),
        ({"status": "incomplete", "answer": None, "partial_answer": "A: 18"}, "18", "response_failed"),
        ({"status": "empty", "answer": None}, "18", "empty_output"),
        ({"status": "ok", "answer": " \n"}, "18", "empty_output"),
        ({"status": "ok", "answer": "18"}, "\u00a0 ", "empty_ground_truth"),
        ({"status": "ok", "answer": "18"}, "nan", "damaged_ground_truth"),
        ({"status": "ok", "answer": "18"}, "#NAME?", "damaged_ground_truth"),
        ({"status": "ok", "answer": "18"}, "???? ??", "damaged_ground_truth"),
        ({"status": "failed", "answer": None}, " ", "response_failed"),
    ],
)
def test_an_item_without_both_texts_is_unscoreable_by_every_scorer(
    response: Mapping[str, Any], golden: str, reason: str
) -> None:
    item = asked(1, golden_answer=golden)
    vectors = [embedded(item, vector(1, 0), vector(1, 0))]
    rows = score([item], [answered(item, **response)], "cosine_similarity", "numeric", "token_f1", vectors=vectors)

    assert [(row["value"], row["unscoreable_reason"]) for row in rows] == [(None, reason)] * 3


def test_a_missing_embedding_costs_only_the_cosine_and_says_why() -> None:
    items = [asked(number, golden_answer="18") for number in range(4)]
    vectors = [
        embedded(items[0], vector(3, 4), vector(4, 3)),
        embedded(items[1], None, vector(1, 0), "answer: too long"),
        embedded(items[2], vector(0, 0), vector(1, 0)),
        embedded(items[3], vector(1, 0), None),
    ]
    rows = score(items, [answered(item, "18") for item in items], "cosine_similarity", "numeric", vectors=vectors)
    cosines = [(row["value"], row["unscoreable_reason"], row["comment"]) for row in rows[::2]]

    assert cosines == [
        (pytest.approx(0.96), None, None),
        (None, "embedding_failed", "answer: too long"),
        (None, "embedding_failed", "a vector is zero or not finite"),
        (None, "embedding_failed", "an embedding is missing"),
    ]
    assert [row["value"] for row in rows[1::2]] == [1.0] * 4


def test_a_scorer_that_lacks_its_input_has_no_value_and_the_others_have() -> None:
    cosine, exact = score([asked(1)], [answered(asked(1))], "cosine_similarity", "exact_match")

    assert (cosine["unscoreable_reason"], cosine["comment"]) == ("embedding_failed", "the run has no embeddings")
    assert exact["value"] is not None


def test_without_scorers_the_stages_are_still_compared() -> None:
    assert score([asked(1)], [answered(asked(1))]) == []
    with pytest.raises(ConflictError):
        score([asked(1)], [answered(asked(2))])


@pytest.mark.parametrize(
    ("answered_numbers", "message"),
    [
        ([1, 3], "responses .* has item 'q000003#1' where the dataset has item 'q000002#1'"),
        ([1], "responses .* has no more items where the dataset has item 'q000002#1'"),
        ([1, 2, 3], "responses .* has item 'q000003#1' where the dataset has no more items"),
    ],
)
def test_stages_of_other_items_are_refused(answered_numbers: list[int], message: str) -> None:
    responses = [answered(asked(number)) for number in answered_numbers]

    with pytest.raises(ConflictError, match=message) as caught:
        score([asked(1), asked(2)], responses, "numeric")
    assert caught.value.code == "stages_do_not_match"


def test_embeddings_of_other_items_are_refused() -> None:
    items = [asked(1), asked(2)]
    vectors = [embedded(item, vector(1, 0), vector(1, 0)) for item in reversed(items)]

    with pytest.raises(ConflictError, match="stage embeddings"):
        score(items, [answered(item) for item in items], "cosine_similarity", vectors=vectors)


def test_a_long_run_is_scored_in_pieces_that_join_without_a_seam() -> None:
    count = 2 * ITEMS_AT_ONCE + 3
    items = [asked(number, golden_answer=str(number)) for number in range(count)]
    generator = np.random.default_rng(3)
    pairs = generator.normal(size=(count, 2, 8)).astype("<f4")
    vectors = [embedded(item, a.tobytes(), b.tobytes()) for item, (a, b) in zip(items, pairs, strict=True)]
    responses = [answered(item, str(number)) for number, item in enumerate(items)]
    batches = list(
        score_items(
            dataset=dataset_stage(*items),
            responses=responses_stage(*responses),
            embeddings=embeddings_stage(*vectors),
            scorers=parse_scorers(["numeric", "cosine_similarity"]),
        )
    )
    rows = [row for batch in batches for row in batch]
    expected = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs.astype(float)]

    assert [len(batch) for batch in batches] == [2 * ITEMS_AT_ONCE, 2 * ITEMS_AT_ONCE, 6]
    assert [row["item_id"] for row in rows[::2]] == [item["item_id"] for item in items]
    assert all(row["value"] == 1.0 for row in rows[::2])
    assert [row["value"] for row in rows[1::2]] == pytest.approx(expected, abs=1e-12)


def test_the_best_of_several_golden_answers_counts_for_every_scorer() -> None:
    item = asked(1, golden_answer="no number", golden_alternatives='["18", "eighteen geese"]')
    rows = score([item], [answered(item, "eighteen geese")], "exact_match", "numeric", "token_f1")

    assert {row["name"]: row["value"] for row in rows} == {"exact_match": 1.0, "numeric": 1.0, "token_f1": 1.0}
    [missed] = score([item], [answered(item, "seven geese")], "token_f1")
    assert missed["value"] == pytest.approx(0.5)
    vectors = {**embedded(item, vector(1, 0), vector(0, 1)), "alternative_vectors": [vector(-1, 0), vector(3, 0)]}
    [similarity] = score([item], [answered(item)], "cosine_similarity", vectors=[vectors])
    assert similarity["value"] == 1.0


def test_an_item_with_a_golden_answer_that_was_not_embedded_is_not_scored_by_the_others() -> None:
    item = asked(1, golden_alternatives='["18"]')
    vectors = {**embedded(item, vector(1, 0), vector(1, 0), "golden answer 2: x"), "alternative_vectors": [None]}
    [row] = score([item], [answered(item)], "cosine_similarity", vectors=[vectors])

    assert (row["unscoreable_reason"], row["comment"]) == ("embedding_failed", "golden answer 2: x")


def test_a_row_without_golden_answer_is_scored_by_what_needs_none() -> None:
    item = asked(1, golden_answer="")
    rows = score(
        [item],
        [answered(item, "oak")],
        "regex:^o",
        "contains",
        "cosine_similarity",
        vectors=[embedded(item, None, None)],
    )

    assert [(row["name"], row["value"], row["unscoreable_reason"]) for row in rows] == [
        ("regex", 1.0, None),
        ("contains", None, "empty_ground_truth"),
        ("cosine_similarity", None, "empty_ground_truth"),
    ]
