"""Whether the Dagster instance opens and a daemon looks after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._daemon.controller import get_daemon_statuses
from sqlalchemy.exc import SQLAlchemyError

from eval_pipeline.defs.instance import open_instance

_BEAT_LATEST_S = 45
"""Dagster's daemons beat every 30 seconds."""


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What there is to say of the instance; ``ok`` is None where no daemon runs."""

    ok: bool | None
    detail: str
    hint: str = ""


def daemon_is_alive() -> bool:
    """Return whether every daemon that this instance needs has beaten lately."""
    with open_instance() as instance:
        return _alive(instance)


def daemon_beats(
    *,
    tell: Callable[[str], None],
    now_s: Callable[[], float] = time.time,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """Watch the heartbeats for as long as one takes, and return whether a daemon lives; at once when none did lately.

    Args:
        tell: says that this takes a moment.
        now_s: the time of day.
        wait: waits so many seconds.
    """
    with open_instance() as instance:
        before = _newest_beat(instance)
        if now_s() - before > _BEAT_LATEST_S:
            return False
        tell(f"a daemon beat {now_s() - before:.0f} s ago; watching for {_BEAT_LATEST_S} s whether it still does")
        until = before + _BEAT_LATEST_S
        while now_s() <= until:
            if _newest_beat(instance) > before:
                return True
            wait(1)
        return False


def _newest_beat(instance: dg.DagsterInstance) -> float:
    return max((beat.timestamp for beat in instance.get_daemon_heartbeats().values()), default=0.0)


def describe_instance() -> InstanceState:
    """Open the instance and say how it is."""
    try:
        with open_instance() as instance:
            if failing := failing_sensors(instance):
                hint = "the sensor's ticks in the Dagster UI tell more; what it looks after waits meanwhile"
                return InstanceState(ok=False, detail="; ".join(failing), hint=hint)
            if _alive(instance):
                return InstanceState(ok=True, detail="the instance opens, a daemon is running")
            return InstanceState(
                ok=None, detail="the instance opens, no daemon is running", hint="eval-pipeline up starts one"
            )
    except (dg.DagsterError, SQLAlchemyError, OSError) as error:
        return InstanceState(ok=False, detail=f"instance does not open: {error}", hint="check dagster.yaml")


def failing_sensors(instance: dg.DagsterInstance) -> list[str]:
    """Say of every sensor that is on and whose newest tick failed why it did."""
    found: list[str] = []
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        if not state.is_running:
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_ENDED_TICKS)
        if ticks and ticks[0].status is TickStatus.FAILURE:
            error = ticks[0].error
            lines = (error.cause or error).message.strip().splitlines() if error else []
            found.append(f"the sensor {state.instigator_name} fails: {lines[0] if lines else 'no reason is told'}")
    return found


_ENDED_TICKS = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]


def _alive(instance: dg.DagsterInstance) -> bool:
    statuses = get_daemon_statuses(instance, instance.get_required_daemon_types(), ignore_errors=True)
    return bool(statuses) and all(status.healthy for status in statuses.values())
