"""A panel at work against real servers: what is asked, what is stored, what goes wrong and what that costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline_tests.runs.panels.room import (
    Room,
    Servers,
    conversations,
    judge_servers,
    paid,
    room,
    rows_of,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Servers]:
    with judge_servers() as started:
        yield started


@pytest.fixture
def servers(running: Servers) -> Servers:
    running.reset()
    return running


@pytest.fixture
def place(tmp_path: Path, servers: Servers) -> Iterator[Room]:
    with room(tmp_path, servers) as opened:
        yield opened


def test_every_expert_judges_every_item_once_and_its_quotes_are_checked(place: Room) -> None:
    stage = place.judge(conversations(3))

    rows = rows_of(stage)
    assert [(row["item_id"], row["expert_id"]) for row in rows] == [
        (item, expert) for item in ("s000", "s001", "s002") for expert in ("outcome", "operator", "dialogue", "auditor")
    ]
    assert {row["status"] for row in rows} == {"ok"}
    assert place.servers.requests() == 12
    assert all(quote["verified"] for row in rows for axis in row["axes"].values() for quote in axis["evidence"])
    assert paid(stage).counts.ok == 12  # type: ignore[union-attr]  # it is there
