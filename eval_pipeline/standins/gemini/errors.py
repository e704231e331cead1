"""Google's error bodies, the refusals and faults that consist of one, and the numbers of its statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.responses import Response

from eval_pipeline.standins.control import as_json
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.serving import RefusedError

_TYPE = "type.googleapis.com/google.rpc."
_STATUSES = {
    HTTPStatus.BAD_REQUEST: ("INVALID_ARGUMENT", 3),
    HTTPStatus.UNAUTHORIZED: ("UNAUTHENTICATED", 16),
    HTTPStatus.FORBIDDEN: ("PERMISSION_DENIED", 7),
    HTTPStatus.NOT_FOUND: ("NOT_FOUND", 5),
    HTTPStatus.CONFLICT: ("ALREADY_EXISTS", 6),
    HTTPStatus.TOO_MANY_REQUESTS: ("RESOURCE_EXHAUSTED", 8),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("INTERNAL", 13),
    HTTPStatus.SERVICE_UNAVAILABLE: ("UNAVAILABLE", 14),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiError:
    """One error as Google words it."""

    code: HTTPStatus
    message: str
    details: Sequence[Json] = ()
    status: str | None = None

    def response(self, headers: Mapping[str, str], *, message: str | None = None) -> Response:
        """Return it as an answer, with other words if given."""
        return as_json({"error": self.document(message=message)}, self.code, headers)

    def document(self, *, message: str | None = None) -> dict[str, object]:
        """Return what tells it in an answer and in a line of a result file, with other words if given."""
        told: dict[str, object] = {
            "code": int(self.code),
            "message": message or self.message,
            "status": self.status or _STATUSES[self.code][0],
        }
        return told | {"details": list(self.details)} if self.details else told

    def rpc_status(self, *, message: str | None = None) -> dict[str, object]:
        """Return it as a ``google.rpc.Status``, which has the number of the status alone."""
        return {"code": _STATUSES[self.code][1], "message": message or self.message}


class GeminiRefusedError(RefusedError):
    """A request that Gemini would refuse."""

    error: GeminiError

    def __init__(self, error: GeminiError) -> None:
        super().__init__(error, error.message)


def invalid(message: str) -> GeminiRefusedError:
    """Return the refusal of an argument."""
    return GeminiRefusedError(GeminiError(code=HTTPStatus.BAD_REQUEST, message=message))


def unready(message: str) -> GeminiRefusedError:
    """Return the refusal of something that is not in the right state for it."""
    error = GeminiError(code=HTTPStatus.BAD_REQUEST, message=message, status="FAILED_PRECONDITION")
    return GeminiRefusedError(error)


NO_KEY = GeminiError(
    code=HTTPStatus.FORBIDDEN,
    message="Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API.",
)
WRONG_KEY = GeminiError(
    code=HTTPStatus.BAD_REQUEST,
    message="API key not valid. Please pass a valid API key.",
    details=(
        {
            "@type": f"{_TYPE}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
    ),
)
RATE_LIMITED = GeminiError(
    code=HTTPStatus.TOO_MANY_REQUESTS,
    message="Resource has been exhausted (e.g. check quota).",
)
NOT_FOUND = GeminiError(code=HTTPStatus.NOT_FOUND, message="Requested entity was not found.")
_QUOTA = GeminiError(
    code=HTTPStatus.TOO_MANY_REQUESTS,
    message="You exceeded your current quota, please check your plan and billing details.",
    details=(
        {
            "@type": f"{_TYPE}QuotaFailure",
            "violations": [
                {
                    "quotaMetric": "generativelanguage.googleapis.com/generate_requests",
                    "quotaId": "GenerateRequestsPerDayPerProjectPerModel",
                },
            ],
        },
    ),
)
_FAULTS = {
    FaultKind.RATE_LIMIT: RATE_LIMITED,
    FaultKind.RATE_LIMIT_NO_HEADER: RATE_LIMITED,
    FaultKind.INSUFFICIENT_QUOTA: _QUOTA,
    FaultKind.SERVER_ERROR: GeminiError(
        code=HTTPStatus.INTERNAL_SERVER_ERROR,
        message="An internal error has occurred. Please retry.",
    ),
    FaultKind.UNAVAILABLE: GeminiError(
        code=HTTPStatus.SERVICE_UNAVAILABLE,
        message="The model is overloaded. Please try again later.",
    ),
    FaultKind.BAD_REQUEST: GeminiError(
        code=HTTPStatus.BAD_REQUEST,
        message="Request contains an invalid argument.",
    ),
    FaultKind.UNAUTHORIZED: WRONG_KEY,
    FaultKind.UNAUTHENTICATED: GeminiError(
        code=HTTPStatus.UNAUTHORIZED,
        message="Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential.",
    ),
    FaultKind.FORBIDDEN: GeminiError(
        code=HTTPStatus.FORBIDDEN,
        message="Your project has been denied access. Please contact support.",
    ),
    FaultKind.NOT_FOUND: NOT_FOUND,
}
HTTP_FAULTS = frozenset(_FAULTS)


def retry_later(error: GeminiError, wait_s: float) -> GeminiError:
    """Return an error that says in its body, not in a header, when to come back."""
    info = {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{wait_s:.9f}".rstrip("0").rstrip(".") + "s"}
    return replace(error, details=(*error.details, info))


def no_such_model(model: str, *, method: str) -> GeminiError:
    """Return the error for a model that does not exist."""
    message = (
        f"models/{model} is not found for API version v1, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return GeminiError(code=HTTPStatus.NOT_FOUND, message=message)


def no_such_file(file_id: str) -> GeminiError:
    """Return the error for a file that is not there, was deleted or has expired."""
    message = f"You do not have permission to access the File {file_id} or it may not exist."
    return GeminiError(code=HTTPStatus.FORBIDDEN, message=message)


def fault_error(rule: FaultRule, *, not_found: GeminiError | None = None) -> GeminiError | None:
    """Return the HTTP error that a fault consists of, or None for every other fault.

    Args:
        rule: The fault.
        not_found: What is said of a thing that is not there, if it is known which.
    """
    error = _FAULTS.get(rule.kind)
    if error is None:
        return None
    if rule.kind is FaultKind.NOT_FOUND and not_found:
        error = not_found
    return retry_later(error, rule.retry_after) if rule.kind is FaultKind.RATE_LIMIT else error
