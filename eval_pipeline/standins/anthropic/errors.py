"""Anthropic's error bodies, and the refusals and faults that consist of one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.responses import Response

from eval_pipeline.standins.control import as_json
from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.limits import retry_headers
from eval_pipeline.standins.serving import ProviderError, RefusedError

OVERLOADED_STATUS = 529


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicError:
    """One error as Anthropic words it."""

    status: int
    type: str
    message: str

    def response(self, headers: Mapping[str, str], *, message: str | None = None) -> Response:
        """Return it as an answer, with other words if given."""
        return as_json(self.document(message=message), self.status, headers)

    def document(self, *, message: str | None = None) -> JsonDict:
        """Return the body that tells it, with other words if given."""
        error = {"type": self.type, "message": message or self.message}
        return {"type": "error", "error": error, "request_id": f"req_{secrets.token_hex(12)}"}


class InvalidBodyError(RefusedError):
    """A request that Anthropic would refuse."""

    error: AnthropicError

    def __init__(
        self, message: str, *, kind: str = "invalid_request_error", status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(AnthropicError(status=status, type=kind, message=message), message)

    @classmethod
    def of(cls, error: AnthropicError) -> "InvalidBodyError":
        """Return the refusal that says this."""
        return cls(error.message, kind=error.type, status=error.status)


def read_object(raw: bytes) -> JsonDict:
    """Read a JSON object, or refuse the body in Anthropic's words."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidBodyError(f"The request body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidBodyError("Input should be a valid dictionary")
    return body


NO_KEY = AnthropicError(
    status=HTTPStatus.UNAUTHORIZED, type="authentication_error", message="x-api-key header is required"
)
WRONG_KEY = AnthropicError(status=HTTPStatus.UNAUTHORIZED, type="authentication_error", message="invalid x-api-key")
NO_VERSION = AnthropicError(
    status=HTTPStatus.BAD_REQUEST, type="invalid_request_error", message="anthropic-version: header is required"
)
TOO_LARGE = AnthropicError(
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    type="request_too_large",
    message="Request exceeds the maximum size",
)
RATE_LIMITED = AnthropicError(
    status=HTTPStatus.TOO_MANY_REQUESTS,
    type="rate_limit_error",
    message="This request would exceed your organization's rate limit.",
)
_FAULTS = {
    FaultKind.RATE_LIMIT: RATE_LIMITED,
    FaultKind.RATE_LIMIT_NO_HEADER: RATE_LIMITED,
    FaultKind.INSUFFICIENT_QUOTA: AnthropicError(
        status=HTTPStatus.BAD_REQUEST,
        type="invalid_request_error",
        message="Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
    ),
    FaultKind.BILLING: AnthropicError(
        status=HTTPStatus.PAYMENT_REQUIRED,
        type="billing_error",
        message="There's an issue with your billing or payment information.",
    ),
    FaultKind.SERVER_ERROR: AnthropicError(
        status=HTTPStatus.INTERNAL_SERVER_ERROR, type="api_error", message="Internal server error"
    ),
    FaultKind.UNAVAILABLE: AnthropicError(
        status=HTTPStatus.SERVICE_UNAVAILABLE, type="api_error", message="Service unavailable"
    ),
    FaultKind.OVERLOADED: AnthropicError(status=OVERLOADED_STATUS, type="overloaded_error", message="Overloaded"),
    FaultKind.BAD_REQUEST: AnthropicError(
        status=HTTPStatus.BAD_REQUEST,
        type="invalid_request_error",
        message="messages: this input cannot be processed",
    ),
    FaultKind.TOO_LARGE: TOO_LARGE,
    FaultKind.UNAUTHORIZED: WRONG_KEY,
    FaultKind.FORBIDDEN: AnthropicError(
        status=HTTPStatus.FORBIDDEN,
        type="permission_error",
        message="Your API key does not have permission to use the specified resource.",
    ),
    FaultKind.NOT_FOUND: AnthropicError(
        status=HTTPStatus.NOT_FOUND, type="not_found_error", message="model: the requested model"
    ),
}


def no_such_batch(batch_id: str) -> AnthropicError:
    """Return the error for a batch that does not exist."""
    message = f"Message Batch with ID {batch_id} not found."
    return AnthropicError(status=HTTPStatus.NOT_FOUND, type="not_found_error", message=message)


def fault_error(rule: FaultRule) -> AnthropicError | None:
    """Return the HTTP error that a fault consists of, or None for every other fault."""
    return _FAULTS.get(rule.kind)


def fault_response(
    rule: FaultRule, headers: Mapping[str, str], *, not_found: ProviderError | None = None
) -> Response | None:
    """Return the answer of a fault that is an HTTP error, or None for every other fault.

    Args:
        rule: The fault.
        headers: The headers of every answer.
        not_found: What is said of a thing that is not there, if it is no model.
    """
    error: ProviderError | None = fault_error(rule)
    if error is None:
        return None
    if rule.kind is FaultKind.NOT_FOUND and not_found:
        error = not_found
    if rule.kind in (FaultKind.RATE_LIMIT, FaultKind.UNAVAILABLE, FaultKind.OVERLOADED):
        headers = {**headers, "retry-after": retry_headers(rule.retry_after)["retry-after"]}
    return error.response(headers, message=rule.message)
