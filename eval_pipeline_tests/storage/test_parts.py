import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage import parts
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.parts import TableParts
from eval_pipeline.storage.stages import StageStore
from eval_pipeline_tests.storage.writing import REF, some_rows, write_stage

TEXT = pa.schema([pa.field("text", pa.string())])


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_parts_end_by_rows_and_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[int] = []
    table = TableParts(TEXT, folder=tmp_path, deliver=lambda _, rows: delivered.append(rows))
    monkeypatch.setattr(parts, "GROUP_ROWS", 10)
    monkeypatch.setattr(parts, "PART_ROWS", 25)

    table.append([{"text": "a"}] * 60)
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    table.append([{"text": "a"}] * 15)
    table.finish()

    assert delivered == [25, 25, 20, 5]
    assert list(tmp_path.iterdir()) == []


def test_long_texts_are_written_before_many_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    table = TableParts(
        TEXT, folder=tmp_path, deliver=lambda file, _: groups.append(pq.read_metadata(file).num_row_groups)
    )
    monkeypatch.setattr(parts, "GROUP_BYTES", 100)

    table.append([{"text": "a" * 60}] * 4)
    table.finish()

    assert groups == [2]


def test_a_row_with_other_columns_is_told_by_its_number(tmp_path: Path) -> None:
    table = TableParts(TEXT, folder=tmp_path, deliver=lambda *_: None)

    with pytest.raises(ValueError, match=r"row 2 has the columns \['texts'\] instead of \['text'\]"):
        table.append([{"text": "a"}, {"text": "b"}, {"texts": "c"}])


WRITE_AND_READ = """
import os, resource, sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.stages import StageStore
from eval_pipeline_tests.storage.writing import REF, allow

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

schema = pa.schema([pa.field("item_id", pa.string(), nullable=False),
                    pa.field("answer_vector", pa.binary()), pa.field("golden_vector", pa.binary())])
stages = StageStore(LocalObjectStore(Path(sys.argv[1])), code_version="1")
before = peak_mb()
with stages.writer(REF, schema=schema, attempt=1, spec_hash="", inputs={}, check=allow) as writer:
    for start in range(0, 100_000, 500):
        writer.append([{"item_id": f"q{number}", "answer_vector": os.urandom(1024), "golden_vector": os.urandom(1024)}
                       for number in range(start, start + 500)])
    manifest = writer.finish({})
written = peak_mb()
rows = sum(batch.num_rows for batch in stages.open(REF).batches())
print(rows, len(manifest.parts), int(written - before), int(peak_mb() - before), "pandas" in sys.modules)
"""


def test_a_large_stage_is_written_and_read_in_bounded_memory_without_pandas(tmp_path: Path) -> None:
    """100,000 items with two vectors of 256 floats; pyarrow imports pandas for most ways to build an array."""
    rows, part_count, written_mb, read_mb, imports_pandas = run(WRITE_AND_READ, str(tmp_path)).split()

    assert (rows, part_count) == ("100000", "2")
    assert int(written_mb) <= 60
    assert int(read_mb) <= 80
    assert imports_pandas == "False"


FILL_THE_DISK = """
import os, resource, sys, tempfile
from pathlib import Path
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.stages import StageStore
from eval_pipeline_tests.storage.writing import REF, some_rows, write_stage

store = LocalObjectStore(Path(sys.argv[1]))
tempfile.tempdir = sys.argv[2]
open_files = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_stage(store, some_rows(5_000))
except UnavailableError as error:
    print(error.code, "|", error.message, "|", error.hint)
    still_open = len(os.listdir("/proc/self/fd")) - open_files  # while the error keeps every frame alive
print(StageStore(store).find(REF), os.listdir(sys.argv[2]), still_open)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells the open files")
def test_a_full_disk_leaves_no_file_no_handle_and_no_stage(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()

    told, left = run(FILL_THE_DISK, str(tmp_path / "store"), str(tmp_path / "temporary")).splitlines()

    assert told.startswith("store_unavailable | the store does not work at")
    assert "file too large" in told
    assert "free space there" in told
    assert left == "None [] 0"


def test_a_failure_in_the_middle_leaves_nothing_behind(
    local: LocalObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    bad = some_rows(1)[0] | {"tokens": "many"}

    with pytest.raises(ValueError, match="column 'tokens' of type int64 cannot hold a value"):
        write_stage(local, [*some_rows(5_000), bad])

    assert list((tmp_path / "temporary").iterdir()) == []
    assert StageStore(local).find(REF) is None


def test_no_room_for_temporary_files_is_told_with_the_remedy(
    local: LocalObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))

    with pytest.raises(UnavailableError, match="temporary files: no such file or directory") as told:
        write_stage(local)

    assert told.value.code == "store_unavailable"
    assert "TMPDIR" in told.value.hint
