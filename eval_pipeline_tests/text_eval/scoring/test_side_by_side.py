import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.text_eval.scoring.side_by_side import score_names, walk
from eval_pipeline_tests.memory_stages import MemoryStage
from eval_pipeline_tests.text_eval.tables import (
    answered,
    asked,
    dataset_stage,
    responses_stage,
    scored,
    scores_stage,
)

ONE, TWO, THREE = asked(1), asked(2), asked(3)


def scores_of(*items: dict[str, object]) -> MemoryStage:
    return scores_stage(*(scored(item, name, 0.5) for item in items for name in ("exact_match", "cosine")))


def test_every_item_comes_with_its_answer_and_all_its_scores() -> None:
    walked = list(walk(dataset_stage(ONE, TWO), responses_stage(answered(ONE), answered(TWO)), scores_of(ONE, TWO)))

    assert [item.asked["item_id"] for item in walked] == ["q000001#1", "q000002#1"]
    assert {item.response["answer"] for item in walked} == {"An answer"}
    assert [[row["name"] for row in item.scores] for item in walked] == [["exact_match", "cosine"]] * 2


def test_a_run_without_scores_is_walked_all_the_same() -> None:
    (item,) = walk(dataset_stage(ONE), responses_stage(answered(ONE)), None)

    assert item.scores == ()
    assert score_names(None) == score_names(scores_stage()) == ()


def test_no_items_are_no_mismatch() -> None:
    assert list(walk(dataset_stage(), responses_stage(), scores_stage())) == []


@pytest.mark.parametrize(
    ("responses", "scores", "message"),
    [
        ([ONE], [ONE, TWO], "stage responses {} no item where the dataset has item 'q000002#1'"),
        ([ONE, TWO, THREE], [ONE, TWO], "stage responses {} item 'q000003#1' where the dataset has no item"),
        ([TWO, ONE], [ONE, TWO], "stage responses {} item 'q000002#1' where the dataset has item 'q000001#1'"),
        ([ONE, TWO], [ONE], "stage scores {} no item where the dataset has item 'q000002#1'"),
        ([ONE, TWO], [], "stage scores {} no item where the dataset has item 'q000001#1'"),
        ([ONE, TWO], [ONE, TWO, THREE], "stage scores {} item 'q000003#1' where the dataset has no item"),
        ([ONE, TWO], [ONE, THREE], "stage scores {} item 'q000003#1' where the dataset has item 'q000002#1'"),
    ],
)
def test_stages_of_different_items_are_never_joined(
    responses: list[dict[str, object]], scores: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(ConflictError) as caught:
        list(walk(dataset_stage(ONE, TWO), responses_stage(*map(answered, responses)), scores_of(*scores)))

    assert caught.value.code == "stages_do_not_match"
    assert caught.value.message == message.format("does not belong to this dataset: it has")


def test_an_item_that_lacks_a_score_is_no_silent_shift() -> None:
    scores = scores_stage(scored(ONE, "exact", 1), scored(ONE, "cosine", 1), scored(TWO, "exact", 1))

    with pytest.raises(ConflictError, match="has scores exact for item 'q000002#1', but exact, cosine for the first"):
        list(walk(dataset_stage(ONE, TWO), responses_stage(answered(ONE), answered(TWO)), scores))
