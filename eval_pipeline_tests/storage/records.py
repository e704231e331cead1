"""Datasets, runs and batch jobs as tests need them: every field has a value, and one changes what matters."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from eval_pipeline.core.batches import BatchJob, BatchPolicy, JobState
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, SkippedRow
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.ledger import BatchLedger, RunLedger
from eval_pipeline.core.protocols import BUILT_IN, ApiProtocol
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef

MOMENT = datetime(2026, 5, 21, 12, 30, 15, 123456, tzinfo=UTC)
KEY = RunKey(project="default", run="first")
POLICY = BatchPolicy(window_s=86_400.0, results_kept_s=30 * 86_400.0, expiry_warning_s=7 * 86_400.0)
"""The patience with OpenAI."""

_DATASET = DatasetVersion(
    project="default",
    name="golden",
    version=sha256(b"golden").hexdigest(),
    kind=DatasetKind.TEXT,
    original_items_count=3,
    duplication_factor=2,
    encoding="utf-8",
    size_bytes=5_000_000_000,
    skipped_rows_count=1,
    skipped_rows=(SkippedRow(line=4, reason="blank answer"),),
    warnings=("question 2 stands on lines 3 and 7",),
    prefix="datasets/default/golden",
    description="स्वर्ण प्रश्न",
    created_at=MOMENT,
)

_RUN = RunRecord(
    key=KEY,
    flow=Flow.TEXT,
    state=RunState.REQUESTED,
    spec={"model": {"model": "gpt-5", "temperature": 0.1}, "z": 1, "a": [None, "ü\x00"]},
    spec_hash="a" * 64,
    dataset_name="golden",
    dataset_version=_DATASET.version,
    mode=RunMode.FAST,
    requested_by="someone",
    created_at=MOMENT,
    updated_at=MOMENT,
)


def a_dataset(name: str = "golden", content: str = "golden", **changes: Any) -> DatasetVersion:  # noqa: ANN401 - any field
    """Return a dataset version with the hash of its content."""
    return replace(_DATASET, **{"name": name, "version": sha256(content.encode()).hexdigest(), **changes})


def a_run(name: str = "first", *, project: str = "default", **changes: Any) -> RunRecord:  # noqa: ANN401 - any field
    """Return a run of the dataset."""
    return replace(_RUN, **{"key": RunKey(project=project, run=name), **changes})


def change_run(ledger: RunLedger, *, flow: Flow = Flow.TEXT, key: RunKey = KEY, **changes: Any) -> None:  # noqa: ANN401 - any field
    """Change a run's row, as nobody else does at the same time."""
    run = ledger.find_run(flow=flow, key=key)
    assert run is not None
    assert ledger.swap_run(run, replace(run, **changes))


def a_job(run: str = "first", *, project: str = "default", at: datetime = MOMENT, **changes: Any) -> BatchJob:  # noqa: ANN401 - any field
    """Return the intent to submit the answers of a run, made at that moment."""
    job = BatchJob(
        id=0,
        stage=StageRef(flow=Flow.TEXT, key=RunKey(project=project, run=run), stage="responses"),
        round=0,
        shard=0,
        attempt=0,
        submission_key=f"key-{project}-{run}",
        fingerprint="f" * 64,
        provider="openai",
        protocol=ApiProtocol.OPENAI_RESPONSES,
        account="account",
        base_url="http://127.0.0.1/v1",
        model="gpt-4o-mini",
        endpoint="/v1/responses",
        requests=5,
        size_bytes=100,
        state=JobState.INTENT,
        created_at=at,
        updated_at=at,
    )
    protocol = BUILT_IN.get(changes.get("provider", job.provider), job.protocol)
    return replace(job, **{"protocol": protocol, **changes})


def as_it_stands(ledger: BatchLedger, job: BatchJob) -> BatchJob:
    """Read a job again."""
    [now] = [each for each in ledger.stage_jobs(job.stage) if each.id == job.id]
    return now
