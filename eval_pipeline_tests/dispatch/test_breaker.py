import pytest

from eval_pipeline.core.outcomes import AccountFault
from eval_pipeline.dispatch.breaker import Breaker, explain
from eval_pipeline_tests.dispatch.fake_provider import BAD_REQUEST, ENDPOINT, OK, WRONG_KEY, failure


def test_five_faults_in_a_row_open_it() -> None:
    breaker: Breaker[int] = Breaker(ENDPOINT, proven=True)

    for n in range(4):
        assert breaker.take(n, WRONG_KEY) == []
        assert breaker.error is None
    breaker.take(4, WRONG_KEY)

    assert breaker.error is not None
    assert breaker.end() == []


def test_an_answer_in_between_releases_what_was_held_back() -> None:
    breaker: Breaker[int] = Breaker(ENDPOINT)

    assert breaker.take(1, WRONG_KEY) == []
    assert breaker.take(2, WRONG_KEY) == []
    assert breaker.take(3, BAD_REQUEST) == [1, 2, 3]
    assert breaker.end() == []


def test_the_last_faults_of_a_proven_account_are_released_at_the_end() -> None:
    breaker: Breaker[int] = Breaker(ENDPOINT)
    breaker.take(1, OK)
    breaker.take(2, WRONG_KEY)

    assert breaker.end() == [2]
    assert breaker.error is None


def test_nothing_but_faults_is_an_error_however_few() -> None:
    breaker: Breaker[int] = Breaker(ENDPOINT)
    breaker.take(1, WRONG_KEY)

    assert breaker.end() == []
    assert breaker.error is not None


def test_no_result_at_all_is_no_error() -> None:
    breaker: Breaker[int] = Breaker(ENDPOINT)

    assert breaker.end() == []
    assert breaker.error is None


@pytest.mark.parametrize(
    ("fault", "code", "shown", "hinted"),
    [
        (AccountFault.AUTH, "provider_auth_failed", "refused the key", "OPENAI_API_KEY"),
        (AccountFault.UNREACHABLE, "provider_unreachable", "cannot be reached", "OPENAI_BASE_URL"),
        (AccountFault.NOT_AN_API, "provider_not_an_api", "http://127.0.0.1:1/v1", "OPENAI_BASE_URL"),
        (AccountFault.MODEL_NOT_FOUND, "model_not_found", "'gpt-4o'", "name"),
        (AccountFault.QUOTA, "provider_quota_exhausted", "no credit", "billing"),
    ],
)
def test_every_fault_is_explained_with_the_providers_words_and_a_remedy(
    fault: AccountFault, code: str, shown: str, hinted: str
) -> None:
    error = explain(failure("some_code", transient=False, fault=fault), ENDPOINT)

    assert error.code == code
    assert shown in error.message
    assert "it said some_code" in error.message
    assert hinted in error.hint


def test_a_redirect_names_the_variable_that_takes_the_final_address() -> None:
    error = explain(failure("redirected", transient=False, fault=AccountFault.NOT_AN_API), ENDPOINT)

    assert error.code == "redirected"
    assert "OPENAI_BASE_URL to the address that it points to" in error.hint
