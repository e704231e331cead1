import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.stages import StageStore
from eval_pipeline_tests.storage.writing import (
    REF,
    some_rows,
    write_stage,
)

PART = "000001/part-00000.parquet"
UPSTREAM = replace(REF, stage="dataset")


def rewritten(data: bytes) -> bytes:
    return json.dumps(json.loads(data) | {"rows": 1_000_000}).encode()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "overwritten": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "cut": lambda data: data[:-1],
    "emptied": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_part_that_is_not_what_the_manifest_says_is_told_by_name(store: ObjectStore, damage: str) -> None:
    write_stage(store, some_rows(100))
    store.put(f"{REF.prefix}/{PART}", DAMAGES[damage](store.read(f"{REF.prefix}/{PART}")))

    for read in (lambda stage: list(stage.batches()), lambda stage: stage.frame()):
        with pytest.raises(UnavailableError, match=rf"responses of run first is damaged: part {PART}") as told:
            read(StageStore(store).open(REF))
        assert told.value.code == "stage_damaged"
        assert "materialize text_eval/responses again" in told.value.hint


def test_a_part_that_is_cut_after_it_was_read_is_told_on_the_next_reading(local: LocalObjectStore) -> None:
    write_stage(local, some_rows(100))
    stage = StageStore(local).open(REF)
    list(stage.rows())
    local.put(f"{REF.prefix}/{PART}", local.read(f"{REF.prefix}/{PART}")[:-1])

    with pytest.raises(UnavailableError, match=rf"part {PART} has [\d,]+ bytes instead of [\d,]+"):
        list(stage.rows())


def test_a_missing_part_is_told_by_name(store: ObjectStore) -> None:
    write_stage(store, some_rows(1))
    store.delete(f"{REF.prefix}/{PART}")

    with pytest.raises(UnavailableError, match=f"part {PART} is missing") as told:
        list(StageStore(store).open(REF).rows())

    assert told.value.code == "stage_damaged"


MANIFESTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[:-10],
    "no JSON": lambda _: b"\xff\xfe",
    "no object": lambda _: b"[]",
    "no number": lambda data: data.replace(b'"rows": 2,', b'"rows": NaN,'),
    "other fields": lambda _: b'{"sha256": "0"}',
    "other rows": rewritten,
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_that_was_changed_is_told_and_can_be_made_anew(local: LocalObjectStore, kind: str) -> None:
    write_stage(local, some_rows(2))
    key = f"{REF.prefix}/manifest.json"
    local.put(key, MANIFESTS[kind](local.read(key)))

    with pytest.raises(UnavailableError, match=r"is damaged: its manifest file:.*/manifest\.json") as told:
        StageStore(local).find(REF)

    assert told.value.code == "stage_damaged"
    write_stage(local, some_rows(3), attempt=2)
    assert list(StageStore(local).open(REF).rows()) == some_rows(3)


def test_a_manifest_of_another_stage_is_not_believed(local: LocalObjectStore) -> None:
    write_stage(local, some_rows(1), ref=UPSTREAM)
    local.put(f"{REF.prefix}/manifest.json", local.read(f"{UPSTREAM.prefix}/manifest.json"))

    with pytest.raises(UnavailableError, match="belongs to text_eval/dataset of run first"):
        StageStore(local).find(REF)
