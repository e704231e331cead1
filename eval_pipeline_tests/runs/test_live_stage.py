"""A stage that no flow has: what is missing is asked live by the one implementation, recorded, counted, paid for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.endpoints import frozen_of
from eval_pipeline.core.errors import IncompleteError
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import Flow, RunMode
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import price_item
from eval_pipeline.dispatch.budget import Budget, ResponsePurse
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.runs.at_work import StageAtWork, at_work
from eval_pipeline.runs.live_stage import LiveModel, ask_missing
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.settings import Settings
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.providing import Provider as Running
from eval_pipeline_tests.providing import provider
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run

REF = StageRef(flow=Flow.TEXT, key=KEY, stage="judgements")
NAME = "gpt-4o-mini"
TARIFF = models.tariff(frozen_of({}, OPENAI), NAME, mode=RunMode.FAST)


class Watcher:
    """Keeps the last that it was told."""

    told: Mapping[str, Any]

    def update(self, **told: Any) -> None:  # noqa: ANN401 - counts
        self.told = told


@pytest.fixture
def running() -> Iterator[Running]:
    with provider() as started, started.behaving():
        yield started


@pytest.fixture
def task(tmp_path: Path, running: Running) -> Iterator[Task]:
    environ = {
        "EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home")),
        "OPENAI_BASE_URL": running.base_url,
        "OPENAI_API_KEY": "sk-x",
    }
    deployment = Deployment(environ=environ)
    deployment.ledger.add_dataset(a_dataset())
    deployment.ledger.claim_run(a_run(max_cost_usd=0.001))
    said: list[str] = []
    yield Task(
        deployment,
        Flow.TEXT,
        KEY,
        dagster_run_id="a-run",
        retried_run_id=None,
        progress=Watcher(),
        say=said.append,
    )
    deployment.close()


def judging(stage: StageAtWork, items: range, *, tariff: Tariff = TARIFF, **more: Any) -> LiveModel[int, Any]:  # noqa: ANN401 - fields
    return LiveModel(
        endpoint=OPENAI,
        name=NAME,
        concurrency=2,
        shown_as="judgements of a judge",
        total=len(items),
        items=lambda: items,
        id_of="j{}".format,
        body_of=lambda number: {"model": NAME, "input": f"Is {number} right?"},
        open=lambda endpoint, _: models.answerer(endpoint, settings=Settings(), concurrency=2),
        price=lambda record: price_item(record, tariff, at=stage.run.created_at),
        **more,
    )


def test_only_what_is_missing_is_asked_and_all_of_it_is_counted(task: Task, running: Running) -> None:
    with at_work(task.deployment, REF, schema=None) as stage:
        first = ask_missing(task, stage, judging(stage, range(3)))
        again = ask_missing(task, stage, judging(stage, range(3)))
        more = ask_missing(task, stage, judging(stage, range(5)))
        with stage.journal.spool() as spool:
            index = RecordIndex(spool)
            records = [index.find(f"j{number}") for number in range(5)]

    assert (first, again, more) == (3, 0, 2)
    assert running.answers.asked == {f"Is {number} right?": 1 for number in range(5)}
    assert all(record is not None and record.answer for record in records)
    told = task.progress.told  # type: ignore[attr-defined]  # ours
    assert (told["stage"], told["done"], told["total"]) == ("judgements of a judge", 5, 5)
    assert told["cost_usd"] > 0


def test_a_stage_without_money_left_stops_and_says_how_far_it_came(task: Task, running: Running) -> None:
    def purse(spent_usd: Any) -> ResponsePurse:  # noqa: ANN401 - an amount
        return ResponsePurse(Budget(limit_usd=spent_usd, spent_usd=spent_usd), TARIFF, measure=lambda _: 100)

    with at_work(task.deployment, REF, schema=None) as stage, pytest.raises(IncompleteError) as stopped:
        ask_missing(task, stage, judging(stage, range(3), purse=purse))

    assert stopped.value.code == "budget_exceeded"
    assert "0 of 3 items of judgements done" in stopped.value.message
    assert running.answers.requests == 0
