"""Request bodies that OpenAI would refuse, and its words for them."""

from collections.abc import Set as AbstractSet
from http import HTTPStatus

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.openai.errors import OpenAIError
from eval_pipeline.standins.serving import RefusedError


class InvalidBodyError(RefusedError):
    """A request body that OpenAI would refuse."""

    error: OpenAIError

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(OpenAIError(status=status, message=message, param=param, code=code), message)

    @classmethod
    def of(cls, error: OpenAIError) -> "InvalidBodyError":
        """Return the refusal that says this."""
        return cls(error.message, param=error.param, code=error.code, status=error.status)


def read_object(raw: bytes) -> JsonDict:
    """Read a JSON object, or refuse the body in OpenAI's words."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidBodyError(f"We could not parse the JSON body of your request. ({error})") from error
    if not isinstance(body, dict):
        raise InvalidBodyError("Invalid body: expected a JSON object.")
    return body


def require_text(body: Json, param: str) -> str:
    """Return a string that the request must have."""
    value = body.get(param)
    if value is None:
        raise missing(param)
    if not isinstance(value, str) or not value:
        raise invalid_type(param, value, expected="a string")
    return value


def refuse_unknown(body: Json, *, known: AbstractSet[str]) -> None:
    """Refuse a body with a parameter that the endpoint does not have."""
    if unknown := sorted(body.keys() - known):
        raise InvalidBodyError(f"Unknown parameter: '{unknown[0]}'.", param=unknown[0], code="unknown_parameter")


def missing(param: str) -> InvalidBodyError:
    """Return the error for a parameter that is not there."""
    message = f"Missing required parameter: '{param}'."
    return InvalidBodyError(message, param=param, code="missing_required_parameter")


def invalid_type(param: str, value: object, *, expected: str) -> InvalidBodyError:
    """Return the error for a parameter of the wrong type."""
    message = f"Invalid type for '{param}': expected {expected}, but got {type(value).__name__} instead."
    return InvalidBodyError(message, param=param, code="invalid_type")
