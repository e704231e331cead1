"""One batch as the stand-in knows it, and how the API shows it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.gemini.errors import NOT_FOUND, GeminiRefusedError
from eval_pipeline.standins.kept_batches import BatchFolder, KeptBatch
from eval_pipeline.standins.pace import timestamp

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})
_PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_TYPES = {"generate": "GenerateContentBatch", "embed": "EmbedContentBatch"}


@dataclass(slots=True, kw_only=True)
class GeminiBatch(KeptBatch):
    """One batch; ``final_looks`` counts how often a client has seen it since it ended."""

    endpoint: str
    model: str
    display_name: str | None
    input_file_id: str | None
    updated_ns: int
    state: str = "PENDING"
    cancelling: bool = False
    final_looks: int = 0
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    error: JsonDict | None = None
    output_file_id: str | None = None
    inlined: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL

    def enter(self, state: str, *, now_ns: int) -> None:
        """Go on to a state."""
        if state != self.state:
            self.state, self.updated_ns = state, now_ns

    def as_json(self, inlined: list[Any] | None) -> dict[str, object]:
        """Return the operation as the API shows it at this look.

        Args:
            inlined: The answers to requests that came inline, if there are any.
        """
        output = None if self.meets_still(Scenario.LATE_FILES, looks=self.final_looks) else self._output(inlined)
        shows_unknown = self.meets_still(Scenario.UNKNOWN_STATUS, looks=self.looks) and self.looks
        told: dict[str, object] = {
            "name": f"batches/{self.id}",
            "metadata": self._metadata(output, state=self.rule.status if self.rule and shows_unknown else self.state),
        }
        if not self.is_final or shows_unknown:
            return told
        told["done"] = True
        if self.error is not None:
            told["error"] = self.error
        elif output is not None:
            told["response"] = {"@type": f"{_PACKAGE}{_TYPES[self.endpoint]}Output", **output}
        return told

    def _metadata(self, output: JsonDict | None, *, state: str) -> dict[str, object]:
        told: dict[str, object] = {
            "@type": _PACKAGE + _TYPES[self.endpoint],
            "name": f"batches/{self.id}",
            "model": f"models/{self.model}",
            "createTime": timestamp(self.created_ns),
            "updateTime": timestamp(self.updated_ns),
            "state": f"BATCH_STATE_{state}",
        }
        if self.display_name:
            told["displayName"] = self.display_name
        if self.input_file_id:
            told["inputConfig"] = {"fileName": f"files/{self.input_file_id}"}
        if not self.meets(Scenario.NULL_COUNTS):
            told["batchStats"] = self._stats()
        if self.is_final:
            told["endTime"] = timestamp(self.updated_ns)
        return told if output is None else told | {"output": output}

    def _stats(self) -> dict[str, str]:
        counts = {
            "requestCount": self.total,
            "successfulRequestCount": self.succeeded,
            "failedRequestCount": self.failed,
            "pendingRequestCount": 0 if self.is_final else self.total - self.succeeded - self.failed,
        }
        return {name: str(count) for name, count in counts.items() if count}  # 64-bit numbers are texts, 0 is left out

    def _output(self, inlined: list[Any] | None) -> JsonDict | None:
        if inlined is not None:
            return {"inlinedResponses": {"inlinedResponses": inlined}}
        return {"responsesFile": f"files/{self.output_file_id}"} if self.output_file_id else None


class GeminiBatchStore(BatchFolder[GeminiBatch]):
    """All batches of one stand-in; beside each its inline requests (``input``) and answers (``output``)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder, GeminiBatch, absent=lambda _: GeminiRefusedError(NOT_FOUND), beside=("input", "output")
        )

    def document(self, batch: GeminiBatch) -> dict[str, object]:
        """Return the operation as the API shows it."""
        output = self.path(batch.id, "output")
        inlined = None
        if batch.inlined and batch.is_final and output.exists():
            inlined = [orjson.loads(line) for line in output.read_bytes().split(b"\n") if line]
        return batch.as_json(inlined)
