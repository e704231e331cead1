"""Taking a run up again, stopping it: what is refused has changed nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.runs.control import cancel, note_interruptions, reopen
from eval_pipeline.runs.life import find_run
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run, change_run

CALLERS = 8


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with closing(Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})) as opened:
        opened.ledger.add_dataset(a_dataset())
        opened.ledger.claim_run(a_run(state=RunState.INTERRUPTED, cancel_requested=True))
        yield opened


def test_of_several_that_take_a_run_up_again_one_does_and_the_refused_change_nothing(deployment: Deployment) -> None:
    together = Barrier(CALLERS)

    def retry(budget_usd: float) -> bool:
        together.wait(timeout=30)
        try:
            reopen(deployment, flow=Flow.TEXT, key=KEY, max_cost_usd=budget_usd, here=True)
        except ConflictError as error:
            assert error.code == "run_in_progress"  # noqa: PT017 - in a thread
            return False
        return True

    with ThreadPoolExecutor(CALLERS) as pool:
        took = list(pool.map(retry, map(float, range(CALLERS))))

    run = find_run(deployment, flow=Flow.TEXT, key=KEY)
    assert took.count(True) == 1
    assert (run.max_cost_usd, run.state, run.worker) == (took.index(True), RunState.REQUESTED, deployment.worker)
    assert not run.cancel_requested


def test_a_run_that_is_being_deleted_is_neither_taken_up_nor_stopped(deployment: Deployment) -> None:
    change_run(deployment.ledger, state=RunState.DELETING)

    for refused in (
        lambda: reopen(deployment, flow=Flow.TEXT, key=KEY, max_cost_usd=None, here=True),
        lambda: cancel(deployment, flow=Flow.TEXT, key=KEY),
    ):
        with pytest.raises(ConflictError) as raised:
            refused()
        assert raised.value.code == "run_being_deleted"
        assert "run delete first" in raised.value.hint
    note_interruptions(deployment, project="default")
    assert find_run(deployment, flow=Flow.TEXT, key=KEY).state is RunState.DELETING
