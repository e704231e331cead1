"""Whether the Dagster instance opens and a daemon looks after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
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


def daemon_beats(*, tell: Callable[[str], None], now_s: Callable[[], float] = time.time) -> bool:
    """Watch the heartbeats for as long as one takes, and return whether a daemon lives; at once when none did lately.

    Args:
        tell: says that this takes a moment.
        now_s: the time of day.
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
            time.sleep(1)
        return False


def _newest_beat(instance: dg.DagsterInstance) -> float:
    return max((beat.timestamp for beat in instance.get_daemon_heartbeats().values()), default=0.0)


def describe_instance() -> InstanceState:
    """Open the instance and say how it is."""
    try:
        with open_instance() as instance:
            if _alive(instance):
                return InstanceState(ok=True, detail="the instance opens, a daemon is running")
            return InstanceState(
                ok=None, detail="the instance opens, no daemon is running", hint="eval-pipeline up starts one"
            )
    except (dg.DagsterError, SQLAlchemyError, OSError) as error:
        return InstanceState(ok=False, detail=f"instance does not open: {error}", hint="check dagster.yaml")


def _alive(instance: dg.DagsterInstance) -> bool:
    statuses = get_daemon_statuses(instance, instance.get_required_daemon_types(), ignore_errors=True)
    return bool(statuses) and all(status.healthy for status in statuses.values())
