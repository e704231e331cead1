from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.stages import StageRef
from eval_pipeline.storage import parts
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.stages import StageStore
from eval_pipeline_tests.storage.writing import (
    REF,
    SCHEMA,
    SPEC_HASH,
    WatchedStore,
    allow,
    some_rows,
    write_stage,
)

PART = "000001/part-00000.parquet"
UPSTREAM = replace(REF, stage="dataset")


def object_keys(store: ObjectStore, ref: StageRef = REF) -> list[str]:
    return [key.removeprefix(f"{ref.prefix}/") for key in store.list(ref.prefix)]


def test_what_is_written_is_read_in_order_with_nulls_decimals_and_bytes(store: ObjectStore) -> None:
    rows = some_rows(10_000)

    manifest = write_stage(store, rows)

    stage = StageStore(store).open(REF)
    assert isinstance(stage, StageReader)
    assert stage.manifest == manifest
    assert list(stage.rows()) == rows
    assert max(batch.num_rows for batch in stage.batches(rows=500)) == 500
    assert list(stage.rows(["tokens", "item_id"]))[4] == {"item_id": "q4", "tokens": 4 - 2**53}


def test_a_manifest_tells_what_the_stage_holds_and_what_made_it(store: ObjectStore) -> None:
    upstream = write_stage(store, some_rows(1), ref=UPSTREAM)

    write_stage(store, some_rows(3), attempt=7, inputs={"dataset": upstream}, summary={"calls": 2, "note": "ü"})

    manifest = StageStore(store).open(REF).manifest
    data = store.read(f"{REF.prefix}/000007/part-00000.parquet")
    assert [(part.name, part.rows, part.size_bytes, part.sha256) for part in manifest.parts] == [
        ("000007/part-00000.parquet", 3, len(data), sha256(data).hexdigest())
    ]
    assert manifest.stage == REF
    assert (manifest.rows, manifest.attempt, manifest.schema_version) == (3, 7, 1)
    assert (manifest.spec_hash, manifest.code_version) == (SPEC_HASH, "1.2.3")
    assert manifest.columns == {field.name: str(field.type) for field in SCHEMA}
    assert manifest.inputs == {"dataset": upstream.sha256}
    assert manifest.summary == {"calls": 2, "note": "ü"}
    assert len(manifest.sha256) == 64


