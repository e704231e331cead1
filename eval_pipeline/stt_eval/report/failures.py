"""Why there is no transcript: failures grouped by model and kind, each with what the provider itself said of some."""

from dataclasses import dataclass, field
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.reporting.text import clip
from eval_pipeline.stt_eval.transcript_rows import COMPLETED

MOST_GROUPS: Final = 100
"""Of kinds that a report tells apart; a provider may put a different code on every answer."""
_EXAMPLES: Final = 3
_MESSAGE_CHARACTERS: Final = 2_000


@dataclass(slots=True)
class FailureGroup:
    """Items of one model that ended the same way; without a model, the rest of the kinds."""

    model: str | None
    outcome: str | None
    code: str | None
    count: int = 0
    messages: dict[str, str] = field(default_factory=dict)
    """Different messages of the provider, each with a sample that got it."""


class Failures:
    """Collects what failed."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str | None, str | None, str | None], FailureGroup] = {}

    def see(self, heard: Json) -> None:
        """Take in a row of ``tables.TRANSCRIPTS``."""
        if heard["status"] == COMPLETED:
            return
        key: tuple[str | None, str | None, str | None] = (heard["model"], heard["outcome"], heard["error_code"])
        if key not in self._groups and len(self._groups) >= MOST_GROUPS:
            key = (None, None, None)
        group = self._groups.setdefault(key, FailureGroup(*key))
        group.count += 1
        message = clip(heard["error_message"] or "", limit=_MESSAGE_CHARACTERS)
        if message and len(group.messages) < _EXAMPLES:
            group.messages.setdefault(message, heard["sample_id"])

    def result(self) -> list[FailureGroup]:
        """Return the groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)
