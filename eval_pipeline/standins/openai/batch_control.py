"""The URLs under ``/__standin__/`` for files and batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings``
GET, POST (``batch_seconds``, ``batch_polls``, ``max_requests``, ``max_file_bytes``, ``max_embedding_inputs``);
``batches`` GET, DELETE (forgets batches, files and bills); ``batches/{id or "all"}`` POST (``status``, ``done``);
``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and their bills.
"""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from eval_pipeline.standins.batch_control import States
from eval_pipeline.standins.batch_faults import OPENAI_SCENARIOS, Scenario
from eval_pipeline.standins.openai.batch_input import BatchLimits
from eval_pipeline.standins.openai.batch_life import PHASES, Lives
from eval_pipeline.standins.openai.batch_state import FINAL, Batch
from eval_pipeline.standins.openai.batches import Batches
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.file_store import FileStore


class OpenAIDesk:
    """What OpenAI's files and batches have of their own."""

    able: AbstractSet[Scenario] = OPENAI_SCENARIOS
    states = States("status", "statuses", sorted({*PHASES, *FINAL, "cancelling"}))
    refusals: tuple[type[Exception], ...] = (InvalidBodyError,)

    def __init__(self, batches: Batches, lives: Lives, files: FileStore) -> None:
        self.planned = batches
        self.lives = lives
        self._files = files

    def limits(self) -> dict[str, float]:
        """Return the limits of batches."""
        limits = self.lives.limits
        return {
            "max_requests": limits.requests,
            "max_file_bytes": limits.file_bytes,
            "max_embedding_inputs": limits.embedding_inputs,
        }

    def apply(self, settings: Mapping[str, float], /) -> None:
        """Change the limits of batches."""
        self.lives.limits = BatchLimits(
            requests=int(settings["max_requests"]),
            file_bytes=int(settings["max_file_bytes"]),
            embedding_inputs=int(settings["max_embedding_inputs"]),
        )

    def forget(self) -> None:
        """Forget the files."""
        self._files.clear()

    def document(self, batch: Batch, /) -> object:
        """Return a batch as the API writes it."""
        return batch.as_json()

    def summary(self) -> dict[str, object]:
        """Count the batches."""
        batches, billed = self.lives.batches.newest_first(), self.lives.billed
        return {
            "created": len(batches),
            "statuses": dict(Counter(batch.status for batch in batches)),
            "by_metadata": _by_metadata(batches),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "tokens": dict(sum((Counter(batch.tokens) for batch in batches), Counter[str]())),
        }

    def billed(self) -> None:
        """Tell nothing: live calls and lines of batches are billed by different names."""


def _by_metadata(batches: list[Batch]) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for batch in batches:
        for key, value in (batch.metadata or {}).items():
            values = told.setdefault(key, {})
            values[value] = values.get(value, 0) + 1
    return told
