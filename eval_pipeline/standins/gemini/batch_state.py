"""One batch as the stand-in knows it, how the API shows it, and the folder that outlives the process."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.batch_faults import BatchRule, Scenario, read_batch_rule
from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.gemini.errors import NOT_FOUND, GeminiRefusedError
from eval_pipeline.standins.pace import timestamp
from eval_pipeline.standins.state_files import write_json

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})
_PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_TYPES = {"generate": "GenerateContentBatch", "embed": "EmbedContentBatch"}


@dataclass(slots=True, kw_only=True)
class GeminiBatch:
    """One batch; ``looks`` counts how often a client has seen it, ``final_looks`` since it ended."""

    id: str
    endpoint: str
    model: str
    display_name: str | None
    input_file_id: str | None
    created_ns: int
    updated_ns: int
    rule: BatchRule | None = None
    state: str = "PENDING"
    forced: str | None = None
    forced_done: int = 0
    cancelling: bool = False
    looks: int = 0
    final_looks: int = 0
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    error: JsonDict | None = None
    output_file_id: str | None = None
    inlined: bool = False
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL

    def meets(self, *scenarios: Scenario) -> bool:
        """Tell whether it meets one of these scenarios."""
        return self.rule is not None and self.rule.scenario in scenarios

    def enter(self, state: str, *, now_ns: int) -> None:
        """Go on to a state."""
        if state != self.state:
            self.state, self.updated_ns = state, now_ns

    def hidden_from(self, *, listing: bool) -> bool:
        """Tell whether a client does not find it, in a list or by its name."""
        looks = self.looks + 1
        vanished = self._shows(Scenario.VANISHED, looks=looks)
        return vanished or (not listing and self._shows(Scenario.FORGOTTEN, looks=looks))

    def as_json(self, inlined: list[Any] | None) -> dict[str, object]:
        """Return the operation as the API shows it at this look.

        Args:
            inlined: The answers to requests that came inline, if there are any.
        """
        output = None if self._shows(Scenario.LATE_FILES, looks=self.final_looks) else self._output(inlined)
        shows_unknown = self._shows(Scenario.UNKNOWN_STATUS, looks=self.looks) and self.looks
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

    def _shows(self, scenario: Scenario, *, looks: int) -> bool:
        return self.rule is not None and self.rule.scenario is scenario and self.rule.lasts(looks)


class GeminiBatchStore:
    """All batches of one stand-in, in one folder; beside each its inline requests and answers, and what it billed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        read = [_read(path) for path in folder.glob("*.json")]
        self._batches = {batch.id: batch for batch in sorted(read, key=lambda batch: batch.created_ns)}

    def __getitem__(self, batch_id: str) -> GeminiBatch:
        try:
            return self._batches[batch_id]
        except KeyError:
            raise GeminiRefusedError(NOT_FOUND) from None

    def newest_first(self) -> list[GeminiBatch]:
        """Return all batches."""
        return list(reversed(self._batches.values()))

    def save(self, batch: GeminiBatch) -> None:
        """Keep a batch as it is now."""
        self._batches[batch.id] = batch
        write_json(self._folder / f"{batch.id}.json", asdict(batch))

    def path(self, batch_id: str, kind: str) -> Path:
        """Return where the ``input``, ``output`` or ``billed`` lines of a batch are."""
        return self._folder / f"{batch_id}.{kind}"

    def document(self, batch: GeminiBatch) -> dict[str, object]:
        """Return the operation as the API shows it."""
        output = self.path(batch.id, "output")
        inlined = None
        if batch.inlined and batch.is_final and output.exists():
            inlined = [orjson.loads(line) for line in output.read_bytes().split(b"\n") if line]
        return batch.as_json(inlined)

    def billed_paths(self) -> list[Path]:
        """Return where it is noted what was billed, also for batches that were deleted."""
        return sorted(self._folder.glob("*.billed"))

    def remove(self, batch_id: str) -> None:
        """Delete a batch; what it billed stays noted."""
        self._batches.pop(batch_id, None)
        for kind in ("json", "input", "output"):
            self.path(batch_id, kind).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all batches and bills."""
        for batch_id in list(self._batches):
            self.remove(batch_id)
        for path in self.billed_paths():
            path.unlink(missing_ok=True)


def _read(path: Path) -> GeminiBatch:
    document: JsonDict = orjson.loads(path.read_bytes())
    rule = document["rule"]
    return GeminiBatch(**{**document, "rule": None if rule is None else read_batch_rule(rule)})
