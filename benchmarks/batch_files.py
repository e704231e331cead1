"""A provider of batches whose files lie on the local disk: what is measured is ours, not a server's."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from eval_pipeline.core.batches import BatchJob, BatchListing, JobState, Phase, ProviderBatch
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.submit import utc_now

_WORDS: Final = "There were as many at the end as the days and the first count make, which was to be found out. "


class FileBatches:
    """Files and batches in a folder; a batch is completed as soon as it is made, and its answers when they are read."""

    account = "files"
    base_url = "http://127.0.0.1/v1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def now(self) -> datetime:
        """Return the present."""
        return datetime.now(UTC)

    @property
    def uploads(self) -> bool:
        """Whether request files are copied first."""
        return True

    def upload(self, path: Path, *, name: str) -> str:
        """Copy a request file."""
        shutil.copyfile(path, self._folder / name)
        return name

    def create(self, requests: str | Path, *, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Make a batch."""
        del endpoint, labels
        (self._folder / f"{requests}.batch").write_text(json.dumps({"key": key}), encoding="utf-8")
        return self.find(str(requests))

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one up."""
        key = json.loads((self._folder / f"{batch_id}.batch").read_text(encoding="utf-8"))["key"]
        return ProviderBatch(
            id=batch_id,
            phase=Phase.COMPLETED,
            status="completed",
            key=key,
            created_at=self.now(),
            input_file_id=batch_id,
            output_file_id=f"{batch_id}.out",
        )

    def identify(self, batch_id: str) -> ProviderBatch:
        """Look one up."""
        return self.find(batch_id)

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List all."""
        del since, most_calls
        found = tuple(self.find(path.stem) for path in sorted(self._folder.glob("*.batch")))
        return BatchListing(batches=found, whole=True, calls=1, provider_now=self.now())

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Do nothing: it has ended."""
        return self.find(batch_id)

    def download(self, file_id: str, path: Path, *, most_bytes: int = 0) -> None:
        """Write an answer to every request."""
        del most_bytes
        with (self._folder / file_id.removesuffix(".out")).open("rb") as requests, path.open("wb") as file:
            for line in requests:
                file.write(answer_line(orjson.loads(line)["custom_id"]))

    def knows_file(self, file_id: str) -> bool:
        """Tell whether a file lies here."""
        return (self._folder / file_id).exists()

    def delete_file(self, file_id: str) -> None:
        """Let the disk have its room back."""
        (self._folder / file_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open."""


def job_of_files(number: int, **facts: Any) -> BatchJob:  # noqa: ANN401 - fields of a job
    """Make a job, at this provider, of a run of its own."""
    facts = {"created_at": utc_now(), "requests": 5, "state": JobState.SUBMITTED, **facts}
    return BatchJob(
        id=0,
        stage=StageRef(flow=Flow.TEXT, key=RunKey(project="default", run=f"run-{number}"), stage="responses"),
        round=0,
        shard=0,
        attempt=0,
        submission_key=f"key-{number}",
        fingerprint="f",
        provider="openai",
        protocol=ApiProtocol.OPENAI_RESPONSES,
        account=FileBatches.account,
        base_url=FileBatches.base_url,
        model="gpt-4o-mini",
        endpoint="/v1/responses",
        size_bytes=1,
        updated_at=facts["created_at"],
        provider_id=f"b{number}",
        **facts,
    )


def answer_line(custom_id: str) -> bytes:
    """Write the line of one answer with the fields that the Responses API gives, about 1,500 bytes."""
    body: dict[str, Any] = {
        "id": f"resp_{custom_id:0>48}",
        "object": "response",
        "created_at": 1_772_000_000,
        "status": "completed",
        "background": False,
        "billing": {"payer": "developer"},
        "completed_at": 1_772_000_009,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": "gpt-4o-mini-2024-07-18",
        "output": [
            {
                "id": f"msg_{custom_id:0>48}",
                "type": "message",
                "status": "completed",
                "content": [
                    {"type": "output_text", "annotations": [], "logprobs": [], "text": 2 * _WORDS + custom_id},
                ],
                "role": "assistant",
            }
        ],
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 36,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 47,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 83,
        },
        "user": None,
        "metadata": {},
    }
    response = {"status_code": 200, "request_id": f"req_{custom_id:0>32}", "body": body}
    return orjson.dumps({"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None}) + b"\n"
