"""A panel by batches, at two providers in one run: what goes out, in which phases, and that nothing goes out twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from eval_pipeline.core.batches import JobState
from eval_pipeline.core.errors import IncompleteError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode, RunState
from eval_pipeline.runs.batches import wait_for_provider
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.panels.stage import submit_judgements
from eval_pipeline.runs.panels.waiting import goes_on_with, request_waiting
from eval_pipeline_tests.runs.panels.room import Room, Servers, conversations, judge_servers, paid, room, rows_of, said

OUTCOME = "You look at outcomes"
MOST_LOOKS = 12


@pytest.fixture
def servers() -> Iterator[Servers]:
    with judge_servers() as started:
        yield started


@pytest.fixture
def place(tmp_path: Path, servers: Servers) -> Iterator[Room]:
    with room(tmp_path, servers) as opened:
        yield opened


def followed(place: Room, items: dict, name: str = "first") -> StageReader:  # type: ignore[type-arg]  # material by name
    """Collect until all is there."""
    for _ in range(MOST_LOOKS):
        stage = place.collect(items, name)
        if stage is not None:
            return stage
        assert place.claim(name).state is RunState.WAITING
    raise AssertionError(place.said)


def test_experts_of_two_providers_are_asked_by_batches_of_each_and_nothing_goes_out_twice(
    tmp_path: Path, servers: Servers
) -> None:
    items = conversations(4)
    with room(tmp_path, servers) as place:
        place.judge(items, mode=RunMode.BATCH)
    with room(tmp_path, servers) as place:  # another process collects
        stage = followed(place, items)
        rows = rows_of(stage)
        jobs = place.deployment.ledger.stage_jobs(place.task(place.claim("first")).ref("judgements"))
        lines = [
            orjson.loads(line)
            for key in place.deployment.objects.list(f"{jobs[0].stage.prefix}/jobs")
            for line in place.deployment.objects.read(key).splitlines()
        ]

    assert {row["status"] for row in rows} == {"ok"}
    assert servers.in_batches()["executed"] == 16
    assert servers.requests() == 0, "nobody was asked live"
    assert Counter((job.provider, job.state) for job in jobs) == {
        ("openai", JobState.COLLECTED): 3,
        ("gemini", JobState.COLLECTED): 1,
    }
    assert len({job.name for job in jobs}) == 4
    assert all(len(line.get("custom_id") or line["key"]) <= 64 for line in lines)
    told = paid(stage)
    assert told.mode == "batch"
    assert told.known_usd > 0


def test_repairs_evidence_and_notes_are_phases_of_one_run(place: Room) -> None:
    turns = [
        text
        for number in range(40)
        for text in (f"And order {number}? " + "x " * 900, f"Order {number} is done. " * 40)
    ]
    items = {**conversations(2), "long": said("Please cancel forty orders.", *turns)}
    once = {"kind": "verdict_prose", "times": 1, "match": OUTCOME}
    false = {"kind": "verdict_false_quote", "times": 1}
    with place.servers.going_wrong(once, gemini=[false]):
        place.judge(items, mode=RunMode.BATCH, window_tokens=24_000)
        for _ in range(MOST_LOOKS):
            stage = place.collect(items, window_tokens=24_000)
            if stage is not None:
                break

    rows = rows_of(stage)
    assert {row["status"] for row in rows} == {"ok"}
    segments = {orjson.loads(row["rendering"])["segments"] for row in rows if row["item_id"] == "long"}
    [parts] = segments
    assert parts > 1
    assert {row["attempts"] for row in rows if (row["item_id"], row["expert_id"]) == ("s000", "outcome")} == {2}
    assert place.servers.in_batches()["executed"] == sum(row["attempts"] for row in rows)


def test_a_provider_whose_key_is_refused_leaves_the_others_whole(tmp_path: Path, servers: Servers) -> None:
    items = conversations(3)
    with room(tmp_path, servers) as place, servers.going_wrong(gemini=[{"kind": "unauthenticated"}]):
        first = place.judge(items, mode=RunMode.BATCH)
        stage = first if first is not None else followed(place, items)
    rows = rows_of(stage)
    assert {row["status"] for row in rows if row["expert_id"] != "auditor"} == {"ok"}
    assert {row["status"] for row in rows if row["expert_id"] == "auditor"} == {"failed"}
    assert [fault.partition(":")[0] for fault in paid(stage).faults or ()] == ["auditor"]
    assert servers.in_batches()["executed"] == 9

    with room(tmp_path, servers) as place:
        again = place.judge(items, mode=RunMode.BATCH)
        assert {row["status"] for row in rows_of(again if again is not None else followed(place, items))} == {"ok"}
    assert servers.in_batches()["executed"] == 12


def test_no_round_goes_out_that_may_cost_more_than_the_run_may(place: Room) -> None:
    with pytest.raises(IncompleteError) as stopped:
        place.judge(conversations(4), mode=RunMode.BATCH, run_changes={"max_cost_usd": 0.001})

    assert stopped.value.code == "budget_exceeded"
    assert place.servers.in_batches()["executed"] == 0


def test_a_batch_run_waits_for_what_another_one_has_out_without_a_process(place: Room) -> None:
    items = conversations(3)
    first = place.claim("first", mode=RunMode.BATCH)
    task = place.task(first)
    submit_judgements(
        task,
        "judgement_batch",
        inputs={"sessions": place.plain_stage(task, "sessions")},
        work=lambda run: place.work(run, items),
    )
    wait_for_provider(task, cancelled=False)

    assert place.judge(items, "second", mode=RunMode.BATCH) is None
    second = place.claim("second")
    assert second.state is RunState.WAITING
    assert place.deployment.ledger.run_jobs(flow=second.flow, key=second.key) == []
    assert goes_on_with(place.deployment, second) is None
    request_waiting(place.deployment, limit=10)
    assert place.claim("second").state is RunState.WAITING

    assert {row["status"] for row in rows_of(followed(place, items))} == {"ok"}
    end_run(task, paid(place.collect(items)).threshold)
    assert goes_on_with(place.deployment, place.claim("second")) == "judgements"
    request_waiting(place.deployment, limit=10)
    assert place.claim("second").state is RunState.REQUESTED
    rows = rows_of(place.collect(items, "second"))
    assert {row["taken_from_run"] for row in rows} == {"first"}
    assert place.servers.in_batches()["executed"] == 12
