"""A batch stage killed before and after every durable step: at the end all is there, and each request was paid once.

After a step and before the next one the same is stored, only reads lie between. So a life that goes well is killed at
both moments, and one that goes wrong at one of them. What a kill would leave is copied while a life goes on, as nothing
of the killed process does anything more; from every copy another life begins.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.batches import BatchCallError, BatchPolicy, CallFault, JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.batch_provider import BatchProvider, LineReader, RequestLines, SentAs, as_itself
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.batch_results import AnswerResults
from eval_pipeline.dispatch.batch_stage import BatchStage, BatchWork
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.request_files import ShardLimits
from eval_pipeline.dispatch.submit import Desk, Order, Parcel
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_response_line
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.ledger import SqlLedger, open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.ledgers import make_ledger
from eval_pipeline_tests.storage.records import POLICY

STAGE = StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="killed"), stage="responses")
ITEMS = [f"q{number}" for number in range(5)]
IMPATIENT = replace(POLICY, poll_s=0, create_timeout_s=0, settle_s=0, most_queue_wait_s=0)
DURABLE = {
    "ledger": ("add_jobs", "change_job", "resubmit_job"),
    "objects": ("put_file",),
    "provider": ("upload", "create", "download", "delete_file"),
}


class KilledError(BaseException):
    """What stands for kill -9: nothing that follows it is executed."""


@dataclass
class Killer:
    """Kills at one place; counts the places where it could have."""

    at: int
    both_moments: bool = True
    passed: int = 0

    def before(self) -> None:
        """Pass the place before a step, or die there."""
        if self.both_moments or not self.passed:
            self.after()

    def after(self) -> None:
        """Pass the place after a step, or die there."""
        self.passed += 1
        if self.passed == self.at:
            raise KilledError


class Mortal:
    """Anything, with a place to die before and after each of its durable steps."""

    def __init__(self, inner: Any, *, steps: tuple[str, ...], killer: Killer) -> None:  # noqa: ANN401 - anything
        self._inner = inner
        self._steps = steps
        self._killer = killer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as it is
        found = getattr(self._inner, name)
        if name not in self._steps:
            return found

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as they are
            self._killer.before()
            made = found(*arguments, **options)
            self._killer.after()
            return made

        return call


@dataclass(frozen=True)
class Form:
    """How one provider is asked by batches."""

    endpoint: str
    lines: RequestLines
    read: LineReader
    sent_as: SentAs = as_itself


OPENAI = Form("/v1/responses", OpenAILines(endpoint="/v1/responses", body={"model": "gpt-4o-mini"}), read_response_line)


class Held:
    """A lease that is always ours."""

    token = 1

    def check(self) -> None:
        """Never lost."""


@dataclass
class World:
    """What survives a kill."""

    folder: Path
    server: BatchServer
    provider: BatchProvider
    ledger: SqlLedger
    objects: LocalObjectStore
    sought_since: datetime | None = None
    form: Form = OPENAI
    policy: BatchPolicy = IMPATIENT
    a_file: int = 4
    """Requests that one file holds."""

    def live(self, killer: Killer) -> bool:
        """Take the stage on in a new life; True when it is finished."""
        desk = Desk(
            ledger=Mortal(self.ledger, steps=DURABLE["ledger"], killer=killer),
            ledger_id="ledger",
            objects=Mortal(self.objects, steps=DURABLE["objects"], killer=killer),
            provider=Mortal(self.provider, steps=DURABLE["provider"], killer=killer),
            policy=self.policy,
            fence=Held(),
            sought_since=self.sought_since,
        )
        folder = self.folder / "work"
        folder.mkdir(exist_ok=True)
        return BatchStage(desk, self.work(), folder=folder).advance().finished

    def work(self) -> BatchWork:
        """Ask every item, four a file: two files, one of them with a single line."""
        return BatchWork(
            stage=STAGE,
            provider="openai",
            parcels=self.parcels,
            handling=Handling(
                read=self.form.read,
                writer=lambda _: AnswerResults(),
                sent_as=self.form.sent_as,
            ),
        )

    @contextmanager
    def parcels(self, number: int, anew: bool) -> Iterator[list[Parcel]]:
        """Give the requests of what is not finished."""
        del anew
        order = Order(
            stage=STAGE,
            round=number,
            provider="openai",
            protocol=ApiProtocol.OPENAI_RESPONSES,
            model="gpt-4o-mini",
            endpoint=self.form.endpoint,
            limits=ShardLimits(requests=self.a_file, size_bytes=10_000),
        )
        template = self.form.lines
        with Journal(self.objects, STAGE).spool() as spool:
            index = RecordIndex(spool)
            yield [Parcel(order, (template.line(item, f"about {item}") for item in ITEMS if not index.finished(item)))]

    def answered(self) -> set[str]:
        """Return the items with a finished record."""
        with Journal(self.objects, STAGE).spool() as spool:
            index = RecordIndex(spool)
            return {item for item in ITEMS if index.finished(item)}


class Worlds:
    """One world after the other on one server."""

    def __init__(self, folder: Path, server: BatchServer) -> None:
        self._folder = folder
        self._server = server
        self._provider = OpenAIBatches(api_key="sk-x", base_url=server.url, sleep=lambda _: None)

    @contextmanager
    def world(self, name: str, scenario: str | None) -> Iterator[World]:
        """Begin a new world in which the provider goes wrong once."""
        folder = self._folder / name
        folder.mkdir()
        ledger = open_sqlite_ledger(make_ledger(folder / "ledger.sqlite"))
        self._server.begin_anew(scenario)
        try:
            yield World(folder, self._server, self._provider, ledger, LocalObjectStore(folder / "store"))
        finally:
            ledger.close()

    @contextmanager
    def left(self, remains: "Remains") -> Iterator[World]:
        """Begin where a kill left a world."""
        self._server.become(remains.server)
        ledger = open_sqlite_ledger(remains.folder / "ledger.sqlite")
        try:
            yield World(
                remains.folder, self._server, self._provider, ledger, LocalObjectStore(remains.folder / "store")
            )
        finally:
            ledger.close()

    def close(self) -> None:
        """Let connections go."""
        self._provider.close()


@dataclass(frozen=True)
class Remains:
    """What a kill leaves."""

    folder: Path
    server: BatchServer


@dataclass
class Witness(Killer):
    """Kills nobody, and copies what a kill at each place would leave."""

    at: int = 0
    place: World | None = None
    remains: list[Remains] = field(default_factory=list)

    def after(self) -> None:
        """Copy everything."""
        super().after()
        assert self.place is not None
        folder = self.place.folder.with_name(f"{self.place.folder.name}-{self.passed}")
        shutil.copytree(self.place.folder, folder, ignore=shutil.ignore_patterns("ledger.sqlite*"))
        copy_ledger(self.place.folder / "ledger.sqlite", folder / "ledger.sqlite")
        self.remains.append(Remains(folder, self.place.server.copy()))


def copy_ledger(source: Path, target: Path) -> None:
    """Copy a ledger that is in use."""
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    with batch_server() as server:
        worlds = Worlds(tmp_path, server)
        yield worlds
        worlds.close()


def live_to_the_end(place: World, killer: Killer, *, lives: int = 12) -> None:
    for _ in range(lives):
        try:
            if place.live(killer):
                return
        except KilledError:
            pass
    pytest.fail(f"not finished after {lives} lives: {[job.state for job in place.ledger.stage_jobs(STAGE)]}")


LIVES = [None, "token_limit", "one_429", *(pytest.param(one, marks=pytest.mark.slow) for one in ("expired", "missing"))]


@pytest.mark.parametrize("scenario", LIVES)
def test_killed_anywhere_it_ends_whole_and_pays_once(worlds: Worlds, scenario: str | None) -> None:
    both = scenario is None
    with worlds.world("unharmed", scenario) as place:
        witness = Witness(place=place, both_moments=both)
        live_to_the_end(place, witness)
    assert len(witness.remains) > (50 if both else 25)

    for at, remains in enumerate(witness.remains, start=1):
        with worlds.left(remains) as place:
            live_to_the_end(place, Killer(at=0))

            assert place.answered() == set(ITEMS), at
            assert set(place.server.keys().values()) == {1}, at
            assert set(place.server.executed.values()) == {1}, at
            states = {job.state for job in place.ledger.stage_jobs(STAGE)}
            assert states <= {JobState.COLLECTED, JobState.FAILED}, at


class Away:
    """A provider that cannot be reached for one call."""

    def __init__(self, inner: BatchProvider, call: str) -> None:
        self._inner = inner
        self._call = call
        self.was_away = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as it is
        if name == self._call and not self.was_away:
            self.was_away = True
            raise BatchCallError("nobody is there", fault=CallFault.UNREACHABLE, hint="wait")
        return getattr(self._inner, name)


@pytest.mark.parametrize("call", ["find", "download", "list"])
def test_a_provider_that_is_away_for_a_moment_fails_nothing(worlds: Worlds, call: str) -> None:
    with worlds.world("away", None) as place:
        away = Away(place.provider, call)
        place.provider = away  # type: ignore[assignment]  # it is one, but for a moment
        live_to_the_end(place, Killer(at=0))

        assert away.was_away
        assert place.answered() == set(ITEMS)
        assert set(place.server.executed.values()) == {1}


def test_a_creation_that_never_arrived_is_made_again_only_after_two_lists(worlds: Worlds) -> None:
    with worlds.world("dropped", "create_dropped") as place:
        live_to_the_end(place, Killer(at=0))

        assert place.answered() == set(ITEMS)
        assert set(place.server.keys().values()) == {1}
        assert place.server.calls["list"] >= 2


@pytest.mark.parametrize("scenario", ["create_accepted_dropped"])
def test_a_lost_answer_is_found_by_its_key(worlds: Worlds, scenario: str) -> None:
    with worlds.world("lost", scenario) as place:
        live_to_the_end(place, Killer(at=0))

        assert place.server.calls["create"] == 2
        assert set(place.server.executed.values()) == {1}


def test_a_batch_that_found_no_room_leaves_no_request_file_at_the_provider(worlds: Worlds) -> None:
    with worlds.world("full", "token_limit") as place:
        live_to_the_end(place, Killer(at=0))

        assert place.answered() == set(ITEMS)
        assert place.server.calls["create"] == 3
        assert place.server.files == {}


@pytest.mark.parametrize("scenario", ["stale_look", "stale_files"])
def test_an_answer_that_is_older_than_the_end_of_a_batch_makes_no_item_missing(worlds: Worlds, scenario: str) -> None:
    """One server of the provider lists a batch as completed, another one does not know that yet."""
    with worlds.world("stale", scenario) as place:
        live_to_the_end(place, Killer(at=0))

        assert place.answered() == set(ITEMS)
        assert place.server.strikes(scenario) is False
        assert set(place.server.executed.values()) == {1}
