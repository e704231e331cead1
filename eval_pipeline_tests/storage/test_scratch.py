"""Temporary folders are gone when they are done with, also when the process that worked in them was killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.storage.scratch import remove_leftovers, scratch_folder

WORKER = """
import sys
from eval_pipeline.storage.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "requests.jsonl").write_text("half")
    print(folder.parent, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[str]"]:
    """A process that works in a temporary folder below this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command = [sys.executable, "-c", WORKER]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def _folder_of(worker: "subprocess.Popen[str]") -> Path:
    assert worker.stdout is not None
    return Path(worker.stdout.readline().strip())


def test_a_folder_ends_with_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with scratch_folder() as folder:
        (folder / "file").write_text("content")
        assert [path.name for path in folder.iterdir()] == ["file"]

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(worker: "subprocess.Popen[str]") -> None:
    left = _folder_of(worker)
    worker.kill()
    worker.wait()
    assert (left / "files" / "requests.jsonl").read_text() == "half"

    remove_leftovers(settled_s=0)

    assert not left.exists()


def test_what_a_living_process_works_on_stays(worker: "subprocess.Popen[str]") -> None:
    used = _folder_of(worker)

    remove_leftovers(settled_s=0)

    assert (used / "files" / "requests.jsonl").read_text() == "half"


def test_a_folder_that_may_be_about_to_be_locked_stays(worker: "subprocess.Popen[str]") -> None:
    left = _folder_of(worker)
    worker.kill()
    worker.wait()

    remove_leftovers()

    assert left.exists()


def test_a_folder_of_a_similar_name_that_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    notes = tmp_path / "eval-pipeline-notes"
    notes.mkdir()
    (notes / "mine.txt").write_text("kept")

    remove_leftovers(settled_s=0)

    assert (notes / "mine.txt").read_text() == "kept"
