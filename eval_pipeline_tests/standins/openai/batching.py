"""Batches of the OpenAI protocol for tests: made with OpenAI's own client, read as the bytes that they are."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import openai

MODEL = "gpt-4o"
RESPONSES = "/v1/responses"
EMBEDDINGS = "/v1/embeddings"


def line(number: int, **changes: object) -> dict[str, Any]:
    body = {"model": MODEL, "input": f"question {number}"}
    return {"custom_id": f"k{number}", "method": "POST", "url": RESPONSES, "body": body, **changes}


def as_jsonl(lines: Iterable[object]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)


@dataclass(frozen=True)
class Batching:
    """One stand-in, through OpenAI's client and a bare one."""

    api: httpx.Client
    sdk: openai.OpenAI

    def upload(self, data: bytes, *, name: str = "in.jsonl") -> str:
        """Upload an input file and return its id."""
        return self.sdk.files.create(file=(name, data), purpose="batch").id

    def create(
        self, lines: Iterable[object] | bytes, *, url: str = RESPONSES, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Create a batch of a file with these lines and return its id."""
        file_id = self.upload(lines if isinstance(lines, bytes) else as_jsonl(lines))
        order = {"input_file_id": file_id, "endpoint": url, "completion_window": "24h", "metadata": metadata}
        answer = self.api.post("/v1/batches", json=order)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def spoil(self, scenario: str, **conditions: object) -> None:
        """Let the batches that are created from now on go wrong."""
        answer = self.api.post("/__standin__/batch_faults", json=[{"scenario": scenario, **conditions}])
        assert answer.status_code == 200, answer.text

    def look(self, batch_id: str) -> dict[str, Any]:
        """Look at a batch."""
        found: dict[str, Any] = self.api.get(f"/v1/batches/{batch_id}").json()
        return found

    def look_without_counting(self, batch_id: str) -> dict[str, Any]:
        """Return a batch as it is, without moving it on."""
        known: list[dict[str, Any]] = self.api.get("/__standin__/batches").json()
        return next(batch for batch in known if batch["id"] == batch_id)

    def status(self, batch_id: str) -> str:
        """Look at a batch and return its status."""
        return str(self.look(batch_id)["status"])

    def content(self, file_id: str) -> bytes:
        """Return the contents of a file."""
        return bytes(self.sdk.files.content(file_id).content)

    def output(self, batch_id: str) -> list[dict[str, Any]]:
        """Look at a batch and return the lines of its output file."""
        return _lines(self.content(self.look(batch_id)["output_file_id"]))

    def errors(self, batch_id: str) -> list[dict[str, Any]]:
        """Look at a batch and return the lines of its error file."""
        return _lines(self.content(self.look(batch_id)["error_file_id"]))

    def counts(self) -> dict[str, Any]:
        """Return what batches were counted and billed."""
        found: dict[str, Any] = self.api.get("/__standin__/counts?detail=1").json()["batches"]
        return found


def _lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in content.split(b"\n") if raw]


def text_of(entry: Mapping[str, Any]) -> str:
    [message] = [item for item in entry["response"]["body"]["output"] if item["type"] == "message"]
    return "".join(part["text"] for part in message["content"])
