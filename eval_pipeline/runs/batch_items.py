"""Which items of a stage go out again in a follow-up round, and what earlier rounds left of them, in every flow."""

from collections.abc import Callable

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.dispatch.batch_results import AnswerResults
from eval_pipeline.dispatch.records import RESULT_LOST, RecordIndex
from eval_pipeline.storage.journal import Journal

Asks = Callable[[str], bool]


def asks_again(index: RecordIndex, *, anew: bool, resend_lost: bool) -> Asks | None:
    """Return what tells whether an item is to be asked; None where nothing was asked yet.

    Args:
        index: what the stage's journal holds.
        anew: whether what failed by the account's fault goes out again, too: a person may have mended that.
        resend_lost: whether a person accepts that items whose result is gone are charged a second time.
    """
    if not len(index):
        return None

    def asks(item_id: str) -> bool:
        if index.finished(item_id):
            return False
        record = index.find(item_id)
        return record is None or may_be_asked(record, anew=anew, resend_lost=resend_lost)

    return asks


def may_be_asked(record: ItemRecord, *, anew: bool, resend_lost: bool) -> bool:
    """Tell whether an item goes out again: what failed in passing does, the account's faults once a person came."""
    if record.error is not None and record.error.transient:
        return True
    if resend_lost and record.error is not None and record.error.code == RESULT_LOST:
        return True
    return anew and not record.finished


def answer_results(objects: ObjectStore, job: BatchJob) -> AnswerResults:
    """Make the writer of a job's items; what earlier rounds were billed for stays counted."""
    return AnswerResults(_earlier(objects, job) if job.round > 0 else None, endpoint=job.base_url)


def _earlier(objects: ObjectStore, job: BatchJob) -> Callable[[str], ItemRecord | None]:
    """Remember the records that earlier rounds left of the items that are not finished."""
    with Journal(objects, job.stage).spool(below=f"batch-r{job.round:02d}") as spool:
        index = RecordIndex(spool)
        earlier = {item_id: index.find(item_id) for item_id in index.unfinished()}
    return earlier.get
