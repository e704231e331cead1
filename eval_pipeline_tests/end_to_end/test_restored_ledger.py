"""An installation whose ledger is restored from a backup, while its store and its provider are as they were."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eval_pipeline_tests.listening import Studio, recordings, studio

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(3))
RUN = ("--dataset", "golden", "--scorer", "exact_match", "--json")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, recordings(1), EVAL_BATCH_POLL_SECONDS="0.1") as opened:
        opened.commands.add("golden", GOLDEN)
        yield opened


def test_a_run_that_the_ledger_has_forgotten_goes_on_and_pays_nothing_again(home: Studio) -> None:
    ledger = home.commands.home / "ledger.sqlite"
    backup = home.commands.folder / "backup.sqlite"
    with closing(sqlite3.connect(ledger)) as before, closing(sqlite3.connect(backup)) as after:
        before.backup(after)
    made = home("text", "run", "first", *RUN)
    for path in ledger.parent.glob(f"{ledger.name}*"):
        path.unlink()
    shutil.copy(backup, ledger)

    told = home("doctor").out
    other = home("text", "run", "first", *RUN, "--instructions", "Be brief.")
    again = home("text", "run", "first", *RUN)

    assert (made.code, again.code) == (0, 0), again
    assert "restored from a backup" in told
    assert other.error_code == "run_name_already_exists"
    assert again.document["counts"] == made.document["counts"]
    assert "every batch is looked for at its provider before it is created" in again.err
    counts = home.openai.counts()["batches"]
    assert (counts["created"], set(counts["billed"].values())) == (1, {1})
