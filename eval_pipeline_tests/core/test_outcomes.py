import pytest

from eval_pipeline.core.outcomes import (
    AccountFault,
    Attempt,
    AttemptOutcome,
    BilledCall,
    ItemError,
    ItemRecord,
    ItemStatus,
    Usage,
    final_status,
    settle,
)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("ok", "ok"),
        ("truncated", "incomplete"),
        ("refused", "refused"),
        ("empty", "empty"),
        ("missing", "missing"),
        ("malformed", "missing"),
        ("expired", "missing"),
        ("cancelled", "failed"),
        ("invalid_output", "failed"),
        ("failed", "failed"),
        ("retryable", "failed"),
    ],
)
def test_every_outcome_has_its_status(outcome: str, status: str) -> None:
    assert final_status(AttemptOutcome(outcome)) is ItemStatus(status)


def test_every_outcome_is_mapped() -> None:
    assert {final_status(outcome) for outcome in AttemptOutcome} == set(ItemStatus)


def test_only_an_answer_is_an_answer() -> None:
    ok = settle("q", Attempt(AttemptOutcome.OK, text="whole"), attempts=1)
    cut = settle("q", Attempt(AttemptOutcome.TRUNCATED, text="half"), attempts=1)
    refused = settle("q", Attempt(AttemptOutcome.REFUSED, text="half"), attempts=1)

    assert [(record.answer, record.partial_answer) for record in (ok, cut, refused)] == [
        ("whole", None),
        (None, "half"),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("transient", "fault", "finished"), [(False, None, True), (True, None, False), (False, AccountFault.AUTH, False)]
)
def test_an_item_is_finished_unless_asking_again_may_help(
    *, transient: bool, fault: AccountFault | None, finished: bool
) -> None:
    error = ItemError(code="x", type="y", message="z", transient=transient)
    attempt = Attempt(AttemptOutcome.FAILED, error=error, account_fault=fault)

    assert settle("q", attempt, attempts=2).finished is finished


def test_usages_add_up() -> None:
    assert Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50) == Usage(11, 22, 33, 44, 55)


def test_a_cost_is_uncertain_only_where_a_charge_is_possible_and_untold() -> None:
    assert Attempt(AttemptOutcome.RETRYABLE, maybe_billed=True).cost_uncertain
    assert not Attempt(AttemptOutcome.RETRYABLE).cost_uncertain
    assert not Attempt(AttemptOutcome.OK, usage=Usage(), maybe_billed=True).cost_uncertain


@pytest.mark.parametrize(
    ("outcome", "unreported", "without_usage"),
    [("ok", 1, True), ("refused", 1, True), ("retryable", 2, False), ("malformed", 2, False)],
)
def test_a_last_attempt_without_usage_was_either_answered_or_lost(
    outcome: str, unreported: int, *, without_usage: bool
) -> None:
    record = settle("q", Attempt(AttemptOutcome(outcome), maybe_billed=True), attempts=2, unreported_calls=1)

    assert (record.unreported_calls, record.without_usage) == (unreported, without_usage)


def test_a_record_tells_every_billed_call_with_its_model() -> None:
    first, second, last = Usage(input=1, total=1), Usage(input=2, total=2), Usage(input=4, total=4)
    retried = (BilledCall(first, "a"), BilledCall(second))

    record = ItemRecord("q", ItemStatus.OK, usage=last, model="b", retried=retried)

    assert record.retried_usage == Usage(input=3, total=3)
    assert record.billed_calls == (*retried, BilledCall(last, "b"))
    assert ItemRecord("q", ItemStatus.MISSING, retried=retried).billed_calls == retried
