"""People's verdicts on results: what can be said of one, what stands, and what counts as saying something.

History is only appended to. An entry says what it changes, and what stands is its entries laid over each other in the
order in which they were recorded: of two people who judge at once neither is lost, and who came last stands. What
stands names its author part by part, and what each person said stands beside it. A verdict belongs to the text it was
given on; it says nothing about another text that came later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow


class ErrorTag(StrEnum):
    """What is wrong with a result."""

    NAME = "name"
    NUMBER = "number"
    MISSING = "missing"
    EXTRA = "extra"
    WRONG_LANGUAGE = "wrong_language"
    HALLUCINATION = "hallucination"


class Mark(StrEnum):
    """Whether a result is right, as far as people said so."""

    UNSET = "unset"
    """Nobody has ever said."""
    CORRECT = "correct"
    WRONG = "wrong"
    CLEARED = "cleared"
    """Somebody said, and took it back."""


class Untouched(Enum):
    """The type of ``UNTOUCHED``."""

    UNTOUCHED = "untouched"


UNTOUCHED: Final = Untouched.UNTOUCHED
"""What a change leaves as it is; None takes away."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one person says about one result at one moment."""

    is_correct: bool | Untouched | None = UNTOUCHED
    """None clears it."""
    comment: str | Untouched | None = UNTOUCHED
    """None removes it."""
    tags: tuple[ErrorTag, ...] | Untouched = UNTOUCHED
    """All that apply; none at all removes them."""

    @property
    def parts(self) -> Json:
        """What is changed, by name."""
        given = {"is_correct": self.is_correct, "comment": self.comment, "tags": self.tags}
        return {name: value for name, value in given.items() if value is not UNTOUCHED}


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """One line of the history; never edited."""

    flow: Flow
    key: RunKey
    item_id: str
    text_sha256: str
    """Of the text that was judged."""
    change: Change
    reviewer: str
    judged_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands of one result."""

    mark: Mark = Mark.UNSET
    comment: str | None = None
    tags: tuple[ErrorTag, ...] = ()
    history: tuple[FeedbackEntry, ...] = ()
    """All that was ever said about the result, oldest first, also about earlier texts of it."""
    stale: bool = False
    """Whether it is about an earlier text: the result has another one by now."""
    authors: Mapping[str, FeedbackEntry] = field(default_factory=dict)
    """Who said what stands, by the name of the part: ``is_correct``, ``comment``, ``tags``."""
    reviewers: Mapping[str, "Verdict"] = field(default_factory=dict)
    """What each person said of the same text, laid over each other; in the order of their first word."""

    @property
    def is_correct(self) -> bool | None:
        """Yes, no, or None for unset and cleared; ``mark`` tells these apart."""
        return {Mark.CORRECT: True, Mark.WRONG: False}.get(self.mark)

    @property
    def counts(self) -> bool:
        """Whether it says right or wrong of the text that the result has now."""
        return self.is_correct is not None and not self.stale


def by_item(entries: Iterable[FeedbackEntry]) -> dict[str, tuple[FeedbackEntry, ...]]:
    """Sort a run's entries by item, each item's in the order in which they were recorded."""
    found: dict[str, list[FeedbackEntry]] = {}
    for entry in entries:
        found.setdefault(entry.item_id, []).append(entry)
    return {item_id: tuple(history) for item_id, history in found.items()}


def standing(history: Sequence[FeedbackEntry], *, text_sha256: str | None) -> Verdict:
    """Say what stands of one result.

    Args:
        history: all entries of the result, in the order in which they were recorded.
        text_sha256: of the text that the result has now; None when it has none.
    """
    if not history:
        return Verdict()
    about = text_sha256 if any(entry.text_sha256 == text_sha256 for entry in history) else history[-1].text_sha256
    entries = [entry for entry in history if entry.text_sha256 == about]
    people = dict.fromkeys(entry.reviewer for entry in entries)
    own = {name: _laid_over([entry for entry in entries if entry.reviewer == name]) for name in people}
    return replace(_laid_over(entries), history=tuple(history), stale=about != text_sha256, reviewers=own)


def _laid_over(entries: Sequence[FeedbackEntry]) -> Verdict:
    mark, comment = Mark.UNSET, None
    tags: tuple[ErrorTag, ...] = ()
    authors: dict[str, FeedbackEntry] = {}
    for entry in entries:
        change = entry.change
        mark = _marked(mark, change)
        comment = comment if isinstance(change.comment, Untouched) else change.comment
        tags = tags if isinstance(change.tags, Untouched) else change.tags
        authors |= dict.fromkeys(change.parts, entry)
    return Verdict(mark=mark, comment=comment, tags=tags, history=tuple(entries), authors=authors)


def difference(change: Change, verdict: Verdict, *, reviewer: str | None = None) -> Change | None:
    """Return what of a change says anything new; None when nothing does. Of a stale verdict nothing stands.

    What stands already is new when another person says it, unless there is nothing in it (no comment, no tags).

    Args:
        change: what is said.
        verdict: what stands.
        reviewer: who says it; None compares with what stands, whoever said it.
    """
    before = Verdict() if verdict.stale else verdict
    own = before if reviewer is None else before.reviewers.get(reviewer, Verdict())

    def is_known(part: str, *, stands: bool, is_own: bool, is_empty: bool) -> bool:
        said_before = reviewer is None or (part in own.authors and is_own)
        return stands and (said_before or is_empty)

    knows_mark = is_known(
        "is_correct",
        stands=_marked(before.mark, change) is before.mark,
        is_own=_marked(own.mark, change) is own.mark,
        is_empty=not isinstance(change.is_correct, bool),
    )
    knows_comment = is_known(
        "comment",
        stands=change.comment == before.comment,
        is_own=change.comment == own.comment,
        is_empty=change.comment is None,
    )
    knows_tags = is_known(
        "tags", stands=change.tags == before.tags, is_own=change.tags == own.tags, is_empty=not change.tags
    )
    differs = Change(
        is_correct=UNTOUCHED if knows_mark else change.is_correct,
        comment=UNTOUCHED if knows_comment else change.comment,
        tags=UNTOUCHED if knows_tags else change.tags,
    )
    return differs if differs.parts else None


def contradicted(change: Change, later: Iterable[FeedbackEntry]) -> FeedbackEntry | None:
    """Return the last of the later entries that says otherwise of a part that a change speaks of; None: none does.

    Args:
        change: what somebody says who had not seen the later entries.
        later: about the same text, in the order in which they were recorded.
    """
    parts = change.parts
    stands: dict[str, FeedbackEntry] = {}
    for entry in later:
        stands |= dict.fromkeys(entry.change.parts, entry)
    others = [entry for part, entry in stands.items() if part in parts and entry.change.parts[part] != parts[part]]
    return others[-1] if others else None


def _marked(before: Mark, change: Change) -> Mark:
    """Return the mark after a change; where nobody said anything, there is nothing to take back."""
    if isinstance(change.is_correct, Untouched):
        return before
    if change.is_correct is None:
        return Mark.UNSET if before is Mark.UNSET else Mark.CLEARED
    return Mark.CORRECT if change.is_correct else Mark.WRONG
