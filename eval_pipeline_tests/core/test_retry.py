import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.retry import RetryPolicy, is_transient


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 599])
def test_timeouts_conflicts_limits_and_server_errors_may_pass(status: int) -> None:
    assert is_transient(status, error_code=None)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 422])
def test_everything_else_stays_as_it_is(status: int) -> None:
    assert not is_transient(status, error_code=None)


def test_an_account_without_credit_stays_so() -> None:
    assert not is_transient(429, error_code="insufficient_quota")


def delay(attempts: int, *, jitter: float = 0.5, **facts: float) -> float | None:
    known = {"elapsed_s": 0.0, "retry_after_s": None, **facts}
    return RetryPolicy(max_attempts=8).delay_s(attempts=attempts, jitter=jitter, **known)  # type: ignore[arg-type]  # mixed


def test_the_delay_doubles_from_one_second_to_thirty() -> None:
    assert [delay(n) for n in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_the_jitter_is_full() -> None:
    assert delay(3, jitter=0.0) == 0.0
    assert delay(3, jitter=0.999) == pytest.approx(3.996)


def test_the_providers_wish_is_honoured_beyond_the_longest_delay() -> None:
    assert delay(1, retry_after_s=90.0) == 90.0


def test_an_item_has_its_chances_and_no_more() -> None:
    assert delay(8) is None


def test_a_wait_beyond_the_time_budget_ends_the_item() -> None:
    assert delay(1, elapsed_s=599.0, jitter=0.9) == 0.9
    assert delay(1, elapsed_s=599.5, jitter=0.9) is None
    assert delay(1, retry_after_s=601.0) is None


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_delay_is_longer_than_the_longest(attempts: int, jitter: float) -> None:
    wait = RetryPolicy(max_attempts=10**6).delay_s(attempts=attempts, elapsed_s=0, retry_after_s=None, jitter=jitter)

    assert wait is not None
    assert 0 <= wait <= 30
