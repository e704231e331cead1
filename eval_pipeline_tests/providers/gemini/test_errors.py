"""What errors of a Google API mean for an item and for the account."""

from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.providers.gemini.errors import FILE_UNAVAILABLE, attempt_of, parse_error, read_status

JSON = {"content-type": "application/json"}
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
EXCEEDED = "You exceeded your current quota, please check your plan and billing details."


def parse(status: int, word: str, message: str = "it said so", details: Any = None) -> Attempt:  # noqa: ANN401 - JSON
    error = {"code": status, "message": message, "status": word, "details": details}
    return parse_error(status, orjson.dumps({"error": error}), JSON)


def quota(*ids: str, delay: str | None = None) -> list[dict[str, Any]]:
    violations = [{"quotaMetric": "generate_content", "quotaId": name} for name in ids]
    failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    return [failure, retry] if delay else [failure]


def code(attempt: Attempt) -> str:
    assert attempt.error is not None
    return attempt.error.code


def test_too_many_calls_a_minute_wait_as_long_as_the_provider_says() -> None:
    attempt = parse(429, "RESOURCE_EXHAUSTED", EXCEEDED, quota(PER_MINUTE, delay="20.044s"))

    assert (attempt.outcome, code(attempt)) == (AttemptOutcome.RETRYABLE, "resource_exhausted")
    assert (attempt.throttled, attempt.retry_after_s, attempt.account_fault) == (True, 20.044, None)


@pytest.mark.parametrize(
    ("status", "word", "message", "details"),
    [
        (429, "RESOURCE_EXHAUSTED", EXCEEDED, quota(PER_MINUTE, PER_DAY, delay="3s")),
        (429, "RESOURCE_EXHAUSTED", "* Quota exceeded for metric: x, limit: 0, model: gemini-2.5-pro", None),
        (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", None),
        (403, "PERMISSION_DENIED", "no", [{"reason": "BILLING_DISABLED"}]),
        (400, "FAILED_PRECONDITION", "Please enable billing on project 1.", None),
    ],
)
def test_what_no_short_wait_brings_back_is_a_fault_of_the_account(
    status: int,
    word: str,
    message: str,
    details: Any,  # noqa: ANN401 - JSON
) -> None:
    attempt = parse(status, word, message, details)

    assert attempt.account_fault is AccountFault.QUOTA
    assert not attempt.transient
    assert not attempt.throttled


@pytest.mark.parametrize(
    ("status", "word", "message", "fault"),
    [
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", AccountFault.AUTH),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", AccountFault.AUTH),
        (401, "UNAUTHENTICATED", "no", AccountFault.AUTH),
        (403, "PERMISSION_DENIED", "The caller does not have permission", AccountFault.AUTH),
        (404, "NOT_FOUND", "models/gemini-9 is not found for API version v1", AccountFault.MODEL_NOT_FOUND),
    ],
)
def test_faults_of_the_account_are_known_and_not_tried_again(
    status: int, word: str, message: str, fault: AccountFault
) -> None:
    attempt = parse(status, word, message)

    assert (attempt.account_fault, attempt.transient) == (fault, False)


def test_a_wrong_key_is_said_to_be_one() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]

    assert code(parse(400, "INVALID_ARGUMENT", "API key not valid.", details)) == "api_key_invalid"


@pytest.mark.parametrize(
    ("status", "word", "message"),
    [
        (403, "PERMISSION_DENIED", "You do not have permission to access the File abc or it may not exist."),
        (404, "NOT_FOUND", "Requested entity was not found."),
        (400, "FAILED_PRECONDITION", "The File abc is not in an ACTIVE state and usage is not allowed."),
    ],
)
def test_a_file_that_is_gone_or_not_ready_is_no_fault_of_the_account(status: int, word: str, message: str) -> None:
    attempt = parse(status, word, message)

    assert (attempt.outcome, attempt.account_fault) == (AttemptOutcome.RETRYABLE, None)
    assert (code(attempt), attempt.transient) == (FILE_UNAVAILABLE, True)


@pytest.mark.parametrize(("status", "word"), [(500, "INTERNAL"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED")])
def test_faults_of_the_server_may_pass(status: int, word: str) -> None:
    attempt = parse(status, word)

    assert (attempt.outcome, attempt.transient, attempt.throttled) == (AttemptOutcome.RETRYABLE, True, False)


def test_a_bad_request_is_the_items_own_fault() -> None:
    attempt = parse(400, "INVALID_ARGUMENT", "Unsupported MIME type: audio/x")

    assert (attempt.outcome, attempt.transient, attempt.account_fault) == (AttemptOutcome.FAILED, False, None)


@pytest.mark.parametrize(
    ("body", "fault"),
    [(b"<html>not here</html>", AccountFault.NOT_AN_API), (b'{"detail": "Not Found"}', AccountFault.NOT_AN_API)],
)
def test_a_404_that_is_not_googles_is_a_wrong_address(body: bytes, fault: AccountFault) -> None:
    assert parse_error(404, body, {}).account_fault is fault


def test_an_error_in_a_list_and_one_of_a_proxy_are_read() -> None:
    listed = parse_error(429, b'[{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}]', JSON)
    proxied = parse_error(503, b"<html>down</html>", {"content-type": "text/html", "retry-after": "7"})

    assert code(listed) == "resource_exhausted"
    assert proxied.error is not None
    assert (proxied.error.message, proxied.retry_after_s, proxied.transient) == ("HTTP 503: down", 7.0, True)


@pytest.mark.parametrize(
    ("given", "outcome", "expected"),
    [
        ({"code": 3, "message": "bad"}, AttemptOutcome.FAILED, "invalid_argument"),
        ({"code": 8, "message": "full"}, AttemptOutcome.RETRYABLE, "resource_exhausted"),
        ({"code": 13, "message": "oops"}, AttemptOutcome.RETRYABLE, "internal"),
        ({"code": 1, "message": "stopped"}, AttemptOutcome.CANCELLED, "cancelled"),
        ({"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}, AttemptOutcome.FAILED, "invalid_argument"),
        ({"code": 503, "message": "later"}, AttemptOutcome.RETRYABLE, "unknown"),
        ({"message": "who knows"}, AttemptOutcome.RETRYABLE, "unknown"),
        ({}, AttemptOutcome.RETRYABLE, "unknown"),
    ],
)
def test_an_error_without_http_has_the_status_of_its_code(
    given: dict[str, Any], outcome: AttemptOutcome, expected: str
) -> None:
    attempt = attempt_of(read_status(given))

    assert (attempt.outcome, code(attempt)) == (outcome, expected)
    assert attempt.transient == (outcome is not AttemptOutcome.FAILED)
