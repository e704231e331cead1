"""``POST /v1/chat/completions``: what a valid request is, and what it costs to read.

Input tokens are those of every text in ``messages``; a first system message of 1,024 tokens and more counts as cached,
down to whole 128s.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from eval_pipeline.standins.documents import Json, JsonDict, at
from eval_pipeline.standins.judge_asks import JudgeAsk, read_judge_ask
from eval_pipeline.standins.openai.asks import CACHE_FROM_TOKENS, CACHE_STEP_TOKENS
from eval_pipeline.standins.openai.bodies import (
    InvalidBodyError,
    invalid_type,
    missing,
    read_object,
    refuse_unknown,
    require_text,
)
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.tokens import count_all, count_tokens

_PARAMETERS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    },
)
_ROLES = ("developer", "system", "user", "assistant", "tool", "function")
_RANGES = {"temperature": (0, 2), "top_p": (0, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAsk:
    """A valid request; ``question`` is the last text that the user says in it."""

    body: Json
    model: str
    question: str
    input_tokens: int
    cached_tokens: int
    limit: int | None
    """Of output tokens, as far as the server knows the name that was used."""
    judged: JudgeAsk | None = None
    """What it asks, if it is one to judge."""

    @property
    def name(self) -> str:
        """What it is counted as."""
        return self.question if self.judged is None else self.judged.name


def read_chat(raw: bytes, dialect: Dialect) -> ChatAsk:
    """Read the body of a request, or refuse it as the real server does."""
    body = read_object(raw)
    model = require_text(body, "model")
    if body.get("messages") is None:
        raise missing("messages")
    if dialect.is_strict:
        refuse_unknown(body, known=_PARAMETERS)
        _refuse_limits(body, model)
    _check_values(body)
    said = list(_texts(body["messages"]))
    if not said:
        raise InvalidBodyError("[] is too short - 'messages'", param="messages")
    first_tokens = count_tokens(said[0][1]) if said[0][0] in ("system", "developer") else 0
    cached = first_tokens // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS
    return ChatAsk(
        body=body,
        model=model,
        question=next((text for role, text in reversed(said) if role == "user"), ""),
        input_tokens=count_all(text for _, text in said),
        cached_tokens=cached if first_tokens >= CACHE_FROM_TOKENS else 0,
        limit=next((body[name] for name in dialect.limit_names if body.get(name) is not None), None),
        judged=read_judge_ask(said, model=model, schema=at(body, "response_format", "json_schema", "schema")),
    )


def _refuse_limits(body: Json, model: str) -> None:
    """Refuse the older name of the limit where OpenAI does: beside the newer one, and for models that reason."""
    if body.get("max_tokens") is None:
        return
    if body.get("max_completion_tokens") is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise InvalidBodyError(message, param="max_tokens", code="invalid_parameter_combination")
    if model.startswith(("o1", "o3", "o4", "gpt-5")):
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. "
        raise InvalidBodyError(
            f"{message}Use 'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"
        )


def _check_values(body: Json) -> None:
    for param, (low, high) in _RANGES.items():
        value = body.get(param)
        if value is not None and (not isinstance(value, int | float) or not low <= value <= high):
            message = f"Invalid '{param}': expected a value between {low} and {high}, but got {value} instead."
            raise InvalidBodyError(message, param=param, code="invalid_value")
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise invalid_type(name, value, expected="a positive integer")
    if body.get("stream"):
        raise InvalidBodyError("The stand-in does not stream.", param="stream")


def _texts(messages: object) -> Iterator[tuple[str, str]]:
    """Yield (role, text) of everything that is said."""
    for place, message in enumerate(_objects(messages, "messages")):
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES:
            known = ", ".join(repr(name) for name in _ROLES)
            text = f"Invalid value: '{role}'. Supported values are: {known}."
            raise InvalidBodyError(text, param=f"messages[{place}].role", code="invalid_value")
        if content is None and role != "assistant":
            raise invalid_type(f"messages[{place}].content", content, expected="a string or an array of objects")
        parts = _parts(content, f"messages[{place}].content")
        yield from ((role, part["text"]) for part in parts if isinstance(part.get("text"), str))


def _parts(content: object, param: str) -> list[JsonDict]:
    if content is None or isinstance(content, str):
        return [{"type": "text", "text": content or ""}]
    parts = _objects(content, param)
    for part in parts:
        if part.get("type") in ("input_text", "output_text", "input_image"):
            message = (
                f"Invalid value: '{part['type']}'. Supported values are: 'text', 'image_url', 'input_audio', 'file'."
            )
            raise InvalidBodyError(message, param=param, code="invalid_value")
    return parts


def _objects(given: object, param: str) -> list[JsonDict]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid_type(param, given, expected="an array of objects")
    return given
