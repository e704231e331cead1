from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError, ItemRecord, ItemStatus, Usage
from eval_pipeline.dispatch.records import RESULT_LOST, RecordIndex, decode, encode
from eval_pipeline.runs.batch_items import answer_results, asks_again
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.core.test_batches import ENDED
from eval_pipeline_tests.dispatch.test_records import MemorySpool

USAGE = Usage(input=10, output=5, total=15)


def failed(item_id: str, code: str, *, transient: bool = False, account: bool = False) -> ItemRecord:
    error = ItemError(code=code, type="t", message="m", transient=transient)
    return ItemRecord(item_id, ItemStatus.FAILED, error=error, account_fault=account)


RECORDS = [
    ItemRecord("answered", ItemStatus.OK, answer="x"),
    failed("passing", "http_500", transient=True),
    failed("final", "safety"),
    failed("keyless", "invalid_key", account=True),
    failed("lost", RESULT_LOST),
]
NAMES = [*(record.item_id for record in RECORDS), "new"]


@pytest.mark.parametrize(
    ("anew", "resend_lost", "again"),
    [
        (False, False, {"passing", "new"}),
        (True, False, {"passing", "keyless", "new"}),
        (False, True, {"passing", "lost", "new"}),
        (True, True, {"passing", "keyless", "lost", "new"}),
    ],
)
def test_what_goes_out_again_depends_on_why_it_failed_and_who_asks(
    anew: bool, resend_lost: bool, again: set[str]
) -> None:
    asks = asks_again(RecordIndex(MemorySpool(RECORDS)), anew=anew, resend_lost=resend_lost)

    assert asks is not None
    assert {name for name in NAMES if asks(name)} == again


def test_where_nothing_was_asked_everything_is() -> None:
    assert asks_again(RecordIndex(MemorySpool([])), anew=True, resend_lost=True) is None


@pytest.mark.parametrize(("number", "attempts", "retried"), [(0, 1, 0), (2, 5, 15)])
def test_a_later_round_counts_what_earlier_ones_were_billed(
    tmp_path: Path, number: int, attempts: int, retried: int
) -> None:
    store = LocalObjectStore(tmp_path)
    earlier = replace(failed("passing", "http_500", transient=True), usage=USAGE, attempts=4)
    journal = f"{ENDED.stage.prefix}/journal"
    store.put(f"{journal}/batch-r01-s0000.jsonl", encode(earlier) + b"\n")
    now = Attempt(AttemptOutcome.OK, text="x", usage=USAGE)
    file = BytesIO()

    answer_results(store, replace(ENDED, round=number)).write(file, ResultLine("passing", now))

    record = decode(file.getvalue().strip())
    assert (record.attempts, record.retried_usage.total) == (attempts, retried)