def test_the_manifest_comes_last_and_the_lease_is_checked_before_every_store(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    watched = WatchedStore(store)
    watched.before_write = lambda: assert_unseen(store)

    write_stage(watched, some_rows(9), check=lambda: watched.events.append("check"))

    stored = [
        "put_file 000001/part-00000.parquet",
        "put_file 000001/part-00001.parquet",
        "put_file 000001/part-00002.parquet",
        "create 000001/manifest.json",
        "put manifest.json",
    ]
    assert watched.events == [event for write in stored for event in ("check", write)]
    assert [part.rows for part in StageStore(store).open(REF).manifest.parts] == [4, 4, 1]


def assert_unseen(store: ObjectStore) -> None:
    assert StageStore(store).find(REF) is None


@pytest.mark.parametrize("good_checks", range(4))
def test_a_lost_lease_stores_nothing_that_a_reader_sees(
    local: LocalObjectStore, monkeypatch: pytest.MonkeyPatch, good_checks: int
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    watched, left = WatchedStore(local), iter(range(good_checks))

    def check() -> None:
        if next(left, None) is None:
            raise ConflictError("the lease is lost", code="lease_lost", hint="")

    with pytest.raises(ConflictError, match="the lease is lost"):
        write_stage(watched, some_rows(8), check=check)

    assert len(watched.events) == good_checks
    assert_unseen(local)


def test_a_writer_that_does_not_finish_leaves_the_earlier_stage_in_force(store: ObjectStore) -> None:
    write_stage(store, some_rows(2))
    writer = StageStore(store).writer(REF, schema=SCHEMA, attempt=2, spec_hash=SPEC_HASH, inputs={}, check=allow)

    with pytest.raises(KeyboardInterrupt), writer:  # noqa: PT012 - the interruption comes while the writer is open
        writer.append(some_rows(5_000))
        raise KeyboardInterrupt

    assert list(StageStore(store).open(REF).rows()) == some_rows(2)


def test_a_higher_attempt_replaces_a_lower_one_whose_files_stay(store: ObjectStore) -> None:
    write_stage(store, some_rows(2), attempt=1)
    earlier = StageStore(store).open(REF)

    write_stage(store, some_rows(3), attempt=2)

    assert StageStore(store).open(REF).manifest.attempt == 2
    assert list(earlier.rows()) == some_rows(2)
    assert object_keys(store) == [
        "000001/manifest.json",
        "000001/part-00000.parquet",
        "000002/manifest.json",
        "000002/part-00000.parquet",
        "manifest.json",
    ]


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_attempt_may_not_replace_its_equal_or_a_higher_one(store: ObjectStore, attempt: int) -> None:
    write_stage(store, some_rows(2), attempt=2)

    with pytest.raises(ConflictError, match=f"finished by attempt 2, and this is attempt {attempt}") as refused:
        write_stage(store, some_rows(1), attempt=attempt)

    assert refused.value.code == "stage_superseded"
    assert StageStore(store).open(REF).manifest.rows == 2


def test_an_attempt_that_is_overtaken_while_it_writes_does_not_win(store: ObjectStore) -> None:
    slow = StageStore(store).writer(REF, schema=SCHEMA, attempt=1, spec_hash=SPEC_HASH, inputs={}, check=allow)
    with slow:
        slow.append(some_rows(1))
        write_stage(store, some_rows(2), attempt=2)

        with pytest.raises(ConflictError) as refused:
            slow.finish({})

    assert refused.value.code == "stage_superseded"
    assert StageStore(store).open(REF).manifest.attempt == 2


def test_an_attempt_that_is_overtaken_between_its_last_look_and_its_last_step_does_not_win(store: ObjectStore) -> None:
    """A process that is paused there, or a request that is under way for long, cannot take its last step back."""
    watched = WatchedStore(store)

    def overtake() -> None:
        if watched.events[-1:] == ["create 000001/manifest.json"]:
            write_stage(store, some_rows(2), attempt=2)

    watched.before_write = overtake
    with pytest.raises(ConflictError) as refused:
        write_stage(watched, some_rows(1), attempt=1)

    assert refused.value.code == "stage_superseded"
    assert b'"attempt": 1' in store.read(f"{REF.prefix}/manifest.json"), "the older one was put last"
    assert StageStore(store).open(REF).manifest.attempt == 2
    assert write_stage(store, some_rows(3), attempt=3) == StageStore(store).open(REF).manifest


def test_a_stage_that_was_never_finished_is_told_with_the_remedy(store: ObjectStore) -> None:
    assert StageStore(store).find(REF) is None

    with pytest.raises(NotFoundError, match="text_eval/responses of run first has not been made yet") as missing:
        StageStore(store).open(REF)

    assert missing.value.code == "stage_missing"
    assert missing.value.hint == "materialize text_eval/responses for partition first first"


def test_a_store_that_cannot_be_read_is_not_a_missing_stage(local: LocalObjectStore, tmp_path: Path) -> None:
    write_stage(local, some_rows(1))
    (tmp_path / "store").rename(tmp_path / "elsewhere")

    with pytest.raises(UnavailableError) as told:
        StageStore(local).find(REF)

    assert told.value.code == "store_unavailable"


def test_a_table_without_rows_keeps_its_columns(store: ObjectStore) -> None:
    write_stage(store)

    stage = StageStore(store).open(REF)
    assert stage.manifest.rows == 0
    assert list(stage.rows()) == []
    assert list(stage.frame().columns) == SCHEMA.names


def test_a_frame_holds_all_parts(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    write_stage(store, some_rows(10))

    frame = StageStore(store).open(REF).frame()

    assert frame["item_id"].tolist() == [f"q{number}" for number in range(10)]
    assert frame["cost_usd"].tolist() == [row["cost_usd"] for row in some_rows(10)]


def test_files_that_are_no_table_can_be_added_and_read(store: ObjectStore) -> None:
    with StageStore(store).writer(REF, schema=None, attempt=3, spec_hash=SPEC_HASH, inputs={}, check=allow) as writer:
        assert writer.add_file("report.html", b"<p>") == f"{REF.prefix}/000003/report.html"
        writer.finish({})

    stage = StageStore(store).open(REF)
    assert stage.file("report.html") == b"<p>"
    assert (stage.manifest.rows, stage.manifest.columns) == (0, {})
    with pytest.raises(NotFoundError, match=r"has no file 'other'.*000003/report\.html") as missing:
        stage.file("other")
    assert missing.value.code == "file_missing"
    with pytest.raises(ValueError, match="is no table"):
        list(stage.batches())


@pytest.mark.parametrize("name", ["manifest.json", "part-00000.parquet", "taken"])
def test_a_file_cannot_take_a_name_that_the_stage_uses(local: LocalObjectStore, name: str) -> None:
    writer = StageStore(local).writer(REF, schema=SCHEMA, attempt=1, spec_hash=SPEC_HASH, inputs={}, check=allow)
    with writer:
        writer.add_file("taken", b"")

        with pytest.raises(ValueError, match="the name is taken"):
            writer.add_file(name, b"")


def test_an_unknown_column_is_refused_before_anything_is_read(local: LocalObjectStore) -> None:
    write_stage(local, some_rows(1))

    with pytest.raises(ValueError, match=r"no column \['nothing'\]"):
        StageStore(local).open(REF).batches(["nothing"])


def test_parts_are_plain_parquet_that_other_tools_read(local: LocalObjectStore) -> None:
    write_stage(local, some_rows(5))

    with local.local_copy(f"{REF.prefix}/{PART}") as path:
        assert pq.read_table(path).to_pylist() == some_rows(5)
