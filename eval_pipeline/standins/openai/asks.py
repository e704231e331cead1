"""``POST /v1/responses``: what a valid request is, and what it costs to read.

Input tokens are those of ``instructions`` and of every text in ``input``; instructions of 1,024
tokens and more count as cached, down to whole 128s.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from eval_pipeline.standins.documents import Json, JsonDict, at
from eval_pipeline.standins.judge_asks import JudgeAsk, read_judge_ask
from eval_pipeline.standins.openai.bodies import (
    InvalidBodyError,
    invalid_type,
    missing,
    read_object,
    refuse_unknown,
    require_text,
)
from eval_pipeline.standins.tokens import count_all, count_tokens

CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128
_PARAMETERS = frozenset(
    {
        "background",
        "context_management",
        "conversation",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    },
)
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "instructions": ((str,), "a string"),
    "max_output_tokens": ((int,), "an integer"),
    "metadata": ((dict,), "an object"),
    "reasoning": ((dict,), "an object"),
    "temperature": ((int, float), "a decimal"),
    "text": ((dict,), "an object"),
    "tools": ((list,), "an array of objects"),
    "top_p": ((int, float), "a decimal"),
}
_RANGES = {"temperature": (0, 2), "top_p": (0, 1)}
_LEAST_OUTPUT_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A valid request; ``question`` is the last text that the user says in it."""

    body: Json
    model: str
    question: str
    input_tokens: int
    cached_tokens: int
    judged: JudgeAsk | None = None
    """What it asks, if it is one to judge."""

    @property
    def name(self) -> str:
        """What it is counted as."""
        return self.question if self.judged is None else self.judged.name


def read_ask(raw: bytes) -> Ask:
    """Read the body of a request, or refuse it as the real API does."""
    body = read_object(raw)
    model = require_text(body, "model")
    if body.get("input") is None:
        raise missing("input")
    refuse_unknown(body, known=_PARAMETERS)
    _check_values(body)
    said = list(_texts(body["input"]))
    instructions = body.get("instructions")
    instruction_tokens = count_tokens(instructions) if instructions else 0
    cached = instruction_tokens // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS
    return Ask(
        body=body,
        model=model,
        question=next((text for role, text in reversed(said) if role == "user"), ""),
        input_tokens=instruction_tokens + count_all(text for _, text in said),
        cached_tokens=cached if instruction_tokens >= CACHE_FROM_TOKENS else 0,
        judged=read_judge_ask(said, model=model, schema=at(body, "text", "format", "schema")),
    )


def _check_values(body: Json) -> None:
    for param, (types, expected) in _TYPES.items():
        value = body.get(param)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            raise invalid_type(param, value, expected=expected)
    for param, (low, high) in _RANGES.items():
        value = body.get(param)
        if value is not None and not low <= value <= high:
            message = f"Invalid '{param}': expected a value between {low} and {high}, but got {value} instead."
            raise InvalidBodyError(message, param=param, code="invalid_value")
    limit = body.get("max_output_tokens")
    if limit is not None and limit < _LEAST_OUTPUT_TOKENS:
        message = f"Invalid 'max_output_tokens': expected a value >= {_LEAST_OUTPUT_TOKENS}, but got {limit}."
        raise InvalidBodyError(message, param="max_output_tokens", code="integer_below_min_value")
    if body.get("stream") or body.get("background"):
        raise InvalidBodyError("The stand-in neither streams nor works in the background.", param="stream")


def _texts(given: object) -> Iterator[tuple[str, str]]:
    """Yield (role, text) of everything that is said in an ``input``."""
    if isinstance(given, str):
        yield "user", given
        return
    for item in _objects(given, "input"):
        content = item.get("content", "")
        parts = [{"text": content}] if isinstance(content, str) else _objects(content, "input.content")
        yield from ((item.get("role", "user"), part["text"]) for part in parts if isinstance(part.get("text"), str))


def _objects(given: object, param: str) -> list[JsonDict]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid_type(param, given, expected="a string or an array of objects")
    return given
