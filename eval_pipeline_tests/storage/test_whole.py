import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event

import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage import whole
from eval_pipeline.storage.whole import create_whole, only_one
from eval_pipeline_tests.crowd import CONTEXT, PATIENCE_S, all_at_once


def build_folder(path: Path) -> None:
    path.mkdir()
    for number in range(20):
        (path / f"{number}").write_text("x")
    with (path.parent / "built").open("a") as log:
        log.write("once\n")


def want_folder(target: str) -> str:
    folder = Path(target)
    create_whole(folder, build_folder, lock=folder.parent / "lock")
    return str(len(list(folder.iterdir())))


def test_of_twenty_processes_one_builds_and_all_see_it_whole(tmp_path: Path) -> None:
    assert all_at_once(want_folder, str(tmp_path / "target")) == ["20"] * 20
    assert (tmp_path / "built").read_text() == "once\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "lock", "target"]


def test_what_exists_is_left_alone_and_not_even_locked(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()

    create_whole(tmp_path / "target", build_folder, lock=tmp_path / "lock")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_file_can_be_made_and_its_folders_too(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folders" / "file"

    def write(path: Path) -> None:
        path.write_text("whole")

    create_whole(target, write, lock=tmp_path / "new" / "folders" / "lock")

    assert target.read_text() == "whole"


def test_a_failed_build_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        build_folder(path)
        raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match=r"target cannot be made: No space left on device") as caught:
        create_whole(tmp_path / "target", fail, lock=tmp_path / "lock")
    assert caught.value.code == "home_unavailable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "lock"]

    assert want_folder(str(tmp_path / "target")) == "20"


def build_and_stop(target: str, ready: Connection) -> None:
    def build(path: Path) -> None:
        build_folder(path)
        path.with_name(f"{path.name}-journal").touch()
        ready.send("built")
        Event().wait(PATIENCE_S)

    create_whole(Path(target), build, lock=Path(target).parent / "lock")


def test_what_a_killed_builder_left_is_harmless_and_cleaned(tmp_path: Path) -> None:
    ready, theirs = CONTEXT.Pipe()
    builder = CONTEXT.Process(target=build_and_stop, args=(str(tmp_path / "target"), theirs))
    builder.start()
    with suppress(EOFError):
        assert ready.poll(PATIENCE_S)
    os.kill(builder.pid or 0, signal.SIGKILL)
    builder.join(PATIENCE_S)
    left = [path.name for path in tmp_path.iterdir() if ".unfinished-" in path.name]

    assert len(left) == 2
    assert want_folder(str(tmp_path / "target")) == "20"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "lock", "target"]


def test_a_lock_that_is_kept_too_long_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LOCK_PATIENCE_S", 0.01)

    with only_one(tmp_path / "lock"), pytest.raises(UnavailableError, match=r"kept .*lock locked") as caught:
        create_whole(tmp_path / "target", build_folder, lock=tmp_path / "lock")

    assert caught.value.code == "home_locked"
    assert not (tmp_path / "target").exists()
