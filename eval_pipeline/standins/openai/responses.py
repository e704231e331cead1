"""``POST /v1/responses``: the Response object that answers a valid request.

A request with the tool ``file_search`` is answered behind one search, whose results are told when ``include`` asks for
them; one question in four finds nothing.

Output tokens are those of the text that is sent plus reasoning tokens, which depend on
``reasoning.effort`` alone. A text longer than ``max_output_tokens`` is cut, as by the real API.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import JUDGE_FAULTS, TRANSPORT_FAULTS, FaultKind
from eval_pipeline.standins.openai.asks import Ask
from eval_pipeline.standins.openai.bodies import InvalidBodyError, invalid_type, missing
from eval_pipeline.standins.searches import passages
from eval_pipeline.standins.spoilt_texts import REFUSAL_TEXT
from eval_pipeline.standins.structured import instance
from eval_pipeline.standins.tokens import count_tokens, first_tokens

RESPONSE_FAULTS = (
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
    }
)
REASONING_TOKENS = {"none": 0, "minimal": 16, "low": 64, "medium": 256, "high": 1024, "xhigh": 4096}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an answer ends; each field as it stands in the Response object."""

    status: str = "completed"
    content: tuple[Json, ...] = ()
    has_message: bool = True
    error: Mapping[str, str] | None = None
    incomplete_reason: str | None = None
    output_tokens: int = 0


_CUT_REASONS: dict[FaultKind | None, str] = {
    FaultKind.INCOMPLETE: "max_output_tokens",
    FaultKind.CONTENT_FILTER: "content_filter",
}
_WITHOUT_ANSWER: dict[FaultKind | None, Outcome] = {
    FaultKind.EMPTY: Outcome(),
    FaultKind.REFUSAL: Outcome(
        content=({"type": "refusal", "refusal": REFUSAL_TEXT},),
        output_tokens=count_tokens(REFUSAL_TEXT),
    ),
    FaultKind.STATUS_FAILED: Outcome(
        status="failed",
        has_message=False,
        error={"code": "server_error", "message": "The model had an error while answering."},
    ),
}


def answer_as_asked(ask: Ask, recorded: str) -> str:
    """Return the recorded answer, or a document when the request asks for structured output."""
    wanted = (ask.body.get("text") or {}).get("format") or {"type": "text"}
    if not isinstance(wanted, dict):
        raise invalid_type("text.format", wanted, expected="an object")
    if wanted.get("type") not in ("json_schema", "json_object") or is_json(recorded):
        return recorded
    if wanted["type"] == "json_object":
        return orjson.dumps({"answer": recorded}).decode()
    if not isinstance(wanted.get("schema"), dict):
        raise missing("text.format.schema")
    try:
        return orjson.dumps(instance(wanted["schema"], seed=ask.question)).decode()
    except (LookupError, TypeError, ValueError) as error:
        message = f"Invalid schema for response_format: {error!r}."
        raise InvalidBodyError(message, param="text.format.schema", code="invalid_json_schema") from error


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON object."""
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def conclude(ask: Ask, answer: str, fault: FaultKind | None) -> Outcome:
    """Decide how the answer ends."""
    if fault in _CUT_REASONS:
        return _cut_short(answer[: len(answer) // 2], reason=_CUT_REASONS[fault])
    if fault in _WITHOUT_ANSWER:
        return _WITHOUT_ANSWER[fault]
    limit = ask.body.get("max_output_tokens")
    if limit is not None and count_tokens(answer) > limit:
        return _cut_short(first_tokens(answer, limit), reason="max_output_tokens")
    return Outcome(content=(_text_part(answer),), output_tokens=count_tokens(answer))


def _cut_short(text: str, *, reason: str) -> Outcome:
    return Outcome(
        status="incomplete",
        content=(_text_part(text),),
        incomplete_reason=reason,
        output_tokens=count_tokens(text),
    )


def _text_part(text: str) -> JsonDict:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def usage_of(ask: Ask, outcome: Outcome) -> dict[str, int]:
    """Return the tokens that the answer costs."""
    effort = (ask.body.get("reasoning") or {}).get("effort")
    reasoning = REASONING_TOKENS.get(effort or "none", REASONING_TOKENS["medium"])
    return {
        "input": ask.input_tokens,
        "cached_input": ask.cached_tokens,
        "output": outcome.output_tokens + reasoning,
        "reasoning": reasoning,
        "total": ask.input_tokens + outcome.output_tokens + reasoning,
    }


def response_object(ask: Ask, outcome: Outcome, usage: Mapping[str, int] | None) -> JsonDict:
    """Return the Response object as the API sends it."""
    body = ask.body
    reason = outcome.incomplete_reason
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": outcome.status,
        "background": False,
        "error": outcome.error,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": ask.model,
        "output": [*_searches(ask), *_output(outcome, reasons=bool(usage and usage["reasoning"]))],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": None if usage is None else _usage_object(usage),
        "user": body.get("user"),
    }


def _searches(ask: Ask) -> list[JsonDict]:
    """Return the search in files that an answer stands behind, where its request has the tool."""
    tools = ask.body.get("tools") or []
    if not any(tool.get("type") == "file_search" for tool in tools):
        return []
    told = "file_search_call.results" in (ask.body.get("include") or [])
    found = [
        {"file_id": f"file-{passage.file}", "filename": passage.file, "attributes": {}} | passage.scored_text()
        for passage in passages(ask.question)
    ]
    call = {"type": "file_search_call", "id": f"fs_{secrets.token_hex(24)}", "status": "completed"}
    return [{**call, "queries": [ask.question], "results": found if told else None}]


def _output(outcome: Outcome, *, reasons: bool) -> list[JsonDict]:
    items: list[JsonDict] = []
    if reasons:
        items.append({"type": "reasoning", "id": f"rs_{secrets.token_hex(24)}", "summary": []})
    if outcome.has_message:
        status = "incomplete" if outcome.incomplete_reason else "completed"
        message = {"type": "message", "id": f"msg_{secrets.token_hex(24)}", "status": status, "role": "assistant"}
        items.append({**message, "content": list(outcome.content)})
    return items


def _usage_object(usage: Mapping[str, int]) -> JsonDict:
    return {
        "input_tokens": usage["input"],
        "input_tokens_details": {"cached_tokens": usage["cached_input"]},
        "output_tokens": usage["output"],
        "output_tokens_details": {"reasoning_tokens": usage["reasoning"]},
        "total_tokens": usage["total"],
    }
