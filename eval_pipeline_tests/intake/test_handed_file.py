"""Files that never end, never begin, or are no files."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.intake.handed_file import read_chunks, read_small_file
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def read(path: Path, *, limit_bytes: int = 1_000) -> bytes:
    return b"".join(read_chunks(path, limit_bytes=limit_bytes, patience_s=0.05))


def refused(path: Path, **options: int) -> UsageError:
    with pytest.raises(UsageError) as error:
        read(path, **options)
    return error.value


def test_a_file_is_read_and_one_that_is_too_large_names_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "golden.csv"
    file.write_bytes(b"x" * 1_000)

    assert read(file) == b"x" * 1_000
    error = refused(file, limit_bytes=999)
    assert error.code == "file_too_large"
    assert "1,000 bytes, more than the 999" in error.message
    assert "raise EVAL_MAX_FILE_BYTES (now 999)" in error.hint


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    pair = socket.socket(socket.AF_UNIX)
    pair.bind(str(tmp_path / "socket"))

    assert "it is a device" in refused(Path("/dev/zero")).message
    assert "it is a device" in refused(Path("/dev/null")).message
    assert "it is a folder" in refused(tmp_path).message
    assert "it is a socket" in refused(tmp_path / "socket").message
    assert "No such file" in refused(tmp_path / "nothing").message
    assert refused(Path("nul\0")).code == "file_unreadable"
    pair.close()


def test_a_pipe_that_nobody_writes_into_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "a pipe into which nobody wrote" in refused(tmp_path / "pipe").message


def test_a_pipe_is_read_to_its_end_and_an_endless_one_up_to_the_limit() -> None:
    with subprocess.Popen(["printf", "question,answer"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        path = Path(f"/dev/fd/{process.stdout.fileno()}")
        assert b"".join(read_chunks(path, limit_bytes=1_000)) == b"question,answer"
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert refused(Path(f"/dev/fd/{process.stdout.fileno()}")).code == "file_too_large"
        process.kill()


def test_a_configuration_is_something_that_a_person_wrote(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_bytes(b"#" * 1_000_001)

    with pytest.raises(UsageError, match="more than the 1,000,000"):
        read_small_file(file)


def test_plain_yaml_is_read_aliases_included() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"b": 1, "e": 2},
    }
    assert read_yaml(b"# nothing\n") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "stand for more than 100,000 values"),
        ("a: &a\n  b: *a\n", "an anchor that holds itself"),
        ("[" * 1_200, "brackets in brackets"),
        ("a: !!timestamp x", "not what its form says"),
        ("a: !!int x", "not what its form says"),
        ("a: 2024-13-45", "not what its form says"),
        ("a: !!python/object:os.system x", "is not YAML"),
        ("[a]: 1", "is not YAML"),
        ("a: 1\n b: 2", "is not YAML"),
        ("a: \0", "is not YAML"),
    ],
)
def test_odd_yaml_is_refused_in_time(text: str, why: str) -> None:
    with pytest.raises(UnreadableYamlError) as error:
        read_yaml(text.encode())
    assert why in error.value.why
