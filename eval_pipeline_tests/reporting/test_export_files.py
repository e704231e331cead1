from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from eval_pipeline.core.errors import UnavailableError, UsageError
from eval_pipeline.reporting.export_files import ExportFormat, export_format, write_table

SCHEMA = pa.schema([pa.field("a", pa.int64())])


def write_one(path: Path) -> int:
    return write_table([{"a": 1}], SCHEMA, path=path, file_format=ExportFormat.CSV, bom=False)


@pytest.mark.parametrize(("name", "expected"), [("a.csv", "csv"), ("a.b.JSONL", "jsonl"), ("a.parquet", "parquet")])
def test_the_suffix_tells_the_format(name: str, expected: str) -> None:
    assert export_format(Path(name)) is ExportFormat(expected)


@pytest.mark.parametrize("name", ["a", "a.xls", "a.csv.gz", ".csv"])
def test_another_suffix_is_refused_with_those_that_work(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        export_format(Path(name))

    assert caught.value.code == "export_format_unsupported"
    assert caught.value.hint == "end the file name with .csv or .jsonl or .parquet or .xlsx"


def test_an_earlier_export_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("earlier")

    assert write_one(path) == 1
    assert path.read_bytes() == b"a\r\n1\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "target.csv")
    write_one(link)

    assert link.is_symlink()
    assert (tmp_path / "target.csv").read_bytes() == b"a\r\n1\r\n"


def test_nothing_is_left_when_the_rows_break_off(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        raise KeyboardInterrupt

    for file_format in ExportFormat:
        with pytest.raises(KeyboardInterrupt):
            write_table(rows(), SCHEMA, path=tmp_path / "out", file_format=file_format, bom=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing/out.csv", "its folder does not exist"),
        (".", "it is no regular file"),
        ("/dev/null", "it is no regular file"),
    ],
)
def test_a_place_that_can_hold_no_file_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_one(tmp_path / name)

    assert caught.value.code == "export_path_invalid"
    assert caught.value.message.endswith(problem)


def test_a_full_disk_is_told_and_the_earlier_export_kept(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        raise OSError(28, "No space left on device")
        yield {"a": 1}

    path = tmp_path / "out.csv"
    path.write_text("earlier")
    with pytest.raises(UnavailableError, match="No space left on device"):
        write_table(rows(), SCHEMA, path=path, file_format=ExportFormat.CSV, bom=False)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["earlier"]
