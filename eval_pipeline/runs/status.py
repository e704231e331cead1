"""Where a run stands, stage by stage, read from manifests and leases alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from eval_pipeline.core.batches import (
    NOT_SENT,
    BatchJob,
    BatchPolicy,
    JobState,
    expiry_words,
    results_deleted_at,
    submitted_words,
)
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_summary import PaidSummary, item_counts
from eval_pipeline.core.ports.ledger import LeaseHeld
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.workers import worker_is_dead
from eval_pipeline.runs.control import run_json
from eval_pipeline.runs.flow import Asks, FlowPlan, plan_of
from eval_pipeline.runs.life import find_run
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.models import batch_policy


def run_status(deployment: Deployment, *, flow: Flow, key: RunKey) -> JsonDict:
    """Return the run's row and the state of each of its stages."""
    run = find_run(deployment, flow=flow, key=key)
    names = plan_of(flow).stage_names
    jobs = deployment.ledger.run_jobs(flow=flow, key=key)
    stages = [_stage_status(deployment, run, StageRef(flow=flow, key=key, stage=name)) for name in names]
    notes = {stage["stage"]: stage["note"] for stage in stages}
    notes |= _submitted(plan_of(flow), jobs, stored=notes)
    told = [stage | {"note": notes[stage["stage"]]} for stage in stages]
    return {**run_json(run), "stages": told, "batches": batches_json(deployment, jobs)}


def _submitted(plan: FlowPlan, jobs: Sequence[BatchJob], *, stored: Mapping[str, str | None]) -> dict[str, str]:
    """Say what stages have submitted, as the ledger has it, where not all was sent when the stage was stored."""
    told: dict[str, str] = {}
    for stage in dict.fromkeys(job.stage.stage for job in jobs):
        mine = [job for job in jobs if job.stage.stage == stage]
        name = plan.submitting(stage)
        unsent = any(job.state is JobState.INTENT for job in mine) or not any(job.provider_id for job in mine)
        if unsent or NOT_SENT in (stored[name] or ""):
            told[name] = submitted_words(mine)
    return told


def batches_json(deployment: Deployment, jobs: Sequence[BatchJob]) -> list[JsonDict]:
    """Return what a person wants to know of a run's batches: what is waiting for what, and since when."""
    protocols = {job.protocol for job in jobs}
    policies = {protocol: batch_policy(deployment.settings, protocol=protocol) for protocol in protocols}
    return [_batch_json(job, now=datetime.now(UTC), policy=policies[job.protocol]) for job in jobs]


def _batch_json(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> JsonDict:
    deleted_at = results_deleted_at(job, policy=policy)
    since = job.provider_created_at or job.created_at
    until = job.ended_at or now
    return {
        "stage": job.stage.stage,
        "job": job.name,
        "round": job.round,
        "shard": job.shard,
        "attempt": job.attempt,
        "state": str(job.state),
        "provider_status": job.provider_status,
        "batch": job.provider_id,
        "model": job.model,
        "requests": job.requests,
        "completed": job.completed,
        "failed": job.failed,
        "outcomes": job.outcomes,
        "created_at": job.created_at.isoformat(),
        "submitted_at": None if job.provider_created_at is None else job.provider_created_at.isoformat(),
        "looked_at": None if job.looked_at is None else job.looked_at.isoformat(),
        "ended_at": None if job.ended_at is None else job.ended_at.isoformat(),
        "results_deleted_at": None if deleted_at is None else deleted_at.isoformat(),
        "expiry": expiry_words([job], now=now, policy=policy),
        "waits_until": None if job.waits_until is None else job.waits_until.isoformat(),
        "age_s": (until - since).total_seconds(),
        "age": _age((until - since).total_seconds()),
        "anomalies": list(job.anomalies),
        "error": None if job.error_code is None else {"code": job.error_code, "message": job.error_message},
    }


def _age(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _stage_status(deployment: Deployment, run: RunRecord, ref: StageRef) -> JsonDict:
    stored = deployment.stages.find(ref)
    manifest = stored.manifest if stored else None
    lease = deployment.ledger.find_lease(ref.prefix)
    paid = plan_of(ref.flow).stage(ref.stage).paid
    under_way = lease is not None or manifest is None
    so_far = _so_far(deployment, run, ref, asks=paid.asks) if paid and paid.asks and under_way else None
    return {
        "stage": ref.stage,
        "state": _state(lease, manifest),
        "rows": manifest.rows if manifest and manifest.columns else None,
        "finished_at": manifest.created_at.isoformat() if manifest else None,
        "progress": so_far,
        "note": f"{so_far['done']:,} of {so_far['total']:,} so far"
        if so_far
        else _note(manifest)
        if manifest
        else None,
    }


def _so_far(deployment: Deployment, run: RunRecord, ref: StageRef, *, asks: Asks) -> dict[str, int] | None:
    """Count the items that a stage has asked already; None before the first one."""
    asked = deployment.stages.find(replace(ref, stage=asks.rows_of))
    with Journal(deployment.objects, ref).spool() as spool:
        index = RecordIndex(spool)
        done = sum(asks.counts(item_id) and index.finished(item_id) for item_id in index)
    if asked is None or not len(index):
        return None
    return {"done": done, "total": asked.manifest.rows * asks.each(run.spec)}


def _state(lease: LeaseHeld | None, manifest: Manifest | None) -> str:
    """Name the state of a stage; a lease whose holder is dead says where the work broke off."""
    if lease is not None:
        return "interrupted" if worker_is_dead(lease.holder) else "at work"
    return "done" if manifest else "not yet"


def _note(manifest: Manifest) -> str | None:
    if (counts := item_counts(manifest)) is not None:
        return f"{counts.failed:,} of {counts.total:,} failed{_why(PaidSummary.find(manifest))}"
    note = manifest.summary.get("note")
    return None if note is None else str(note)


def _why(paid: PaidSummary | None) -> str:
    reasons = () if paid is None else paid.threshold.reasons[:1]
    return "".join(f", {reason.count:,} with {reason.words}" for reason in reasons)
