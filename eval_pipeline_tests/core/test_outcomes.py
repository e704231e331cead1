import pytest

from eval_pipeline.core.outcomes import (
    AccountFault,
    Attempt,
    AttemptOutcome,
    ItemError,
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
    ok = settle("q", Attempt(AttemptOutcome.OK, text="whole"), attempts=1, retried_usage=Usage())
    cut = settle("q", Attempt(AttemptOutcome.TRUNCATED, text="half"), attempts=1, retried_usage=Usage())
    refused = settle("q", Attempt(AttemptOutcome.REFUSED, text="half"), attempts=1, retried_usage=Usage())

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

    assert settle("q", attempt, attempts=2, retried_usage=Usage()).finished is finished


def test_usages_add_up() -> None:
    assert Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50) == Usage(11, 22, 33, 44, 55)


def test_a_cost_is_uncertain_only_where_a_charge_is_possible_and_untold() -> None:
    assert Attempt(AttemptOutcome.RETRYABLE, maybe_billed=True).cost_uncertain
    assert not Attempt(AttemptOutcome.RETRYABLE).cost_uncertain
    assert not Attempt(AttemptOutcome.OK, usage=Usage(), maybe_billed=True).cost_uncertain
