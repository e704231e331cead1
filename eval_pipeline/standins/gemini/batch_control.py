"""The URLs under ``/__standin__/`` for Gemini's files and batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings`` GET,
POST (see ``limits``); ``batches`` GET, DELETE (forgets batches, files and bills); ``batches/{id or "all"}`` POST
(``state``, ``done``); ``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and, with
``?detail=1``, ``billed``: how often each clip or question was paid for, live and in batches.
"""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from eval_pipeline.standins.batch_control import States
from eval_pipeline.standins.batch_faults import GEMINI_SCENARIOS, Scenario
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.gemini.batch_life import GeminiLives
from eval_pipeline.standins.gemini.batch_state import FINAL, GeminiBatch
from eval_pipeline.standins.gemini.batches import GeminiBatches
from eval_pipeline.standins.gemini.errors import GeminiRefusedError
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.gemini.uploads import FileLimits


class GeminiDesk:
    """What Gemini's files and batches have of their own."""

    able: AbstractSet[Scenario] = GEMINI_SCENARIOS
    states = States("state", "states", sorted({*FINAL, "PENDING", "RUNNING"}))
    refusals: tuple[type[Exception], ...] = (GeminiRefusedError,)

    def __init__(
        self,
        standin: Standin,
        batches: GeminiBatches,
        lives: GeminiLives,
        files: GeminiFileStore,
        file_limits: FileLimits,
    ) -> None:
        self.planned = batches
        self.lives = lives
        self._standin = standin
        self._files = files
        self._file_limits = file_limits

    def limits(self) -> dict[str, float]:
        """Return the limits of files and batches, and how far the clock is ahead."""
        limits, file_limits = self.lives.limits, self._file_limits
        return {
            "max_requests": limits.requests,
            "max_batch_file_bytes": limits.file_bytes,
            "max_inline_bytes": limits.inline_bytes,
            "max_open_batches": limits.open_batches,
            "max_file_bytes": file_limits.file_bytes,
            "max_project_bytes": file_limits.project_bytes,
            "processing_looks": file_limits.processing_looks,
            "ahead_s": self.lives.clock.ahead_s,
        }

    def apply(self, settings: Mapping[str, float], /) -> None:
        """Change the limits and the clock."""
        limits, file_limits = self.lives.limits, self._file_limits
        limits.requests = int(settings["max_requests"])
        limits.file_bytes = int(settings["max_batch_file_bytes"])
        limits.inline_bytes = int(settings["max_inline_bytes"])
        limits.open_batches = int(settings["max_open_batches"])
        file_limits.file_bytes = int(settings["max_file_bytes"])
        file_limits.project_bytes = int(settings["max_project_bytes"])
        file_limits.processing_looks = int(settings["processing_looks"])
        self.lives.clock.ahead_s = float(settings["ahead_s"])

    def forget(self) -> None:
        """Forget files, and what was billed for each clip."""
        self.lives.billed_inputs.clear()
        self._files.clear()

    def document(self, batch: GeminiBatch, /) -> object:
        """Return a batch as the API writes it."""
        return self.lives.batches.document(batch)

    def summary(self) -> dict[str, object]:
        """Count the batches."""
        batches, billed = self.lives.batches.newest_first(), self.lives.billed
        return {
            "created": len(batches),
            "states": dict(Counter(batch.state for batch in batches)),
            "by_display_name": dict(Counter(batch.display_name or "" for batch in batches)),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "tokens": dict(sum((Counter(batch.tokens) for batch in batches), Counter[str]())),
        }

    def billed(self) -> Counter[str]:
        """Return how often each clip or question was paid for, live and in batches."""
        counts = self._standin.counts
        return counts["generate"].billed + counts["embed"].billed + self.lives.billed_inputs
