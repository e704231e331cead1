"""What scoring one pair of texts or vectors comes to: a value, or the reason why there is none. Unscored is never 0."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class DataType(StrEnum):
    """What the values of a score are; the names are Langfuse's."""

    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    """Values 0 and 1."""


class UnscoreableReason(StrEnum):
    """Why a pair has no value; such pairs are left out of means and counted beside them."""

    RESPONSE_FAILED = "response_failed"
    EMPTY_OUTPUT = "empty_output"
    EMPTY_GROUND_TRUTH = "empty_ground_truth"
    """The golden answer holds nothing to compare with; for ``numeric``, no quantity that can be read."""
    DAMAGED_GROUND_TRUTH = "damaged_ground_truth"
    """The golden answer was lost on its way (``????``, ``#NAME?``) or is what programs write for nothing (``nan``)."""
    UNREADABLE_OUTPUT = "unreadable_output"
    """The answer may mean the golden answer or something else; for ``numeric``, 05/06/2024 or 9 x 2."""
    TIME_LIMIT = "time_limit"
    """Scoring took longer than it may; for ``regex``, a search."""
    EMBEDDING_FAILED = "embedding_failed"
    JUDGE_FAILED = "judge_failed"


@dataclass(frozen=True, slots=True)
class ScoreValue:
    """The score of one pair; exactly one of ``value`` and ``reason`` is set."""

    value: float | None
    reason: UnscoreableReason | None = None
    comment: str | None = None
    """Why, for a person; a full score needs none."""

    @classmethod
    def truth(cls, claim: bool, *, otherwise: str) -> Self:
        """Return 1 for a true claim, else 0 with the comment."""
        return cls(1.0) if claim else cls(0.0, comment=otherwise)

    @classmethod
    def unscoreable(cls, reason: UnscoreableReason, comment: str | None = None) -> Self:
        """Return no value, for the reason."""
        return cls(None, reason=reason, comment=comment)
