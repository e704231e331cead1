import os
import subprocess
import sys
from dataclasses import replace

import pytest

from eval_pipeline.core.runs import Worker
from eval_pipeline.dispatch.workers import this_host, this_worker, worker_is_dead

PATIENCE_S = 30


def other_process() -> subprocess.Popen[bytes]:
    """Start a process that tells who it is and ends when its input does."""
    script = (
        "import sys; from eval_pipeline.dispatch.workers import this_worker; w = this_worker(); "
        "print(w.host, w.pid, w.started_at, flush=True); sys.stdin.read()"
    )
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def who(process: subprocess.Popen[bytes]) -> Worker:
    assert process.stdout is not None
    host, pid, started_at = process.stdout.readline().decode().split()
    return Worker(host=host, pid=int(pid), started_at=float(started_at))


def test_a_worker_lives_until_it_is_killed_also_when_nobody_waited_for_it() -> None:
    with other_process() as process:
        worker = who(process)
        alive = worker_is_dead(worker)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and still listed
        unreaped = worker_is_dead(worker)
    assert (alive, unreaped, worker_is_dead(worker)) == (False, True, True)


def test_this_worker_is_the_same_whenever_asked_and_alive() -> None:
    assert this_worker() == this_worker()
    assert worker_is_dead(this_worker()) is False


def test_a_process_id_that_another_process_got_means_that_the_worker_is_dead() -> None:
    assert worker_is_dead(replace(this_worker(), started_at=this_worker().started_at - 100.0)) is True


@pytest.mark.parametrize("host", ["elsewhere#12345678", this_host().partition("#")[0]])
def test_nothing_is_known_of_a_worker_of_another_host_or_of_another_container_of_this_name(host: str) -> None:
    assert worker_is_dead(replace(this_worker(), host=host, pid=1)) is None


def test_the_system_s_first_process_is_seen_though_it_is_not_ours() -> None:
    assert worker_is_dead(replace(this_worker(), pid=1)) in {True, None}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep the wall clock of the start")
def test_the_start_counts_from_boot_so_that_no_change_of_the_wall_clock_moves_it() -> None:
    with open("/proc/uptime") as uptime:  # noqa: PTH123 - one line
        assert 0 < this_worker().started_at < float(uptime.read().split()[0])
