"""A provider that refuses whatever it is asked is noticed after twenty equal refusals, and only then."""

from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.reasons import ReasonTally
from eval_pipeline.dispatch.refusals import REFUSALS_AT_THE_START, RefusalWatch

OK = ItemRecord("q", ItemStatus.OK, answer="x")


def refused(message: str = "Unsupported parameter: 'temperature'", *, transient: bool = False) -> ItemRecord:
    return ItemRecord("q", ItemStatus.FAILED, error=ItemError("unsupported", "http_error", message, transient))


def watched(*records: ItemRecord, proven: bool = False) -> bool:
    watch = RefusalWatch(proven=proven)
    for record in records:
        watch.take(record)
    return watch.error is not None


def test_twenty_equal_final_refusals_at_the_start_are_enough() -> None:
    assert watched(*[refused()] * REFUSALS_AT_THE_START)
    assert watched(*(refused(f"no such parameter (request id req_{at:012})") for at in range(REFUSALS_AT_THE_START)))
    assert not watched(*[refused()] * (REFUSALS_AT_THE_START - 1))


def test_anything_else_at_the_start_ends_the_watch() -> None:
    many = [refused()] * REFUSALS_AT_THE_START

    assert not watched(OK, *many)
    assert not watched(*many[1:], OK, *many)
    assert not watched(refused("another"), *many)
    assert not watched(refused(transient=True), *many)
    assert not watched(ItemRecord("q", ItemStatus.EMPTY, error=many[0].error), *many)
    assert not watched(*many, proven=True)


def test_the_most_frequent_reasons_come_first_however_their_ids_differ() -> None:
    tally = ReasonTally()
    for at in range(5):
        tally.add(ItemError("bad", "http_error", f"bad value, request req_abc{at:09}", transient=False))
    tally.add(ItemError("other", "http_error", "once", transient=False))

    assert [(reason.count, reason.words) for reason in tally.most_frequent()] == [
        (5, "bad: bad value, request …"),
        (1, "other: once"),
    ]
