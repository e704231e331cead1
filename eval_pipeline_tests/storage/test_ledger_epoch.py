from concurrent.futures import ThreadPoolExecutor

import pytest

from eval_pipeline.core.epoch import Age, Epoch, LedgerEpoch, age_of
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline_tests.storage.records import a_job


@pytest.mark.parametrize(
    ("announced", "stored", "store", "age"),
    [
        (0, 0, 0, Age.LEVEL),
        (3, 2, 2, Age.LEVEL),
        (3, 2, 3, Age.LEVEL),
        (3, 3, 4, Age.LEDGER_OLDER),
        (3, 3, 2, Age.STORE_OLDER),
        (3, 3, 0, Age.STORE_OLDER),
    ],
)
def test_a_store_lies_between_what_its_ledger_announced_and_what_it_knows_to_be_stored(
    announced: int, stored: int, store: int, age: Age
) -> None:
    known = LedgerEpoch(announced=announced, stored=stored, token=0, restored_at=None)

    assert age_of(known, Epoch(submissions=store)) is age


def test_the_store_never_counts_backwards_whoever_counts_at_once(ledger: SqlLedger) -> None:
    written: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(
            lambda _: ledger.count_submission(lambda epoch: written.append(epoch.submissions)), range(12)
        ):
            pass

    assert written == sorted(written)
    assert (ledger.read_epoch().announced, ledger.read_epoch().stored, written[-1]) == (12, 12, 12)


def test_a_store_that_cannot_be_written_leaves_the_ledger_between_the_two(ledger: SqlLedger) -> None:
    def fail(_: Epoch) -> None:
        raise UnavailableError("the disk is full", code="store_unavailable", hint="free space")

    with pytest.raises(UnavailableError):
        ledger.count_submission(fail)

    known = ledger.read_epoch()
    assert (known.announced, known.stored) == (1, 0)
    assert age_of(known, Epoch()) is Age.LEVEL


def test_a_restored_ledger_looks_for_every_open_job_once(ledger: SqlLedger) -> None:
    [job] = ledger.add_jobs([a_job(empty_lists=2)])

    marked = ledger.mark_restored(Epoch(submissions=7, token=9))
    [sought] = ledger.stage_jobs(job.stage)

    assert (marked.announced, marked.stored, marked.restored_at is not None) == (7, 7, True)
    assert (sought.sought_since, sought.empty_lists, sought.version) == (job.created_at, 0, job.version + 1)
    assert ledger.mark_restored(Epoch(submissions=7, token=9)) == marked
    assert ledger.stage_jobs(job.stage) == [sought]
