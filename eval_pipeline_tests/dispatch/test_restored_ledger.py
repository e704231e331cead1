"""A ledger restored from a backup that was taken at any moment, beside the store as it is: nothing is paid twice.

A backup is taken at every durable step of a life; later, at another one, everything is lost but the store and what
the provider knows. The next life begins with the backup.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval_pipeline.core.epoch import Epoch
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.runs import Worker
from eval_pipeline.dispatch.leases import hold
from eval_pipeline.dispatch.restored import settle_epoch
from eval_pipeline.storage.ledger import open_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.batch_server import batch_server
from eval_pipeline_tests.dispatch.test_batch_crashes import (
    ITEMS,
    KilledError,
    Killer,
    World,
    Worlds,
    copy_ledger,
    live_to_the_end,
)

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
LIVES = 12
WORKER = Worker(host="here", pid=1, started_at=0.0)


@dataclass
class Recorder(Killer):
    """Takes a backup at one place, and dies at another."""

    place: World | None = None
    backup_at: int = 0

    def after(self) -> None:
        """Pass a place, with a backup taken there, or die there."""
        if self.place is not None and self.passed + 1 == self.backup_at:
            copy_ledger(ledger_of(self.place), backup_of(self.place))
        super().after()


def ledger_of(place: World) -> Path:
    return place.folder / "ledger.sqlite"


def backup_of(place: World) -> Path:
    return place.folder / "backup.sqlite"


def restore(place: World) -> None:
    place.ledger.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{ledger_of(place)}{suffix}").unlink(missing_ok=True)
    shutil.move(backup_of(place), ledger_of(place))
    place.ledger = open_ledger(f"sqlite:///{ledger_of(place)}")
    if settle_epoch(place.ledger, place.objects).restored_at is not None:
        place.sought_since = SINCE


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    with batch_server() as server:
        worlds = Worlds(tmp_path, server)
        yield worlds
        worlds.close()


def live_on(place: World, killer: Killer) -> None:
    for _ in range(LIVES):
        if place.live(killer):
            return


def check(worlds: Worlds, scenario: str | None, *, backup_at: int, lost_at: int) -> None:
    """Live until everything is lost, go on with the backup, and look at what was paid."""
    told = f"backup at {backup_at}, lost at {lost_at}"
    with worlds.world(f"{scenario}-{backup_at}-{lost_at}", scenario) as place:
        recorder = Recorder(at=lost_at, place=place, backup_at=backup_at)
        with suppress(KilledError):
            live_on(place, recorder)
        restore(place)
        live_to_the_end(place, Killer(at=0))

        assert place.answered() == set(ITEMS), told
        assert set(place.server.keys().values()) == {1}, told
        assert set(place.server.executed.values()) == {1}, told


def moments(worlds: Worlds, scenario: str | None, *, of: str) -> int:
    with worlds.world(f"{scenario}-unharmed-{of}", scenario) as place:
        unharmed = Killer(at=0)
        live_to_the_end(place, unharmed)
    return unharmed.passed


@pytest.mark.parametrize("scenario", [None, "one_429", pytest.param("token_limit", marks=pytest.mark.slow)])
def test_whenever_the_backup_was_taken_each_batch_is_paid_once(worlds: Worlds, scenario: str | None) -> None:
    last = moments(worlds, scenario, of="backup")
    for backup_at in range(1, last + 1, 3 if scenario is None else 9):
        check(worlds, scenario, backup_at=backup_at, lost_at=0)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [None, "one_429", "token_limit", "expired"])
def test_whenever_everything_is_lost_after_it_each_batch_is_paid_once(worlds: Worlds, scenario: str | None) -> None:
    last = moments(worlds, scenario, of="loss")
    for backup_at in range(1, last + 1, 2):
        for lost_at in range(backup_at + 1, last + 1, 17):
            check(worlds, scenario, backup_at=backup_at, lost_at=lost_at)


def test_a_store_that_is_older_than_its_ledger_is_refused_in_words(worlds: Worlds) -> None:
    with worlds.world("older-store", None) as place:
        live_to_the_end(place, Killer(at=0))
        older = LocalObjectStore(place.folder / "another")

        with pytest.raises(ConflictError) as refused:
            settle_epoch(place.ledger, older)

        assert refused.value.code == "store_older_than_ledger"
        assert "EVAL_PIPELINE_STORE" in refused.value.hint
        assert settle_epoch(place.ledger, place.objects).restored_at is None


def test_tokens_of_a_restored_ledger_rise_above_all_that_its_store_has_seen(worlds: Worlds) -> None:
    with worlds.world("tokens", None) as place:
        live_to_the_end(place, Killer(at=0))
        known = place.ledger.read_epoch().announced
        marked = place.ledger.mark_restored(Epoch(submissions=known + 1, token=70))
        again = place.ledger.mark_restored(Epoch(submissions=known + 1, token=90))

        with (
            hold(place.ledger, "a stage", worker=WORKER) as lease,
            hold(place.ledger, "b", worker=WORKER, above=99) as b,
        ):
            assert (lease.token, b.token) == (71, 100)
        assert again == marked, "one process finds it"
