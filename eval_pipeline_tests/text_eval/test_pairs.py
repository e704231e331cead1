from collections.abc import Mapping

from eval_pipeline.core.reasons import Reason
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.text_eval.pairs import EmbeddingTally, Pair, embedding_row, pairs, texts_to_embed
from eval_pipeline_tests.text_eval.tables import answered, asked, dataset_stage, responses_stage

ITEMS = [asked(1), asked(2, golden_answer="Answer 1"), asked(3)]
DATASET = dataset_stage(*ITEMS)
RESPONSES = responses_stage(answered(ITEMS[0], "one"), answered(ITEMS[1], "two"), answered(ITEMS[2], None))


def _row(pair: Pair, vectors: Mapping[str, bytes], problems: Mapping[str, str] | None = None) -> dict[str, object]:
    return embedding_row(pair, vector=vectors.get, problem=(problems or {}).get)


def test_pairs_stand_in_the_order_of_the_dataset_and_failed_items_have_no_answer() -> None:
    assert list(pairs(DATASET, RESPONSES)) == [
        Pair("q000001#1", "one", ("Answer 1",)),
        Pair("q000002#1", "two", ("Answer 1",)),
        Pair("q000003#1", None, ("Answer 3",)),
    ]


def test_an_error_text_is_never_embedded() -> None:
    failed = answered(ITEMS[2], "Error: out of memory", status="failed")
    responses = responses_stage(answered(ITEMS[0], "one"), answered(ITEMS[1], "two"), failed)

    assert list(texts_to_embed(DATASET, responses)) == ["one", "Answer 1", "two", "Answer 1"]


def test_both_vectors_are_stored_without_problem() -> None:
    assert _row(Pair("q1#1", "one", ("Answer 1",)), {"one": b"1", "Answer 1": b"g"}) == {
        "item_id": "q1#1",
        "answer_vector": b"1",
        "golden_vector": b"g",
        "alternative_vectors": None,
        "problem": None,
    }


def test_every_golden_answer_is_embedded_and_a_row_without_one_not_at_all() -> None:
    several = Pair("q1#1", "one", ("18", "eighteen"))

    assert several.texts == ("one", "18", "eighteen")
    assert _row(several, {"one": b"1", "18": b"g", "eighteen": b"h"})["alternative_vectors"] == [b"h"]
    assert _row(several, {"one": b"1", "18": b"g"})["problem"] == "golden answer 2: not embedded"
    assert Pair("q1#1", "one", ()).texts == ()
    assert _row(Pair("q1#1", "one", ()), {})["problem"] is None


def test_a_missing_vector_is_explained_and_the_other_one_kept() -> None:
    row = _row(Pair("q1#1", "one", ("Answer 1",)), {"Answer 1": b"g"}, {"one": "HTTP 400: too long"})

    assert (row["answer_vector"], row["golden_vector"]) == (None, b"g")
    assert row["problem"] == "answer: HTTP 400: too long"


def test_two_missing_vectors_are_both_explained() -> None:
    row = _row(Pair("q1#1", "one", ("Answer 1",)), {}, {"Answer 1": "zero vector"})

    assert row["problem"] == "answer: not embedded; golden answer: zero vector"


def test_an_unanswered_item_has_no_problem_of_its_own() -> None:
    assert _row(Pair("q1#1", None, ("Answer 1",)), {"Answer 1": b"g"})["problem"] is None


def test_unanswered_items_and_failed_embeddings_both_count_as_failed() -> None:
    tally = EmbeddingTally(threshold=0.5)
    known = {"one": b"1", "Answer 1": b"g"}
    for pair in pairs(DATASET, RESPONSES):
        tally.add(pair, _row(pair, known))

    counted = {"total": 3, "ok": 1, "failed": 2, "failed_embeddings": 1, "not_answered": 1}
    assert tally.counts.to_json() == counted
    reasons = (Reason("embedding_failed", "answer: not embedded"),)
    assert tally.verdict == Threshold(0.5, failed=2, total=3, reasons=reasons)
