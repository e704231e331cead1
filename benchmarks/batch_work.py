"""What is measured of batches, each verb in a process of its own; prints one JSON document."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import orjson
import pybase64

from benchmarks.batch_files import FileBatches, answer_line, job_of_files
from eval_pipeline.core.batches import BatchPolicy, JobState, Phase, ProviderBatch
from eval_pipeline.core.journal_lines import unsealed
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.batch_results import AnswerResults, VectorResults
from eval_pipeline.dispatch.collect import Handling, collect_job
from eval_pipeline.dispatch.request_files import ShardLimits, write_shards
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_embedding_line, read_response_line
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import SpooledJournal
from eval_pipeline.text_eval.stages import dataset, response_batch, responses, spec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment

SHARD: Final = 50_000
_QUESTION: Final = (
    "On Monday the baker counted 37 loaves, and on every one of the next 12 days 5 more. How many at the end?"
)
_BODY: Final = {"model": "gpt-4o-mini", "instructions": "Answer briefly.", "temperature": 0.2}
_STAGE: Final = StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="million"), stage="responses")


class _Silent:
    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Tell nobody."""


@contextmanager
def _task(folder: Path) -> Iterator[Task]:
    """Work on a run of this home, with batches in a folder."""
    batches = FileBatches(folder / "provider")
    models.open_batches = lambda *_, **__: batches  # type: ignore[assignment]
    deployment = Deployment()
    try:
        yield Task(
            deployment=deployment,
            flow=_STAGE.flow,
            key=_STAGE.key,
            dagster_run_id="benchmark",
            retried_run_id=None,
            progress=_Silent(),
            say=lambda _: None,
        )
    finally:
        deployment.close()


def submit(folder: Path, golden: str) -> dict[str, Any]:
    """Freeze the run's items and submit them all."""
    with _task(folder) as task:
        given = {"dataset": golden, "mode": "batch", "model": "gpt-4o-mini", "scorers": ["exact_match"]}
        items = dataset.make(task, spec=spec.make(replace(task, given=given)))
        stored = response_batch.make(task, dataset=items)
        return {"batches": stored.manifest.summary["batches"]}


def collect(folder: Path) -> dict[str, Any]:
    """Bring all of them home and store every item."""
    with _task(folder) as task:
        items, batch = (task.deployment.stages.open(task.ref(name)) for name in ("dataset", "response_batch"))
        stored = responses.make(task, dataset=items, response_batch=batch)
        if stored is None:
            raise RuntimeError("the run waits for batches that are completed")
        return {"items": stored.manifest.rows}


def building(folder: Path, items: int) -> dict[str, float]:
    """Build one shard's request file, and serialise the same lines with orjson alone."""
    template = OpenAILines(endpoint="/v1/responses", body=_BODY)
    ids = [f"q{number:07d}" for number in range(items)]
    limits = ShardLimits(requests=SHARD, size_bytes=1 << 40)

    def ours() -> None:
        lines = (template.line(item_id, _QUESTION) for item_id in ids)
        for _ in write_shards(lines, folder=folder, limits=limits):
            pass

    def alone() -> None:
        with (folder / "alone.jsonl").open("wb") as file:
            for item_id in ids:
                body = {**_BODY, "input": _QUESTION}
                line = {"custom_id": item_id, "method": "POST", "url": "/v1/responses", "body": body}
                file.write(orjson.dumps(line))
                file.write(b"\n")

    return _side_by_side(ours, alone, repeats=9)


def _side_by_side(ours: Callable[[], None], alone: Callable[[], None], *, repeats: int = 3) -> dict[str, float]:
    times: list[tuple[float, float]] = [(_timed(ours), _timed(alone)) for _ in range(repeats)]
    return {"ours_s": min(mine for mine, _ in times), "limit_s": min(theirs for _, theirs in times)}


def _timed(work: Callable[[], None]) -> float:
    started_s = time.process_time()  # what a busy machine adds is not ours
    work()
    return time.process_time() - started_s


def parsing(folder: Path, items: int) -> dict[str, float]:
    """Collect one shard of answers from our own copy of its files, and parse the same lines with orjson alone."""
    ids = [f"q{number:07d}" for number in range(items)]
    output = folder / "output.jsonl"
    output.write_bytes(b"".join(map(answer_line, ids)))
    handling = Handling(read=read_response_line, writer=lambda _: AnswerResults())
    ours = _collecting(folder, ids, handling=handling)

    def alone() -> None:
        with output.open("rb") as file:
            for line in file:
                orjson.loads(line)

    return _side_by_side(ours, alone, repeats=9)


