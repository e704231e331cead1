"""Which texts are compared, and how their vectors are stored and counted; the same in both modes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.outcomes import ItemError, ItemStatus
from eval_pipeline.core.paid_summary import ItemCounts
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.reasons import ReasonTally
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.text_eval.scoring.scores import golden_answers
from eval_pipeline.text_eval.scoring.side_by_side import walk

FAILED_EMBEDDINGS = "failed_embeddings"
"""The count of items that were answered, and have a text without a vector."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The texts of an item; ``answer`` is None for one that was not answered, golden answers may be several or none."""

    item_id: str
    answer: str | None
    golden_answers: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """What has to be embedded: nothing where nothing can be compared."""
        return () if self.answer is None or not self.golden_answers else (self.answer, *self.golden_answers)


def pairs(dataset: StageReader, responses: StageReader) -> Iterator[Pair]:
    """Yield the texts of every item in the order of the dataset."""
    for item in walk(dataset, responses, None):
        answered = item.response["status"] == ItemStatus.OK
        yield Pair(
            item_id=item.asked["item_id"],
            answer=item.response["answer"] if answered else None,
            golden_answers=golden_answers(item.asked),
        )


def texts_to_embed(dataset: StageReader, responses: StageReader) -> Iterator[str]:
    """Yield the texts of every answered item; repeated texts are the caller's to drop."""
    for pair in pairs(dataset, responses):
        yield from pair.texts


@dataclass(slots=True)
class EmbeddingTally:
    """Counts over the items of a stage, in one pass."""

    threshold: float
    total: int = 0
    compared: int = 0
    unanswered: int = 0
    failed_embeddings: int = 0
    reasons: ReasonTally = field(default_factory=ReasonTally)

    def add(self, pair: Pair, row: Row) -> None:
        """Count one item."""
        self.total += 1
        if pair.answer is None:
            self.unanswered += 1
        elif row["problem"] is None:
            self.compared += 1
        else:
            self.failed_embeddings += 1
            self.reasons.add(ItemError("embedding_failed", "embedding", row["problem"], transient=False))

    @property
    def verdict(self) -> Threshold:
        """Answers and embeddings that failed, against what the run allows."""
        failed = self.unanswered + self.failed_embeddings
        return Threshold(self.threshold, failed=failed, total=self.total, reasons=self.reasons.most_frequent())

    @property
    def counts(self) -> ItemCounts:
        """Items by what became of them."""
        others = {FAILED_EMBEDDINGS: self.failed_embeddings, "not_answered": self.unanswered}
        return ItemCounts(self.total, self.compared, self.unanswered + self.failed_embeddings, others=others)


def embedding_row(
    pair: Pair, *, vector: Callable[[str], bytes | None], problem: Callable[[str], str | None]
) -> JsonDict:
    """Return the row of ``tables.EMBEDDINGS``; vectors and problems are looked up by text."""
    if not pair.texts:
        nothing = dict.fromkeys(("answer_vector", "golden_vector", "alternative_vectors", "problem"))
        return {"item_id": pair.item_id, **nothing}
    answer, golden, *others = (vector(text) for text in pair.texts)
    sides = ("answer", "golden answer", *(f"golden answer {number}" for number in range(2, len(others) + 2)))
    problems = [
        f"{side}: {problem(text) or 'not embedded'}"
        for side, text, found in zip(sides, pair.texts, (answer, golden, *others), strict=True)
        if found is None
    ]
    return {
        "item_id": pair.item_id,
        "answer_vector": answer,
        "golden_vector": golden,
        "alternative_vectors": others or None,
        "problem": "; ".join(problems) or None,
    }
