"""OpenAI's error bodies, and the refusals and faults that consist of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from eval_pipeline.standins.control import as_json
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.limits import retry_headers
from eval_pipeline.standins.serving import ProviderError

INVALID_REQUEST = "invalid_request_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIError:
    """One error as OpenAI words it."""

    status: HTTPStatus
    message: str
    type: str = INVALID_REQUEST
    code: str | None = None
    param: str | None = None

    def response(self, headers: Mapping[str, str], *, message: str | None = None) -> Response:
        """Return it as an answer, with other words if given."""
        return as_json(self.document(message=message), self.status, headers)

    def document(self, *, message: str | None = None) -> dict[str, object]:
        """Return the body that tells it, with other words if given."""
        error = {"message": message or self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": error}


NO_KEY = OpenAIError(
    status=HTTPStatus.UNAUTHORIZED,
    message="You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    code="invalid_api_key",
)
WRONG_KEY = OpenAIError(
    status=HTTPStatus.UNAUTHORIZED,
    message="Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
    code="invalid_api_key",
)
RATE_LIMITED = OpenAIError(
    status=HTTPStatus.TOO_MANY_REQUESTS,
    message="Rate limit reached. Please try again later.",
    type="requests",
    code="rate_limit_exceeded",
)
_FAULTS = {
    FaultKind.RATE_LIMIT: RATE_LIMITED,
    FaultKind.RATE_LIMIT_NO_HEADER: RATE_LIMITED,
    FaultKind.INSUFFICIENT_QUOTA: OpenAIError(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        message="You exceeded your current quota, please check your plan and billing details.",
        type="insufficient_quota",
        code="insufficient_quota",
    ),
    FaultKind.SERVER_ERROR: OpenAIError(
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        message="The server had an error while processing your request. Sorry about that!",
        type="server_error",
        code="server_error",
    ),
    FaultKind.UNAVAILABLE: OpenAIError(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        message="The engine is currently overloaded, please try again later.",
        type="server_error",
        code="service_unavailable",
    ),
    FaultKind.BAD_REQUEST: OpenAIError(
        status=HTTPStatus.BAD_REQUEST,
        message="Invalid request: this input cannot be processed.",
        param="input",
        code="invalid_value",
    ),
    FaultKind.UNAUTHORIZED: WRONG_KEY,
    FaultKind.NOT_FOUND: OpenAIError(
        status=HTTPStatus.NOT_FOUND,
        message="The requested model does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    ),
}


def no_such_file(file_id: str) -> OpenAIError:
    """Return the error for a file that does not exist."""
    return OpenAIError(status=HTTPStatus.NOT_FOUND, message=f"No such File object: {file_id}", param="id")


def no_such_batch(batch_id: str) -> OpenAIError:
    """Return the error for a batch that does not exist."""
    return OpenAIError(status=HTTPStatus.NOT_FOUND, message=f"No batch found with id '{batch_id}'.")


def fault_error(rule: FaultRule) -> OpenAIError | None:
    """Return the HTTP error that a fault consists of, or None for every other fault."""
    return _FAULTS.get(rule.kind)


def fault_response(
    rule: FaultRule,
    headers: Mapping[str, str],
    *,
    not_found: ProviderError | None = None,
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
    if rule.kind in (FaultKind.RATE_LIMIT, FaultKind.UNAVAILABLE):
        headers = {**headers, **retry_headers(rule.retry_after)}
    return error.response(headers, message=rule.message)