def _collecting(folder: Path, ids: list[str], *, handling: Handling) -> Callable[[], None]:
    """Return the collecting of one job whose files lie in the folder; what brings them there is not measured."""
    template = OpenAILines(endpoint="/v1/responses", body=_BODY)
    requests, output = folder / "requests.jsonl", folder / "output.jsonl"
    requests.write_bytes(b"".join(template.line(item_id, _QUESTION) for item_id in ids))
    now = utc_now()
    batch = ProviderBatch(
        id="b", phase=Phase.COMPLETED, status="completed", key="k", created_at=now, output_file_id="output"
    )
    objects = SimpleNamespace(
        local_copy=lambda key: nullcontext(requests if key.endswith("/requests.jsonl") else output),
        put_file=lambda key, path: path.replace(folder / Path(key).name),
    )
    desk: Any = SimpleNamespace(
        objects=objects,
        provider=SimpleNamespace(find=lambda _: batch, delete_file=lambda _: None),
        ledger=SimpleNamespace(change_job=lambda job, **_: job),
        fence=SimpleNamespace(token=1, check=lambda: None),
        policy=BatchPolicy(window_s=86_400, results_kept_s=86_400, expiry_warning_s=86_400),
        now=utc_now,
    )
    job = job_of_files(0, created_at=now, requests=len(ids), state=JobState.ENDED)

    def work() -> None:
        if collect_job(desk, job, handling, folder=folder) is None:
            raise RuntimeError("the job was not collected")

    return work


def vectors(folder: Path, items: int, width: int) -> dict[str, float]:
    """Collect one shard of vectors and index them, and fill one matrix from the same file with two libraries alone."""
    ours = _collecting_vectors(folder, items, width=width)
    output = folder / "output.jsonl"

    def alone() -> None:
        matrix = np.empty((items, width), dtype=np.float32)
        with output.open("rb") as file:
            for row, line in enumerate(file):
                text = orjson.loads(line)["response"]["body"]["data"][0]["embedding"]
                matrix[row] = np.frombuffer(pybase64.b64decode(text), dtype=np.float32)

    return _side_by_side(ours, alone)


def vectors_once(folder: Path, items: int, width: int) -> dict[str, float]:
    """Collect one shard of vectors and do nothing else: the process's memory is what is measured."""
    _collecting_vectors(folder, items, width=width)()
    return {"items": items}


def _collecting_vectors(folder: Path, items: int, *, width: int) -> Callable[[], None]:
    ids = [f"{number:064x}" for number in range(items)]
    _write_vectors(folder / "output.jsonl", ids, width=width)
    handling = Handling(read=read_embedding_line, writer=lambda _: VectorResults(dimensions=None))
    collecting = _collecting(folder, ids, handling=handling)
    journal, spool = folder / "batch-r00-s0000-a00.jsonl", folder / "spool"

    def work() -> None:
        collecting()
        with journal.open("rb") as file, spool.open("w+b") as spooled:  # as a stage reads its journal
            spooled.writelines(line + b"\n" for line in unsealed(whole.rstrip(b"\n") for whole in file))
            spooled.flush()
            index = VectorIndex.read(SpooledJournal(spool, descriptor=spooled.fileno()))
        if len(index) != items:
            raise RuntimeError(f"{len(index)} of {items} vectors came")

    return work


def _write_vectors(path: Path, ids: list[str], *, width: int) -> None:
    chance = np.random.default_rng(width)
    with path.open("wb") as file:
        for item_id in ids:
            vector = pybase64.b64encode(chance.standard_normal(width, dtype=np.float32).tobytes()).decode()
            entry = {"object": "embedding", "index": 0, "embedding": vector}
            usage = {"prompt_tokens": 9, "total_tokens": 9}
            body = {"object": "list", "data": [entry], "model": "text-embedding-3-large", "usage": usage}
            line = {"id": "r", "custom_id": item_id, "response": {"status_code": 200, "body": body}, "error": None}
            file.write(orjson.dumps(line) + b"\n")


_VERBS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "submit": submit,
    "collect": collect,
    "building": building,
    "parsing": parsing,
    "vectors": vectors,
    "vectors-once": vectors_once,
}


def main() -> int:
    """Do one piece of work and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_work", description=__doc__)
    parser.add_argument("verb", choices=_VERBS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("given", nargs="*")
    taken = parser.parse_args()
    numbers = [int(word) if word.isdigit() else word for word in taken.given]
    print(json.dumps(_VERBS[taken.verb](taken.folder, *numbers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
