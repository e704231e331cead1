"""Batches of a provider that keeps no name of them: killed at every step, or unanswered, each request is paid for once.

What tells whose a batch was are the ids of its requests, and they are shown with its results alone. Until then whatever
may be ours keeps us from creating another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from eval_pipeline.core.batches import BatchJob, BatchPolicy, JobState, Phase, ProviderBatch
from eval_pipeline.dispatch.search import UNDECIDED, is_batch_of
from eval_pipeline.providers.anthropic.batch_body import BatchBody
from eval_pipeline.providers.anthropic.batch_lines import ENDPOINT, AnthropicLines, read_message_line
from eval_pipeline.providers.anthropic.batches import AnthropicBatches
from eval_pipeline.providers.anthropic.custom_ids import custom_id, key_in
from eval_pipeline.storage.ledger import open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.claude_server import KEY, ClaudeServer, claude_server
from eval_pipeline_tests.dispatch.test_batch_crashes import (
    IMPATIENT,
    ITEMS,
    STAGE,
    Form,
    Killer,
    World,
    live_to_the_end,
)
from eval_pipeline_tests.dispatch.test_restored_ledger import check, moments
from eval_pipeline_tests.ledgers import make_ledger
from eval_pipeline_tests.storage.records import MOMENT, a_job

CLAUDE = Form(ENDPOINT, AnthropicLines(body={"model": "claude-sonnet-5"}), read_message_line, custom_id)
LONG = 50
"""Looks that a batch is in progress for: as long as nobody says otherwise."""


@dataclass
class Worlds:
    """One world after the other on one server."""

    folder: Path
    server: ClaudeServer

    @contextmanager
    def world(
        self,
        name: str,
        scenario: str | None = None,
        *,
        polls: int = 0,
        a_file: int = 4,
        policy: BatchPolicy = IMPATIENT,
    ) -> Iterator[World]:
        """Begin a new world in which the provider goes wrong once."""
        folder = self.folder / name
        folder.mkdir()
        ledger = open_sqlite_ledger(make_ledger(folder / "ledger.sqlite"))
        provider = AnthropicBatches(api_key=KEY, base_url=self.server.url, sleep=lambda _: None)
        self.server.begin_anew(scenario, polls=polls)
        try:
            yield World(
                folder=folder,
                server=self.server,  # type: ignore[arg-type]  # the worlds of other providers have another one
                provider=provider,
                ledger=ledger,
                objects=LocalObjectStore(folder / "store"),
                form=CLAUDE,
                policy=policy,
                a_file=a_file,
            )
        finally:
            provider.close()
            ledger.close()


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    with claude_server() as server:
        yield Worlds(tmp_path, server)


def jobs_of(place: World) -> list[BatchJob]:
    return list(place.ledger.stage_jobs(STAGE))


def assert_paid_once(worlds: Worlds, place: World, *, where: object = "") -> None:
    assert place.answered() == set(ITEMS), where
    assert worlds.server.executed == {f"about {item}": 1 for item in ITEMS}, where
    assert {job.state for job in jobs_of(place)} <= {JobState.COLLECTED, JobState.FAILED}, where


@pytest.mark.parametrize("scenario", [None, pytest.param("one_429", marks=pytest.mark.slow)])
def test_killed_anywhere_it_ends_whole_and_pays_once(worlds: Worlds, scenario: str | None) -> None:
    with worlds.world("unharmed", scenario) as place:
        unharmed = Killer(at=0, both_moments=False)
        live_to_the_end(place, unharmed)
    assert unharmed.passed > 20

    for at in range(1, unharmed.passed + 1):
        with worlds.world(f"killed-{at}", scenario) as place:
            live_to_the_end(place, Killer(at=at, both_moments=False))

            assert_paid_once(worlds, place, where=at)


@pytest.mark.parametrize("scenario", ["create_accepted_dropped", "create_dropped", "create_500"])
def test_an_unanswered_creation_is_settled_by_what_ended_batches_tell(worlds: Worlds, scenario: str) -> None:
    with worlds.world("unanswered", scenario, polls=1) as place:
        live_to_the_end(place, Killer(at=0), lives=20)

        assert_paid_once(worlds, place)
        assert worlds.server.made == 2


@pytest.mark.parametrize("scenario", ["create_429", "create_529"])
def test_a_creation_that_found_no_room_was_none(worlds: Worlds, scenario: str) -> None:
    with worlds.world("full", scenario) as place:
        live_to_the_end(place, Killer(at=0))

        assert_paid_once(worlds, place)
        assert (worlds.server.made, worlds.server.calls("batches.create")) == (2, 3)


def test_nothing_is_created_beside_what_may_be_ours_and_is_in_progress(worlds: Worlds) -> None:
    with worlds.world("waiting", "create_accepted_dropped", polls=LONG) as place:
        for _ in range(4):
            assert not place.live(Killer(at=0))

        first, _ = jobs_of(place)
        assert (first.state, first.error_code, worlds.server.made) == (JobState.INTENT, UNDECIDED, 2)
        assert "msgbatch_" in (first.error_message or "")

        worlds.server.set("batch_settings", {"batch_polls": 0})
        live_to_the_end(place, Killer(at=0))
        assert_paid_once(worlds, place)
        assert [job.error_code for job in jobs_of(place)] == [None, None]


@pytest.mark.parametrize("kind", ["accepted_then_reset", "reset"])
def test_a_batch_of_somebody_else_with_as_many_requests_is_told_apart_and_left_alone(worlds: Worlds, kind: str) -> None:
    with worlds.world("company", polls=2) as place:
        worlds.server.others(4)
        worlds.server.set("faults", [{"kind": kind, "endpoint": "batches.create", "first_n": 1}])
        live_to_the_end(place, Killer(at=0), lives=30)

        assert place.answered() == set(ITEMS)
        assert worlds.server.executed == {"somebody else's": 4, **{f"about {item}": 1 for item in ITEMS}}
        assert worlds.server.calls("batches.cancel") == 0


def test_two_unanswered_creations_of_one_size_find_each_its_own(worlds: Worlds) -> None:
    with worlds.world("twins", "create_accepted_dropped", polls=1, a_file=1) as place:
        worlds.server.set("faults", [{"kind": "accepted_then_reset", "endpoint": "batches.create", "first_n": 4}])
        live_to_the_end(place, Killer(at=0), lives=20)

        assert_paid_once(worlds, place)
        assert worlds.server.made == len(ITEMS)
        assert len({job.provider_id for job in jobs_of(place)}) == len(ITEMS)


def test_batches_that_the_ledger_knows_are_waited_for_by_nobody(worlds: Worlds) -> None:
    with worlds.world("known", polls=LONG, a_file=1) as place:
        rule = {"kind": "reset", "endpoint": "batches.create", "match": "", "first_n": 1}
        place.live(Killer(at=0))
        known = worlds.server.made
        lost = jobs_of(place)[-1]
        assert (known, lost.state) == (len(ITEMS), JobState.SUBMITTED)

        again = replace(lost, id=0, attempt=1, submission_key="ab" * 32, state=JobState.INTENT, provider_id=None)
        place.ledger.add_jobs([replace(again, provider_created_at=None)])
        worlds.server.set("faults", [rule])
        for _ in range(6):
            place.live(Killer(at=0))

        assert worlds.server.made == known + 1, "five batches of its size are in progress, and all are known"


def test_what_nobody_can_settle_is_offered_when_its_window_is_over(worlds: Worlds) -> None:
    hasty = replace(IMPATIENT, window_s=0.0, slack_s=-2.0)
    with worlds.world("never", "create_accepted_dropped", polls=LONG, policy=hasty, a_file=5) as place:
        place.live(Killer(at=0))
        place.live(Killer(at=0))

        job = jobs_of(place)[0]
        assert (job.state, job.error_code, job.outcomes) == (JobState.LOST, "result_lost", {"missing": 5})
        assert "nobody knows whether its batch was created" in (job.error_message or "")


def test_a_ledger_that_is_restored_finds_what_it_has_forgotten(worlds: Worlds) -> None:
    last = moments(worlds, None, of="backup")  # type: ignore[arg-type]  # worlds of this provider
    for backup_at in range(1, last + 1, 7):
        check(worlds, None, backup_at=backup_at, lost_at=0)  # type: ignore[arg-type]  # the same


def test_an_overdue_batch_is_cancelled_and_only_what_it_left_is_sent_again(worlds: Worlds) -> None:
    hasty = replace(IMPATIENT, window_s=0.0, slack_s=-2.0)
    with worlds.world("stuck", "stuck", policy=hasty, a_file=5) as place:
        live_to_the_end(place, Killer(at=0))

        assert_paid_once(worlds, place)
        first, second = jobs_of(place)
        assert (first.cancelled_by_us, first.outcomes) == (True, {"ok": 2, "cancelled": 3})
        assert (second.requests, second.outcomes) == (3, {"ok": 3})


def test_a_large_request_file_goes_out_in_pieces_under_other_ids(tmp_path: Path) -> None:
    lines = AnthropicLines(body={"model": "m"})
    texts = {f"q{number}#1": f"{number} " * 50_000 for number in range(40)}
    file = tmp_path / "requests.jsonl"
    file.write_bytes(b"".join(lines.line(item_id, text) for item_id, text in texts.items()))
    body = BatchBody(file, key="5c" * 32, time_left=lambda: 1.0)
    pieces = list(body)

    assert body.was_sent
    assert sum(map(len, pieces)) == body.size_bytes > 5_000_000
    assert max(map(len, pieces)) < 1_500_000
    requests = orjson.loads(b"".join(pieces))["requests"]
    sent = {request["custom_id"]: request["params"]["messages"][0]["content"] for request in requests}
    assert sent == {custom_id("5c" * 32, item_id): text for item_id, text in texts.items()}
    assert {key_in(name) for name in sent} == {"5c" * 32}
    assert key_in("somebody-elses-id") is None


def test_a_body_that_never_went_out_whole_made_no_batch(tmp_path: Path) -> None:
    """The server hangs up in the middle of a large body: there is nothing to look for, and it is sent again."""
    with claude_server() as server:
        server.begin_anew(None)
        requests = tmp_path / "requests.jsonl"
        lines = AnthropicLines(body={"model": "m"})
        requests.write_bytes(b"".join(lines.line(f"q{n}", "x" * 50_000) for n in range(100)))
        provider = AnthropicBatches(api_key=KEY, base_url=server.url, timeout_s=0.0)
        with pytest.raises(Exception, match="did not go out in time") as caught:
            provider.create(requests, endpoint=ENDPOINT, key="5c" * 32, labels={})
        provider.close()

        assert getattr(caught.value, "fault", None) == "busy"
        assert server.made == 0


def test_a_rotated_key_finds_its_batches_by_their_ids_and_moments() -> None:
    job = a_job(provider_id="msgbatch_1", provider_created_at=MOMENT, requests=3)
    batch = ProviderBatch(
        id="msgbatch_1", phase=Phase.WORKING, status="in_progress", key=None, created_at=MOMENT, total=3
    )

    assert is_batch_of(batch, job)
    assert not is_batch_of(replace(batch, created_at=MOMENT + timedelta(seconds=1)), job)
    assert not is_batch_of(replace(batch, total=4), job)
