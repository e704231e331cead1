"""``POST /v1/chat/completions``: the chat completion that answers a valid request, in the words of each dialect.

Tokens are counted as those of ``/v1/responses``; ``reasoning_effort`` alone decides on reasoning tokens.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import JUDGE_FAULTS, TRANSPORT_FAULTS, FaultKind
from eval_pipeline.standins.openai.bodies import InvalidBodyError, invalid_type, missing
from eval_pipeline.standins.openai.chat_asks import ChatAsk
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.openai.responses import REASONING_TOKENS, is_json
from eval_pipeline.standins.spoilt_texts import REFUSAL_TEXT
from eval_pipeline.standins.structured import instance
from eval_pipeline.standins.tokens import count_tokens, first_tokens

CHAT_FAULTS = (
    TRANSPORT_FAULTS
    | JUDGE_FAULTS
    | {
        FaultKind.OTHER_MODEL,
        FaultKind.INSUFFICIENT_QUOTA,
        FaultKind.MALFORMED,
        FaultKind.NO_USAGE,
        FaultKind.EMPTY,
        FaultKind.REFUSAL,
        FaultKind.INCOMPLETE,
        FaultKind.CONTENT_FILTER,
        FaultKind.STATUS_FAILED,
        FaultKind.THOUGHT,
        FaultKind.SPLIT_PARTS,
    }
)
THOUGHT_TEXT = "Let me think about that first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a completion ends; each field as it stands in its only choice."""

    content: str | None = None
    finish_reason: str = "stop"
    refusal: str | None = None
    thought: str | None = None
    in_parts: bool = False
    output_tokens: int = 0


def completion_text(ask: ChatAsk, recorded: str) -> str:
    """Return the recorded answer, or a document when the request asks for structured output."""
    wanted = ask.body.get("response_format") or {"type": "text"}
    if not isinstance(wanted, dict):
        raise invalid_type("response_format", wanted, expected="an object")
    if wanted.get("type") not in ("json_schema", "json_object") or is_json(recorded):
        return recorded
    if wanted["type"] == "json_object":
        return orjson.dumps({"answer": recorded}).decode()
    described = wanted.get("json_schema")
    if not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
        raise missing("response_format.json_schema.schema")
    try:
        return orjson.dumps(instance(described["schema"], seed=ask.question)).decode()
    except (LookupError, TypeError, ValueError) as error:
        message = f"Invalid schema for response_format: {error!r}."
        raise InvalidBodyError(message, param="response_format", code="invalid_json_schema") from error


def end(ask: ChatAsk, answer: str, fault: FaultKind | None) -> Ending:
    """Decide how a completion ends."""
    match fault:
        case FaultKind.EMPTY:
            return Ending(content="")
        case FaultKind.REFUSAL:
            return Ending(refusal=REFUSAL_TEXT, output_tokens=count_tokens(REFUSAL_TEXT))
        case FaultKind.INCOMPLETE:
            return _cut(answer[: len(answer) // 2], "length")
        case FaultKind.CONTENT_FILTER:
            return _cut(answer[: len(answer) // 2], "content_filter")
    if ask.limit is not None and count_tokens(answer) > ask.limit:
        return _cut(first_tokens(answer, ask.limit), "length")
    thought = THOUGHT_TEXT if fault is FaultKind.THOUGHT else None
    return Ending(
        content=answer,
        thought=thought,
        in_parts=fault is FaultKind.SPLIT_PARTS,
        output_tokens=count_tokens(answer) + (count_tokens(thought) if thought else 0),
    )


def _cut(text: str, reason: str) -> Ending:
    return Ending(content=text, finish_reason=reason, output_tokens=count_tokens(text))


def chat_usage(ask: ChatAsk, ending: Ending) -> dict[str, int]:
    """Return the tokens that the answer costs."""
    reasoning = REASONING_TOKENS.get(ask.body.get("reasoning_effort") or "none", REASONING_TOKENS["medium"])
    output = ending.output_tokens + reasoning
    return {
        "input": ask.input_tokens,
        "cached_input": ask.cached_tokens,
        "output": output,
        "reasoning": reasoning,
        "total": ask.input_tokens + output,
    }


def completion_object(ask: ChatAsk, ending: Ending, usage: Mapping[str, int] | None, *, dialect: Dialect) -> JsonDict:
    """Return the chat completion as the server sends it."""
    choice = {"index": 0, "message": _message(ending, dialect), "finish_reason": ending.finish_reason, "logprobs": None}
    document: JsonDict = {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [choice],
        "system_fingerprint": "fp_ollama" if dialect is Dialect.OLLAMA else None,
    }
    if dialect.asks_for_key:
        document["service_tier"] = "default"
    if usage is not None:
        document["usage"] = _usage_object(usage, dialect)
    return document


def failed_object(ask: ChatAsk) -> JsonDict:
    """Return an error that comes with status 200, as from a router whose provider failed."""
    error = {"code": 502, "message": "The model had an error while answering.", "metadata": {"provider_name": "other"}}
    return {"id": f"gen-{secrets.token_hex(8)}", "object": "chat.completion", "model": ask.model, "error": error}


def _message(ending: Ending, dialect: Dialect) -> Json:
    message: JsonDict = {"role": "assistant", "content": _content(ending)}
    if dialect is not Dialect.OLLAMA:
        message["refusal"] = ending.refusal
    elif ending.refusal is not None:  # it has no such field
        message["content"] = ending.refusal
    if ending.thought is not None and not ending.in_parts:
        names = ("reasoning",) if dialect is Dialect.OLLAMA else ("reasoning", "reasoning_content")
        message |= dict.fromkeys(names, ending.thought)
    return message


def _content(ending: Ending) -> object:
    if not ending.in_parts or ending.content is None:
        return ending.content
    half = len(ending.content) // 2
    texts = (ending.content[:half], ending.content[half:])
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT_TEXT}]}
    return [thinking, *({"type": "text", "text": text} for text in texts)]


def _usage_object(usage: Mapping[str, int], dialect: Dialect) -> JsonDict:
    told: JsonDict = {
        "prompt_tokens": usage["input"],
        "completion_tokens": usage["output"],
        "total_tokens": usage["total"],
    }
    if dialect is Dialect.OLLAMA:
        return told
    return {
        **told,
        "prompt_tokens_details": {"cached_tokens": usage["cached_input"], "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage["reasoning"], "audio_tokens": 0},
    }
