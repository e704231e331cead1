"""Joins the stages of a run by walking them side by side; ids are compared, never assumed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TypeVar, cast

from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.stage_files import StageReader

T = TypeVar("T")
_ITEM = itemgetter("item_id")


@dataclass(frozen=True, slots=True)
class WalkedItem:
    """What the stages say about one item."""

    asked: Row
    response: Row
    scores: Sequence[Row]
    """One row a score, in the order of ``score_names``; empty when the run is not scored."""

    @property
    def shown_id(self) -> str:
        """The item as people name it: the id of its question in the golden file, and which repeat it is."""
        return f"{self.asked['question_id']}#{self.asked['repeat']}"


def score_names(scores: StageReader | None) -> tuple[str, ...]:
    """Return the names of the scores that every item has, as the first item shows them."""
    if scores is None:
        return ()
    _, rows = next(groupby(scores.rows(("item_id", "name")), _ITEM), (None, iter(())))
    return tuple(row["name"] for row in rows)


def walk(dataset: StageReader, responses: StageReader, scores: StageReader | None) -> Iterator[WalkedItem]:
    """Yield every item in the order of the dataset, or raise ``stages_do_not_match``."""
    answered = ((row["item_id"], row) for row in responses.rows())
    scored = None if scores is None else _scored(scores, score_names(scores))
    for asked in dataset.rows():
        item_id = asked["item_id"]
        response = _take("responses", answered, expected=item_id)
        of_item = () if scored is None else _take("scores", scored, expected=item_id)
        yield WalkedItem(asked, response, of_item)
    _take("responses", answered, expected=None)
    if scored is not None:
        _take("scores", scored, expected=None)


def _take(stage: str, rows: Iterator[tuple[str, T]], *, expected: str | None) -> T:
    """Return what the stage has next, which must belong to the expected item; None expects its end."""
    found, value = next(rows, (None, None))
    if found != expected:
        has, wants = ("no item" if item is None else f"item {shown(item)}" for item in (found, expected))
        raise ConflictError(
            f"stage {stage} does not belong to this dataset: it has {has} where the dataset has {wants}",
            code="stages_do_not_match",
            hint=f"materialize {stage} of the run again",
        )
    return cast("T", value)


def _scored(scores: StageReader, names: tuple[str, ...]) -> Iterator[tuple[str, Sequence[Row]]]:
    for item_id, group in groupby(scores.rows(), _ITEM):
        rows = tuple(group)
        found = tuple(row["name"] for row in rows)
        if found != names:
            raise ConflictError(
                f"stage scores has scores {', '.join(found)} for item {shown(item_id)}, "
                f"but {', '.join(names)} for the first item",
                code="stages_do_not_match",
                hint="score the run again: eval-pipeline text rescore RUN",
            )
        yield item_id, rows
