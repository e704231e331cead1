"""Batches of the Gemini protocol for tests: made with Google's own client, read as the bytes that they are."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from google import genai
from google.genai import types

from eval_pipeline_tests.standins.speaking import CLIPS

MODEL = "gemini-2.5-flash"
JSONL = "application/jsonl"


def text_line(number: int, text: str | None = None) -> dict[str, Any]:
    contents = [{"role": "user", "parts": [{"text": text or f"question {number}"}]}]
    return {"key": f"k{number}", "request": {"contents": contents}}


def clip_line(number: int, uri: str) -> dict[str, Any]:
    parts = [{"text": "Transcribe."}, {"file_data": {"mime_type": "audio/wav", "file_uri": uri}}]
    return {"key": f"k{number}", "request": {"contents": [{"role": "user", "parts": parts}]}}


@dataclass(frozen=True)
class Batching:
    """One stand-in, through Google's client and a bare one."""

    api: httpx.Client
    google: genai.Client

    def upload(self, data: bytes, *, mime_type: str = JSONL) -> types.File:
        """Upload a file."""
        return self.google.files.upload(file=io.BytesIO(data), config={"mime_type": mime_type})

    def clip_lines(self) -> list[dict[str, Any]]:
        """Upload the clips and return a line for each."""
        uris = [self.upload(data, mime_type="audio/wav").uri or "" for data in CLIPS]
        return [clip_line(number, uri) for number, uri in enumerate(uris)]

    def create(self, lines: Iterable[object] | bytes, *, title: str = "a batch") -> str:
        """Create a batch of a file with these lines and return its name."""
        data = lines if isinstance(lines, bytes) else b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        source = self.upload(data).name or ""
        return self.google.batches.create(model=MODEL, src=source, config={"display_name": title}).name or ""

    def spoil(self, scenario: str, **conditions: object) -> None:
        """Let the batches that are created from now on go wrong."""
        answer = self.api.post("/__standin__/batch_faults", json=[{"scenario": scenario, **conditions}])
        assert answer.status_code == 200, answer.text

    def look(self, name: str) -> dict[str, Any]:
        """Return the raw operation."""
        found: dict[str, Any] = self.api.get(f"/v1/{name}").json()
        return found

    def state(self, name: str) -> str:
        """Look at a batch and return its state."""
        return str(self.look(name)["metadata"]["state"]).removeprefix("BATCH_STATE_")

    def content(self, name: str) -> bytes:
        """Look at a batch and return its result file."""
        return bytes(self.google.files.download(file=self.look(name)["metadata"]["output"]["responsesFile"]))

    def results(self, name: str) -> list[dict[str, Any]]:
        """Look at a batch and return the lines of its result file."""
        return [json.loads(line) for line in self.content(name).split(b"\n") if line]

    def counts(self) -> dict[str, Any]:
        """Return all counters."""
        found: dict[str, Any] = self.api.get("/__standin__/counts?detail=1").json()
        return found


def text_of(line: dict[str, Any]) -> str:
    parts = line["response"]["candidates"][0]["content"]["parts"]
    return "".join(part["text"] for part in parts)
