"""Why items failed, in the provider's words, counted: what a person wants to know first when most of them did."""

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import ItemError

SHOWN = 3
_KEPT_DISTINCT = 1_000
_LONGEST = 400
_OF_ONE_CALL = re.compile(
    r"\b(?:req|resp|msg|chatcmpl|call)[_-][\w-]{6,}|\b[0-9a-f]{8}-[0-9a-f-]{20,}|\b(?=[a-f]*[0-9])[0-9a-f]{16,}\b",
    re.IGNORECASE,
)
"""Ids of calls, which make every message another one."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one kind of failure says, and how many items it befell."""

    code: str
    message: str
    count: int = 1

    @property
    def words(self) -> str:
        """Code and message, as a person reads them."""
        return f"{self.code}: {self.message}" if self.message else self.code

    def to_json(self) -> JsonDict:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(code=value["code"], message=value["message"], count=value["count"])


def reason_of(error: ItemError) -> tuple[str, str]:
    """Return what equal failures have in common: the code, and the message without the ids of single calls."""
    message = " ".join(_OF_ONE_CALL.sub("…", error.message[: 2 * _LONGEST]).split())
    return error.code, message if len(message) <= _LONGEST else message[:_LONGEST] + "…"


class ReasonTally:
    """Counts failures by what they say; of very many kinds the first are kept."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, error: ItemError) -> None:
        """Count one failed item."""
        reason = reason_of(error)
        if reason in self._counts or len(self._counts) < _KEPT_DISTINCT:
            self._counts[reason] += 1

    def most_frequent(self) -> tuple[Reason, ...]:
        """Return the reasons that befell most items."""
        return tuple(Reason(code, message, count) for (code, message), count in self._counts.most_common(SHOWN))
