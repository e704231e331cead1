import errno
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from eval_pipeline.core.errors import ConflictError, UnavailableError, UsageError
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.objects import explain_os_error


def test_files_on_their_way_are_never_listed_and_failures_leave_none(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a/b", b"old")
    (tmp_path / "store/a/.incoming-0123").write_bytes(b"left by a killed process")
    (tmp_path / "store/a/folder").mkdir()

    with pytest.raises(UsageError):
        local.put("a/folder", b"")
    with pytest.raises(UsageError):
        local.put("a/b/c", b"")
    with pytest.raises(ConflictError):
        local.create("a/b", b"new")

    assert list(local.list("a")) == ["a/b"]
    assert len(list((tmp_path / "store/a").iterdir())) == 3


def test_a_folder_that_no_key_can_name_is_not_listed(local: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "store/.snapshots").mkdir()
    (tmp_path / "store/.snapshots/a").touch()

    assert list(local.list("")) == []


def test_stored_files_have_the_mode_that_the_user_chose(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"")
    (tmp_path / "reference").touch()

    assert (tmp_path / "store/a").stat().st_mode == (tmp_path / "reference").stat().st_mode
    assert stat.S_ISREG((tmp_path / "store/a").stat().st_mode)


def test_a_vanished_folder_is_not_an_empty_store(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"")
    (tmp_path / "store").rename(tmp_path / "elsewhere")

    doors = [
        lambda: local.read("a"),
        lambda: local.list(""),
        lambda: local.put("a", b""),
        lambda: local.create("a", b""),
        lambda: local.appender("a", name="b"),
    ]
    for door in doors:
        with pytest.raises(UnavailableError, match="the folder is gone") as told:
            door()
        assert told.value.code == "store_unavailable"
    assert not (tmp_path / "store").exists()


WRITE_TOO_MUCH = """
import resource, sys
from pathlib import Path
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage.local import LocalObjectStore
store = LocalObjectStore(Path(sys.argv[1]))
appender = store.appender("journal", name="a")
appender.append(b"kept\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for write in (lambda: store.put("a", bytes(200_000)), lambda: store.create("b", bytes(200_000)),
              lambda: appender.append(bytes(200_000))):
    try:
        write()
    except UnavailableError as error:
        print(error.code, "|", error.message, "|", error.hint)
"""


def test_a_file_that_cannot_be_written_whole_is_not_written_at_all(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"old")

    told = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()

    assert len(told) == 3
    for line, name in zip(told, ("a", "b", "journal/a"), strict=True):
        assert line.startswith(
            f"store_unavailable | the store does not work at {tmp_path}/store/{name}: file too large"
        )
        assert "free space there" in line
    assert local.read("a") == b"old"
    assert local.read("journal/a") == b"kept\n"
    assert sorted(path.name for path in (tmp_path / "store").rglob("*")) == ["a", "a", "journal"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_under_an_appender_is_told_with_place_and_remedy(local: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "store/journal").mkdir()
    (tmp_path / "store/journal/full").symlink_to("/dev/full")
    appender = local.appender("journal", name="full")

    with pytest.raises(UnavailableError, match="no space left on device") as told:
        appender.append(b"line\n")

    assert told.value.code == "store_unavailable"
    assert "journal/full" in told.value.message
    assert "free space" in told.value.hint
    with pytest.raises(UnavailableError):
        appender.close()


@pytest.mark.parametrize(
    ("number", "code", "reason", "remedy"),
    [
        (errno.ENOSPC, "store_unavailable", "no space left on device", "free space"),
        (errno.EDQUOT, "store_unavailable", "disk quota exceeded", "free space"),
        (errno.EROFS, "store_unavailable", "read-only file system", "let this user"),
        (errno.EACCES, "store_unavailable", "permission denied", "let this user"),
        (errno.EIO, "store_unavailable", "input/output error", "check the disk"),
        (errno.ENAMETOOLONG, "invalid_object_key", "file name too long", "use '/'-joined names"),
    ],
)
def test_what_the_operating_system_refuses_is_told_with_reason_and_remedy(
    number: int, code: str, reason: str, remedy: str
) -> None:
    error = explain_os_error(OSError(number, "whatever"), path=Path("/store/part"))

    assert error.code == code
    assert reason in error.message
    assert remedy in error.hint


APPEND_FOR_EVER = """
import sys
from pathlib import Path
from eval_pipeline.storage.local import LocalObjectStore
appender = LocalObjectStore(Path(sys.argv[1])).appender("journal", name="a")
number = 0
while True:
    appender.append(b"%d %s\\n" % (number, b"x" * 5000))
    print(number, flush=True)
    number += 1
"""


def test_a_writer_killed_in_the_middle_loses_no_append_that_returned(local: LocalObjectStore, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APPEND_FOR_EVER, str(tmp_path / "store")], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 500:
                writer.kill()
                break
        acknowledged = [500, *(int(line) for line in writer.stdout if line.endswith(b"\n"))]

    lines = local.read("journal/a").split(b"\n")

    assert [int(line.split()[0]) for line in lines[: acknowledged[-1] + 1]] == list(range(acknowledged[-1] + 1))
    assert all(len(line.split()[1]) == 5000 for line in lines[: acknowledged[-1] + 1])


def test_a_closed_appender_says_so(local: LocalObjectStore) -> None:
    appender = local.appender("journal", name="a")
    appender.close()
    appender.close()

    with pytest.raises(ValueError, match="is closed"):
        appender.append(b"")
