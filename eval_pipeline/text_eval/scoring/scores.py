"""The rows of ``tables.SCORES``: every answer against its golden answer, made by walking the stages side by side.

Pure and free: scoring again never calls a model. Memory does not grow with the run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypedDict

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import shown
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers import ScorerConfig, TextScorer, VectorRule
from eval_pipeline.text_eval.scoring.scorers_embedding import VectorPair
from eval_pipeline.text_eval.scoring.scorers_text import TextRule
from eval_pipeline.text_eval.thinking import part_thinking

ITEMS_AT_ONCE = 512
"""With vectors of 3,072 numbers about 40 MB; larger matrices are no faster."""
_DATASET_COLUMNS = ("item_id", "question_id", "repeat", "golden_answer", "category")
_RESPONSE_COLUMNS = ("item_id", "status", "answer")
_EMBEDDING_COLUMNS = ("item_id", "answer_vector", "golden_vector", "problem")
_NOT_EMBEDDED = {"problem": "the run has no embeddings"}


class ScoreRow(TypedDict):
    """One row of ``tables.SCORES``."""

    item_id: str
    question_id: str
    repeat: int
    category: str | None
    name: str
    data_type: str
    value: float | None
    unscoreable_reason: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class _Item:
    item_id: str
    question_id: str
    repeat: int
    category: str | None
    golden_answer: str
    answer: str
    obstacle: ScoreValue | None
    """Why nothing about this item can be scored."""
    golden_vector: bytes | None
    answer_vector: bytes | None
    vector_problem: str | None


ScoreItems = Callable[[Sequence[_Item]], list[ScoreValue]]


def score_items(
    *,
    dataset: StageReader,
    responses: StageReader,
    embeddings: StageReader | None,
    scorers: Sequence[ScorerConfig],
) -> Iterator[list[ScoreRow]]:
    """Yield the rows of up to ``ITEMS_AT_ONCE`` items at a time: items in the order of the dataset, scorers as given.

    Without ``embeddings`` a scorer that compares them has no value for any item; the others score all the same. Stages
    whose items differ raise ``stages_do_not_match``.
    """
    prepared = [(config, _prepare(config)) for config in scorers]
    items = _items(dataset, responses=responses, embeddings=embeddings)
    for chunk in chunks(items, size=ITEMS_AT_ONCE):
        columns = [(config, score(chunk)) for config, score in prepared]
        yield [_row(item, config, column[at]) for at, item in enumerate(chunk) for config, column in columns]


def _row(item: _Item, config: ScorerConfig, score: ScoreValue) -> ScoreRow:
    return {
        "item_id": item.item_id,
        "question_id": item.question_id,
        "repeat": item.repeat,
        "category": item.category,
        "name": config.score_name,
        "data_type": config.scorer.data_type.value,
        "value": score.value,
        "unscoreable_reason": None if score.reason is None else score.reason.value,
        "comment": score.comment,
    }


def _items(dataset: StageReader, *, responses: StageReader, embeddings: StageReader | None) -> Iterator[_Item]:
    """Join the stages by position, comparing ids."""
    golden_rows = _rows(dataset, columns=_DATASET_COLUMNS)
    response_rows = _rows(responses, columns=_RESPONSE_COLUMNS)
    if embeddings is None:
        for golden, response in zip_longest(golden_rows, response_rows):
            _check_same(golden, response, stage="responses")
            yield _item(golden, response=response, vectors=_NOT_EMBEDDED)
        return
    vector_rows = _rows(embeddings, columns=_EMBEDDING_COLUMNS)
    for golden, response, vectors in zip_longest(golden_rows, response_rows, vector_rows):
        _check_same(golden, response, stage="responses")
        _check_same(golden, vectors, stage="embeddings")
        yield _item(golden, response=response, vectors=vectors)


def _rows(stage: StageReader, *, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in stage.batches(columns, rows=ITEMS_AT_ONCE):
        yield from batch.to_pylist()


def _check_same(golden: dict[str, Any] | None, other: dict[str, Any] | None, *, stage: str) -> None:
    expected = None if golden is None else golden["item_id"]
    found = None if other is None else other["item_id"]
    if expected == found:
        return
    names = ["no more items" if name is None else f"item {shown(name)}" for name in (found, expected)]
    raise ConflictError(
        f"stage {stage} does not belong to this dataset: it has {names[0]} where the dataset has {names[1]}",
        code="stages_do_not_match",
        hint=f"materialize {stage} again, then scores",
    )


def _item(golden: dict[str, Any], *, response: dict[str, Any], vectors: dict[str, Any]) -> _Item:
    response = {**response, "answer": _answer(response)}
    return _Item(
        item_id=golden["item_id"],
        question_id=golden["question_id"],
        repeat=golden["repeat"],
        category=golden["category"],
        golden_answer=golden["golden_answer"],
        answer=response["answer"] or "",
        obstacle=_obstacle(response, golden_answer=golden["golden_answer"]),
        golden_vector=vectors.get("golden_vector"),
        answer_vector=vectors.get("answer_vector"),
        vector_problem=vectors.get("problem"),
    )


def _answer(response: dict[str, Any]) -> str | None:
    """Return the answer alone; answers that an earlier version stored have the model's thinking in them."""
    answer: str | None = response["answer"]
    return None if answer is None else part_thinking(answer).answer


def _obstacle(response: dict[str, Any], *, golden_answer: str) -> ScoreValue | None:
    """Find what prevents every scorer from scoring the item; a missing answer is told before a missing golden one."""
    status, answer = response["status"], response["answer"]
    if status == ItemStatus.EMPTY or (status == ItemStatus.OK and not (answer or "").strip()):
        return ScoreValue.unscoreable(UnscoreableReason.EMPTY_OUTPUT)
    if status != ItemStatus.OK:
        return ScoreValue.unscoreable(UnscoreableReason.RESPONSE_FAILED, f"the response is {status}")
    if not golden_answer.strip():
        return ScoreValue.unscoreable(UnscoreableReason.EMPTY_GROUND_TRUTH)
    if is_lost(golden_answer):
        return ScoreValue.unscoreable(UnscoreableReason.DAMAGED_GROUND_TRUTH)
    return None


def _prepare(config: ScorerConfig) -> ScoreItems:
    scorer = config.scorer
    if isinstance(scorer, TextScorer):
        return _text_column(scorer.make_rule(**config.params))
    return _vector_column(scorer.rule)


def _text_column(rule: TextRule) -> ScoreItems:
    def score(items: Sequence[_Item]) -> list[ScoreValue]:
        return [item.obstacle or rule(golden=item.golden_answer, answer=item.answer) for item in items]

    return score


def _vector_column(rule: VectorRule) -> ScoreItems:
    def score(items: Sequence[_Item]) -> list[ScoreValue]:
        pairs = {at: pair for at, item in enumerate(items) if (pair := _vector_pair(item)) is not None}
        scored = dict(zip(pairs, rule(tuple(pairs.values())), strict=True))
        return [scored.get(at) or item.obstacle or _without_vectors(item) for at, item in enumerate(items)]

    return score


def _vector_pair(item: _Item) -> VectorPair | None:
    if item.obstacle is not None or item.golden_vector is None or item.answer_vector is None:
        return None
    return VectorPair(golden=item.golden_vector, answer=item.answer_vector)


def _without_vectors(item: _Item) -> ScoreValue:
    return ScoreValue.unscoreable(UnscoreableReason.EMBEDDING_FAILED, item.vector_problem or "an embedding is missing")
