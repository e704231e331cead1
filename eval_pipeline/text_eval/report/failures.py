"""Failed and unscoreable items, gathered by what happened to them, with a few examples in the provider's words."""

from collections import Counter
from typing import NamedTuple

from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.reporting.text import clip, one_line
from eval_pipeline.text_eval.report.data import FailureExample, FailureGroup
from eval_pipeline.text_eval.scoring.side_by_side import WalkedItem

NOT_SCORED = "not_scored"
"""Stands where a failure group's status stands, for items that were answered but could not be scored."""
TEXT_CHARACTERS = 20_000
"""What a report keeps of one text; an export has the whole."""
_KINDS = 60
_EXAMPLES = 3
_QUESTION_CHARACTERS = 160


class _Kind(NamedTuple):
    """What items of one group have in common."""

    status: str | None
    code: str | None
    type: str | None


_OTHERS = _Kind(None, code=None, type=None)


def clipped(text: str | None) -> str | None:
    """Keep what a report keeps of one text."""
    return None if text is None else clip(text, limit=TEXT_CHARACTERS)


class Failures:
    """Counts every kind of failure and keeps the first examples of each that say something new."""

    def __init__(self) -> None:
        self._counts: Counter[_Kind] = Counter()
        self._examples: dict[_Kind, list[FailureExample]] = {}

    def see(self, item: WalkedItem) -> None:
        """Take one item into account."""
        kind = _kind(item)
        if kind is None:
            return
        if kind not in self._counts and len(self._counts) >= _KINDS:
            kind = _OTHERS
        self._counts[kind] += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            example = _example(item)
            told = {known.message for known in examples}
            if example.message not in told or example.partial_answer is not None:
                examples.append(example)

    def result(self) -> tuple[FailureGroup, ...]:
        """Return the groups, most frequent first."""
        return tuple(
            FailureGroup(**kind._asdict(), count=count, examples=tuple(self._examples[kind]))
            for kind, count in self._counts.most_common()
        )


def _kind(item: WalkedItem) -> _Kind | None:
    response = item.response
    if response["status"] != ItemStatus.OK:
        return _Kind(response["status"], code=response["error_code"], type=response["error_type"])
    if item.scores and item.scores[0]["value"] is None:
        return _Kind(NOT_SCORED, code=item.scores[0]["unscoreable_reason"], type=None)
    return None


def _example(item: WalkedItem) -> FailureExample:
    response = item.response
    answered = response["status"] == ItemStatus.OK
    return FailureExample(
        item_id=item.shown_id,
        question=one_line(item.asked["question"], limit=_QUESTION_CHARACTERS),
        message=clipped(item.scores[0]["comment"] if answered else response["error_message"]),
        partial_answer=clipped(response["partial_answer"]),
    )
