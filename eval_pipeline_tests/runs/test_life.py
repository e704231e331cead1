import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import EvalPipelineError, IncompleteError, NotFoundError, UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunRecord, RunState, Worker
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.runs.life import find_run, state_of, stored_error, working
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run, change_run

ELSEWHERE = Worker(host="another#0", pid=1, started_at=1.0)
DEAD = replace(this_worker(), started_at=-1.0)
BREACH = UsageError("too many failed", code="failure_threshold_breached", hint="look")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})
    opened.ledger.add_dataset(a_dataset())
    opened.ledger.claim_run(a_run())
    yield opened
    opened.close()


@pytest.fixture
def neighbour() -> Iterator[Worker]:
    """Another living process of this host."""
    code = (
        "from eval_pipeline.dispatch.workers import this_worker; w = this_worker(); "
        "print(w.pid, w.started_at, flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        pid, started_at = process.stdout.readline().split() if process.stdout else ("", "")
        yield Worker(host=this_worker().host, pid=int(pid), started_at=float(started_at))


def _put(deployment: Deployment, state: RunState, *, worker: Worker | None = None, error: Any = None) -> None:  # noqa: ANN401 - an error or none
    deployment.ledger.set_run_state(flow=Flow.TEXT, key=KEY, to=state, error=error)
    change_run(deployment.ledger, worker=worker, dagster_run_id="theirs")


def _work(deployment: Deployment, error: BaseException | None = None, **options: Any) -> RunRecord:  # noqa: ANN401 - as working takes them
    """Make one stage that ends as told, and return the run's row after it."""
    came_out = pytest.raises(type(error)) if error else nullcontext()
    with came_out, working(deployment, flow=Flow.TEXT, key=KEY, dagster_run_id="ours", **options):
        _end_with(error)
    return find_run(deployment, flow=Flow.TEXT, key=KEY)


def _end_with(error: BaseException | None) -> None:
    if error is not None:
        raise error


def test_an_unknown_run_is_told_with_the_way_to_make_it(deployment: Deployment) -> None:
    with pytest.raises(NotFoundError) as raised:
        find_run(deployment, flow=Flow.TEXT, key=RunKey(project="acme", run="nobody"))

    assert raised.value.code == "run_not_found"
    assert "acme" in raised.value.message


def test_a_run_is_this_process_while_a_stage_is_made(deployment: Deployment) -> None:
    with working(deployment, flow=Flow.TEXT, key=KEY, dagster_run_id="ours"):
        run = find_run(deployment, flow=Flow.TEXT, key=KEY)
        assert (run.state, run.worker, run.dagster_run_id) == (RunState.RUNNING, this_worker(), "ours")
    assert find_run(deployment, flow=Flow.TEXT, key=KEY).state is RunState.RUNNING


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (UsageError("bad", code="invalid_config", hint=""), RunState.FAILED, "invalid_config"),
        (IncompleteError("poor", code="budget_exceeded", hint=""), RunState.INCOMPLETE, "budget_exceeded"),
        (IncompleteError("stopped", code="run_cancelled", hint=""), RunState.CANCELLED, "run_cancelled"),
        (KeyError("what"), RunState.FAILED, "internal_error"),
        (KeyboardInterrupt(), RunState.INTERRUPTED, None),
        (SystemExit(1), RunState.INTERRUPTED, None),
    ],
)
def test_how_a_stage_ended_is_what_the_run_came_to(
    deployment: Deployment, error: BaseException, state: RunState, code: str | None
) -> None:
    run = _work(deployment, error)

    assert (run.state, run.error_code) == (state, code)


def test_a_completed_run_is_completed_again_when_one_stage_was_made_again(deployment: Deployment) -> None:
    _put(deployment, RunState.COMPLETED)

    assert _work(deployment).state is RunState.COMPLETED


def test_a_failed_run_keeps_its_mark_when_one_stage_was_made_again(deployment: Deployment) -> None:
    _put(deployment, RunState.FAILED, error=BREACH)

    run = _work(deployment)

    assert (run.state, run.error_code, run.error_hint) == (RunState.FAILED, BREACH.code, "look")


def test_where_a_stage_says_that_the_run_stands_is_where_it_stands(deployment: Deployment) -> None:
    """A stage of a completed run is made again, in batches: the run waits for them."""
    _put(deployment, RunState.COMPLETED)

    with working(deployment, flow=Flow.TEXT, key=KEY, dagster_run_id="ours"):
        deployment.ledger.set_run_state(flow=Flow.TEXT, key=KEY, to=RunState.WAITING)

    assert find_run(deployment, flow=Flow.TEXT, key=KEY).state is RunState.WAITING


def test_an_interrupted_run_that_is_taken_up_again_goes_on(deployment: Deployment) -> None:
    _put(deployment, RunState.INTERRUPTED, worker=DEAD)

    assert _work(deployment).state is RunState.RUNNING


@pytest.mark.parametrize(
    "error", [UsageError("bad", code="langfuse_down", hint=""), KeyError("what"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
def test_how_an_optional_stage_ends_is_not_the_runs_matter(
    deployment: Deployment, error: BaseException, state: RunState
) -> None:
    _put(deployment, state)

    run = _work(deployment, error, optional=True)

    assert (run.state, run.error_code) == (state, None)


def test_a_worker_that_lost_its_stage_leaves_the_run_to_the_one_that_took_it(deployment: Deployment) -> None:
    lost = UsageError("silent for too long", code="lease_lost", hint="")

    assert _work(deployment, lost, is_lost=lambda: True).state is RunState.RUNNING


@pytest.mark.parametrize("error", [None, UsageError("bad", code="invalid_config", hint="")])
def test_a_run_that_a_living_process_works_on_is_given_back_to_it(
    deployment: Deployment, neighbour: Worker, error: BaseException | None
) -> None:
    """A person may make scores while another process asks: the run must not seem to have lost its worker."""
    _put(deployment, RunState.RUNNING, worker=neighbour)

    run = _work(deployment, error)

    assert (run.state, run.worker, run.dagster_run_id) == (RunState.RUNNING, neighbour, "theirs")


def test_a_run_whose_process_died_is_taken_over(deployment: Deployment) -> None:
    _put(deployment, RunState.RUNNING, worker=DEAD)

    run = _work(deployment)

    assert (run.state, run.worker) == (RunState.RUNNING, this_worker())


@pytest.mark.parametrize(
    ("state", "worker", "shown"),
    [
        (RunState.RUNNING, this_worker(), RunState.RUNNING),
        (RunState.RUNNING, DEAD, RunState.INTERRUPTED),
        (RunState.REQUESTED, DEAD, RunState.INTERRUPTED),
        (RunState.REQUESTED, None, RunState.REQUESTED),
        (RunState.RUNNING, ELSEWHERE, RunState.RUNNING),
        (RunState.COMPLETED, DEAD, RunState.COMPLETED),
        (RunState.FAILED, DEAD, RunState.FAILED),
    ],
)
def test_a_run_whose_worker_is_gone_is_interrupted(state: RunState, worker: Worker | None, shown: RunState) -> None:
    assert state_of(a_run(state=state, worker=worker)) is shown


def test_a_stored_error_is_read_back() -> None:
    error = stored_error(a_run(error_code="invalid_config", error_message="bad", error_hint="mend it"))

    assert isinstance(error, EvalPipelineError)
    assert (error.code, error.message, error.hint) == ("invalid_config", "bad", "mend it")
    assert stored_error(a_run()) is None
