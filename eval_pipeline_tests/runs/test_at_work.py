from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.errors import ConflictError, IncompleteError, NotFoundError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.runs.at_work import at_work, run_cancelled, start_over
from eval_pipeline.runs.life import find_run
from eval_pipeline.text_eval import tables
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run, change_run

REF = StageRef(flow=Flow.TEXT, key=KEY, stage="traces")
ROWS = [{"item_id": "q1#1", "trace_id": "t1", "url": None}]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})
    opened.ledger.add_dataset(a_dataset())
    opened.ledger.claim_run(a_run())
    yield opened
    opened.close()


def _make(deployment: Deployment, *, summary: dict[str, object] | None = None, rows: object = ROWS) -> Manifest:
    with at_work(deployment, REF, schema=tables.TRACES) as stage:
        stage.files.append(rows)  # type: ignore[arg-type]  # rows
        return stage.files.finish(summary or {})


def test_a_stage_at_work_holds_its_lease_and_lets_it_go(deployment: Deployment) -> None:
    with at_work(deployment, REF, schema=None) as stage:
        held = deployment.ledger.find_lease(REF.prefix)
        assert held is not None
        assert (held.holder, held.token) == (deployment.worker, stage.lease.token)
    assert deployment.ledger.find_lease(REF.prefix) is None


def test_a_finished_stage_says_which_attempt_and_specification_made_it(deployment: Deployment) -> None:
    first, second = _make(deployment), _make(deployment)

    assert (first.attempt, second.attempt) == (1, 2)
    assert second.spec_hash == a_run().spec_hash
    assert deployment.stages.open(REF).manifest == second


def test_a_stage_that_broke_off_is_not_seen_and_frees_its_lease(deployment: Deployment) -> None:
    with pytest.raises(ValueError, match="nonsense"), at_work(deployment, REF, schema=tables.TRACES) as stage:
        stage.files.append([*ROWS, {"nonsense": 1}])

    assert deployment.stages.find(REF) is None
    assert deployment.ledger.find_lease(REF.prefix) is None
    assert find_run(deployment, flow=Flow.TEXT, key=KEY).state is RunState.FAILED


def test_the_second_at_one_stage_is_refused_and_the_run_stays_the_firsts(deployment: Deployment) -> None:
    with at_work(deployment, REF, schema=None):
        with pytest.raises(ConflictError) as raised, at_work(deployment, REF, schema=None):
            pass
        assert raised.value.code == "stage_in_use"
        assert find_run(deployment, flow=Flow.TEXT, key=KEY).state is RunState.RUNNING


def test_stages_of_a_run_that_nobody_claimed_are_refused(deployment: Deployment) -> None:
    nobody = StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="nobody"), stage="scores")

    with pytest.raises(NotFoundError), at_work(deployment, nobody, schema=None):
        pass
    assert deployment.ledger.find_lease(nobody.prefix) is None


@pytest.mark.parametrize(("state", "stops"), [(RunState.RUNNING, True), (RunState.COMPLETED, False)])
def test_a_cancel_between_two_stages_stops_the_next_one_at_once(
    deployment: Deployment, state: RunState, *, stops: bool
) -> None:
    change_run(deployment.ledger, state=state, cancel_requested=True)

    with at_work(deployment, REF, schema=None) as stage:
        assert stage.should_stop() is stops


def test_a_cancelled_run_says_how_to_go_on() -> None:
    error = run_cancelled(KEY)

    assert isinstance(error, IncompleteError)
    assert "run retry first" in error.hint


def test_starting_over_forgets_once_for_a_run_and_its_retries(deployment: Deployment) -> None:
    with at_work(deployment, REF, schema=None) as stage:

        def lines_after(by: str, *, retried: str | None = None) -> int:
            key = f"{REF.prefix}/journal/000001-000-000"
            deployment.objects.put(key, b"{}\n")
            start_over(deployment, stage, by=by, retried=retried)
            return len(list(stage.journal.entries()))

        assert lines_after("first") == 0
        assert lines_after("first") == 1
        assert lines_after("retry", retried="first") == 1
        assert lines_after("retry of the retry", retried="retry") == 1
        assert lines_after("somebody else") == 0
