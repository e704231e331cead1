"""The sensor that looks after provider batches: polls them, and starts the runs that take their stages on."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventType

from eval_pipeline.core.batches import JobState, deadline_of, expiry_words, trouble_words
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import BUILT_IN, OPENAI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs.collectors import BEAT_EVERY_S, COLLECTORS
from eval_pipeline.defs.partitions import RUNS
from eval_pipeline.defs.run_sensors import ENDED, MOST_ATTEMPTS, is_under_way, run_key, runs_started_for
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.runs.batch_polling import Polled, poll_jobs
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.protocols import protocols_of

TICK_S = 40.0
"""Dagster ends a tick after 60 seconds."""
JOBS_A_TICK = 1_000
LOST_A_TICK = 20
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0, 15, 60, 180))
"""Between the runs that are asked for to take a stage on, after the first, the second and so on did not."""
LONGEST_PAUSE = timedelta(hours=1)
_MOST_DOUBLINGS = 8
FRESHNESS_CHECK = "batch_freshness"
_SHOWN_WORDS = 1_000
_LAST_TICK_WITHIN_S = 120.0
"""Ticks follow each other within seconds, and none lasts longer than one minute."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a tick leaves to the next one."""

    after_id: int = 0
    """Of the jobs that were looked after."""
    alerts: Mapping[str, str] = field(default_factory=dict)
    """What the checks say at present, by partition and stage."""
    beat_s: float = 0.0
    """When the collector last said that it lives, in seconds since 1970."""
    ended_s: float = 0.0
    """When the tick that left this ended."""

    @classmethod
    def read(cls, cursor: str | None) -> "_Place":
        return cls(**json.loads(cursor)) if cursor else cls()

    def written(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def look_after_batches(
    context: dg.SensorEvaluationContext, deployment: Deployment, *, family: str
) -> dg.SensorResult | dg.SkipReason:
    """Poll one page of open jobs; the next tick goes on behind it."""
    place = _Place.read(context.cursor)
    jobs = deployment.ledger.open_jobs(protocols=protocols_of(family), after_id=place.after_id, limit=JOBS_A_TICK)
    end_s = monotonic() + TICK_S
    lost = deployment.ledger.lost_jobs(protocols=protocols_of(family), due=utc_now(), limit=LOST_A_TICK)
    polled = poll_jobs(deployment, [*jobs, *lost], time_left=lambda: end_s - monotonic())
    requests = dict(_requests(context.instance, deployment, polled))
    all_seen = place.after_id == 0 and len(jobs) < JOBS_A_TICK
    alerts = _tell_checks(context.instance, deployment, polled, {job.stage for job in jobs}, place, all_seen=all_seen)
    beat_s = _beat(context.instance, family, place)
    after_id = jobs[-1].id if len(jobs) == JOBS_A_TICK else 0
    left = _Place(after_id, alerts, beat_s, ended_s=utc_now().timestamp()).written()
    if not jobs and not lost:
        context.update_cursor(left)
        words = "no batch is open" if place.after_id == 0 else "went through all open batches; beginning anew"
        return dg.SkipReason(words)
    context.log.info(polled.sentence())
    return dg.SensorResult(
        run_requests=list(requests.values()),
        skip_reason=None if requests else dg.SkipReason(polled.sentence()),
        cursor=left,
        dynamic_partitions_requests=_partitions(requests),
    )


def _partitions(requests: Iterable[StageRef]) -> list[dg.AddDynamicPartitionsRequest]:
    """Bring every request's partition with it: one that was deleted in the UI would fail the tick for everybody."""
    keys: dict[Flow, list[str]] = {}
    for stage in requests:
        keys.setdefault(stage.flow, []).append(stage.key.partition)
    return [RUNS[flow].build_add_request(sorted(set(names))) for flow, names in keys.items()]


def _beat(instance: dg.DagsterInstance, family: str, place: _Place) -> float:
    """Materialize the collector's own asset now and then: its freshness policy tells when nobody collects any more.

    What a tick left is kept only when it has ended well: while ticks fail there is nothing new, and no beat.
    """
    now_s = utc_now().timestamp()
    beaten = 0 <= now_s - place.beat_s < BEAT_EVERY_S
    if beaten or not 0 <= now_s - place.ended_s < _LAST_TICK_WITHIN_S:
        return place.beat_s
    instance.report_runless_asset_event(
        dg.AssetMaterialization(COLLECTORS[family].key, description="looked after open batches")
    )
    return now_s


def _requests(
    instance: dg.DagsterInstance, deployment: Deployment, polled: Polled
) -> Iterator[tuple[StageRef, dg.RunRequest]]:
    """Ask for one run a stage; what goes wrong with one is told of that one alone."""
    for stage in polled.ready:
        try:
            request = _request(instance, deployment, stage, polled=polled)
        except EvalPipelineError as error:
            polled.alert(stage, f"{stage}: {error.message}; {error.hint}")
        except dg.DagsterError as error:
            polled.alert(stage, f"{stage}: Dagster cannot start a run for it: {error}")
        else:
            if request is not None:
                yield stage, request


def _request(
    instance: dg.DagsterInstance, deployment: Deployment, stage: StageRef, *, polled: Polled
) -> dg.RunRequest | None:
    """Ask for a run that takes a stage on, unless one is under way or has ended a moment ago."""
    wake = wake_name(deployment, stage)
    runs = runs_started_for(instance, wake, partition=stage.key.partition)
    if len(runs) >= MOST_ATTEMPTS:
        words = f"{counted(len(runs), 'run')} could not take it on; see their logs; another one follows within an hour"
        polled.alert(stage, f"{stage}: {words}, or at once: run retry")
    if any(is_under_way(run) for run in runs) or _is_worked_on(instance, stage) or _is_too_early(runs):
        return None
    first = _first_to_make(deployment, stage)
    return dg.RunRequest(
        run_key=run_key(wake, number=len(runs)),
        partition_key=stage.key.partition,
        job_name=str(stage.flow),
        asset_selection=[dg.AssetKey([str(stage.flow), name]) for name in plan_of(stage.flow).stages_from(first)],
    )


def pause_after(attempts: int) -> timedelta:
    """Return how long nobody tries again after so many runs that did not take a stage on: longer and longer, no end."""
    known = PAUSES[:attempts]
    doublings = min(max(0, attempts - len(PAUSES)), _MOST_DOUBLINGS)
    return min(known[-1] * (1 << doublings), LONGEST_PAUSE) if known else timedelta()


def _is_too_early(runs: Sequence[dg.RunRecord]) -> bool:
    """Tell whether the last run that did not take a stage on ended a moment ago: its provider may be away longer."""
    if not runs:
        return False
    since = datetime.now(UTC) - max(run.update_timestamp.astimezone(UTC) for run in runs)
    return timedelta() <= since < pause_after(len(runs))


def _first_to_make(deployment: Deployment, stage: StageRef) -> str:
    """Return the stage that a run begins with: the one that submits, when its process died before it had told so.

    What is submitted already it only tells.
    """
    submits = plan_of(stage.flow).submitting(stage.stage)
    told = deployment.stages.find(StageRef(flow=stage.flow, key=stage.key, stage=submits))
    return submits if told is None else stage.stage


def wake_name(deployment: Deployment, stage: StageRef) -> str:
    """Name what a run is started for; it changes with every submission of the stage."""
    newest = max((job.id for job in deployment.ledger.stage_jobs(stage)), default=0)
    return f"{stage.flow}/{stage.key.partition}/{stage.stage}/{newest}"


def _is_worked_on(instance: dg.DagsterInstance, stage: StageRef) -> bool:
    """Tell whether some run of the partition has not ended: it takes the stage on itself, or the next tick does."""
    statuses = [status for status in dg.DagsterRunStatus if status not in ENDED]
    tags = {"dagster/partition": stage.key.partition}
    under_way = instance.get_runs(dg.RunsFilter(tags=tags, statuses=statuses))
    return any(_is_of(run, stage.flow) for run in under_way)


def _is_of(run: dg.DagsterRun, flow: Flow) -> bool:
    """Tell whether a Dagster run may be a flow's: flows may share a partition; what is not known is waited for."""
    named = {run.job_name, *(key.path[0] for key in run.asset_selection or ())} & set(Flow)
    return not named or flow in named


def _tell_checks(
    instance: dg.DagsterInstance,
    deployment: Deployment,
    polled: Polled,
    stages: set[StageRef],
    place: _Place,
    *,
    all_seen: bool,
) -> dict[str, str]:
    """Evaluate the check anew of every stage whose alert came, changed or went; returns the alerts that stand."""
    found = {_alert_key(stage): polled.alerts[stage][:_SHOWN_WORDS] for stage in stages if stage in polled.alerts}
    seen = {_alert_key(stage) for stage in stages}
    kept = {key: words for key, words in place.alerts.items() if key not in seen and not all_seen}
    for key in sorted(found.keys() | place.alerts.keys()):
        if key not in kept and found.get(key) != place.alerts.get(key):
            with suppress(dg.DagsterError):  # one check that cannot be told keeps no batch from being collected
                _evaluate(instance, deployment, key, alert=found.get(key))
    return kept | found


def _alert_key(stage: StageRef) -> str:
    return f"{stage.flow} {stage.key.partition} {stage.stage}"


def _evaluate(instance: dg.DagsterInstance, deployment: Deployment, key: str, *, alert: str | None) -> None:
    """Renew the evaluation that the run's own check made.

    Dagster keeps one evaluation a check, partition and run, and one in all that belongs to no run: a second one without
    a run is refused.
    """
    name, partition, stage = key.split(" ")
    flow = Flow(name)
    run = deployment.ledger.find_run(flow=flow, key=RunKey.from_partition(partition))
    if run is None or run.dagster_run_id is None:
        return
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey([str(flow), plan_of(flow).submitting(stage)]),
        check_name=FRESHNESS_CHECK,
        passed=alert is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=alert or "every batch is within its window",
        metadata={},
        partition=partition,
    )
    event = DagsterEvent(
        DagsterEventType.ASSET_CHECK_EVALUATION.value, job_name=str(flow), event_specific_data=evaluation
    )
    instance.report_dagster_event(event, run_id=run.dagster_run_id)


def judge_freshness(task: Task, *, collected_by: str) -> dg.AssetCheckResult:
    """Judge the batches of one stage by the ledger alone."""
    jobs = task.deployment.ledger.stage_jobs(task.ref(collected_by))
    protocol = jobs[0].protocol if jobs else BUILT_IN[OPENAI]
    policy = models.batch_policy(task.deployment.settings, protocol=protocol)
    out = [job for job in jobs if job.state is JobState.SUBMITTED]
    overdue = [job for job in out if utc_now() > deadline_of(job, policy=policy)]
    expiring = expiry_words(jobs, now=utc_now(), policy=policy)
    troubles = list(dict.fromkeys(words for job in jobs for words in trouble_words(job)))
    all_of_them = counted(len(jobs), "batch", verb=("is", "are"))
    words = f"{len(out):,} of {all_of_them} at the provider, {len(overdue):,} for longer than the window"
    return dg.AssetCheckResult(
        passed=not overdue and expiring is None and not troubles,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, (words, expiring, *troubles)))[:_SHOWN_WORDS],
        metadata={"overdue": len(overdue)},
    )
