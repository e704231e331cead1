"""The rows of ``tables.SCORES``: every answer against its golden answer, made by walking the stages side by side.

Where a question has several golden answers, the one that an answer scores best against counts.

Pure and free: scoring again never calls a model. Memory does not grow with the run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypedDict

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.core.documents import Row
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
_DATASET_COLUMNS = ("item_id", "question_id", "repeat", "golden_answer", "golden_alternatives", "category")
_RESPONSE_COLUMNS = ("item_id", "status", "answer")
_EMBEDDING_COLUMNS = ("item_id", "answer_vector", "golden_vector", "alternative_vectors", "problem")
_NOT_EMBEDDED = {"problem": "the run has no embeddings"}


_NO_GOLDEN = ScoreValue.unscoreable(UnscoreableReason.EMPTY_GROUND_TRUTH)
_DAMAGED_GOLDEN = ScoreValue.unscoreable(UnscoreableReason.DAMAGED_GROUND_TRUTH)


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
    golden: tuple[tuple[str, bytes | None], ...]
    """Every golden answer that is whole, with its vector."""
    without_golden: ScoreValue
    """What an item without them is, for a scorer that needs one."""
    answer: str
    obstacle: ScoreValue | None
    """Why nothing about this item can be scored."""
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
    known = [name for name in columns if name in stage.manifest.columns]  # earlier versions had fewer
    for batch in stage.batches(known, rows=ITEMS_AT_ONCE):
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
    texts = golden_answers(golden)
    of_texts = (vectors.get("golden_vector"), *(vectors.get("alternative_vectors") or ()))
    both = zip(texts, (*of_texts, *[None] * len(texts)), strict=False)
    return _Item(
        item_id=golden["item_id"],
        question_id=golden["question_id"],
        repeat=golden["repeat"],
        category=golden["category"],
        golden=tuple((text, vector) for text, vector in both if not is_lost(text)),
        without_golden=_DAMAGED_GOLDEN if texts else _NO_GOLDEN,
        answer=response["answer"] or "",
        obstacle=_obstacle(response),
        answer_vector=vectors.get("answer_vector"),
        vector_problem=vectors.get("problem"),
    )


def _answer(response: dict[str, Any]) -> str | None:
    """Return the answer alone; answers that an earlier version stored have the model's thinking in them."""
    answer: str | None = response["answer"]
    return None if answer is None else part_thinking(answer).answer


def golden_answers(asked: Row) -> tuple[str, ...]:
    """Return every accepted answer of an item; none where its row has none."""
    first = asked["golden_answer"]
    if not first.strip():
        return ()
    others = asked.get("golden_alternatives")
    return (first,) if others is None else (first, *orjson.loads(others))


def _obstacle(response: dict[str, Any]) -> ScoreValue | None:
    """Find what prevents every scorer from scoring the item."""
    status, answer = response["status"], response["answer"]
    if status == ItemStatus.EMPTY or (status == ItemStatus.OK and not (answer or "").strip()):
        return ScoreValue.unscoreable(UnscoreableReason.EMPTY_OUTPUT)
    if status != ItemStatus.OK:
        return ScoreValue.unscoreable(UnscoreableReason.RESPONSE_FAILED, f"the response is {status}")
    return None


def _prepare(config: ScorerConfig) -> ScoreItems:
    scorer = config.scorer
    if isinstance(scorer, TextScorer):
        return _text_column(scorer.make_rule(**config.params), needs_golden=scorer.needs_golden)
    return _vector_column(scorer.rule)


def _text_column(rule: TextRule, *, needs_golden: bool) -> ScoreItems:
    def score_one(item: _Item) -> ScoreValue:
        if item.obstacle is not None:
            return item.obstacle
        if not needs_golden:
            return rule(golden="", answer=item.answer)
        if not item.golden:
            return item.without_golden
        return best_of(rule(golden=golden, answer=item.answer) for golden, _ in item.golden)

    def score(items: Sequence[_Item]) -> list[ScoreValue]:
        return [score_one(item) for item in items]

    return score


def best_of(values: Iterable[ScoreValue]) -> ScoreValue:
    """Return the highest value, the first of equal ones; where there is none, the first reason."""
    found = list(values)
    scored = [value for value in found if value.value is not None]
    return max(scored, key=lambda value: value.value or 0.0) if scored else found[0]


def _vector_column(rule: VectorRule) -> ScoreItems:
    def score(items: Sequence[_Item]) -> list[ScoreValue]:
        pairs = [(at, pair) for at, item in enumerate(items) for pair in _vector_pairs(item)]
        scored: dict[int, list[ScoreValue]] = {}
        for (at, _), value in zip(pairs, rule([pair for _, pair in pairs]), strict=True):
            scored.setdefault(at, []).append(value)
        return [
            best_of(scored[at]) if at in scored else item.obstacle or _without_vectors(item)
            for at, item in enumerate(items)
        ]

    return score


def _vector_pairs(item: _Item) -> list[VectorPair]:
    """Pair the answer with every golden answer; none of an item that cannot be compared with all of them."""
    answer, golden = item.answer_vector, [vector for _, vector in item.golden if vector is not None]
    if item.obstacle is not None or answer is None or len(golden) < len(item.golden):
        return []
    return [VectorPair(golden=vector, answer=answer) for vector in golden]


def _without_vectors(item: _Item) -> ScoreValue:
    if not item.golden:
        return item.without_golden
    return ScoreValue.unscoreable(UnscoreableReason.EMBEDDING_FAILED, item.vector_problem or "an embedding is missing")
