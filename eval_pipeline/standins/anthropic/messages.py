"""The Message that answers a valid request, with its cost: the same for live calls and requests of a batch.

Output tokens are those of the text that is sent, plus 64 where the model is asked to think. A text longer than
``max_tokens`` is cut, as by the real API; one that holds a stop sequence ends before it.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from eval_pipeline.standins.anthropic.asks import Ask
from eval_pipeline.standins.anthropic.errors import InvalidBodyError
from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import JUDGE_FAULTS, TRANSPORT_FAULTS, FaultKind
from eval_pipeline.standins.judge_answers import Judge, text_maker
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.spoilt_texts import REFUSAL_TEXT, with_separator
from eval_pipeline.standins.structured import instance
from eval_pipeline.standins.tokens import count_tokens, first_tokens

MESSAGE_FAULTS = (
    TRANSPORT_FAULTS
    | JUDGE_FAULTS
    | {
        FaultKind.INSUFFICIENT_QUOTA,
        FaultKind.BILLING,
        FaultKind.FORBIDDEN,
        FaultKind.OVERLOADED,
        FaultKind.TOO_LARGE,
        FaultKind.MALFORMED,
        FaultKind.NO_USAGE,
        FaultKind.EMPTY,
        FaultKind.REFUSAL,
        FaultKind.MAX_TOKENS,
        FaultKind.CONTEXT_WINDOW,
        FaultKind.PAUSE_TURN,
        FaultKind.TOOL_USE,
        FaultKind.THOUGHT,
        FaultKind.SPLIT_PARTS,
        FaultKind.LINE_SEPARATOR,
    }
)
THINKING_TOKENS = 64
THINKING_TEXT = "The user asks for an answer."
_CUT: dict[FaultKind | None, str] = {
    FaultKind.MAX_TOKENS: "max_tokens",
    FaultKind.CONTEXT_WINDOW: "model_context_window_exceeded",
    FaultKind.PAUSE_TURN: "pause_turn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an answer ends; each field as it stands in the Message."""

    content: tuple[Json, ...]
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: Json | None = None
    output_tokens: int = 0


_WITHOUT_ANSWER: dict[FaultKind | None, Outcome] = {
    FaultKind.EMPTY: Outcome(content=(), output_tokens=1),
    FaultKind.REFUSAL: Outcome(
        content=(),
        stop_reason="refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": REFUSAL_TEXT},
        output_tokens=1,
    ),
    FaultKind.TOOL_USE: Outcome(
        content=({"type": "tool_use", "id": "toolu_stand_in", "name": "look_up", "input": {}},),
        stop_reason="tool_use",
        output_tokens=16,
    ),
}


@dataclass(slots=True)
class PromptCache:
    """Which system prompts were seen, so that the first request writes and the later ones read."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def usage(self, ask: Ask) -> dict[str, int]:
        """Return the input tokens of a request by what is charged for them."""
        if ask.cached_for is None:
            return {"input": ask.input_tokens, "cache_read": 0, "cache_5m": 0, "cache_1h": 0}
        fresh = ask.input_tokens - ask.system_tokens
        with self.lock:
            known = (ask.model, ask.system) in self.seen
            self.seen.add((ask.model, ask.system))
        written = 0 if known else ask.system_tokens
        for_an_hour = written if ask.cached_for == "1h" else 0
        return {
            "input": fresh,
            "cache_read": ask.system_tokens if known else 0,
            "cache_5m": written - for_an_hour,
            "cache_1h": for_an_hour,
        }


@dataclass(frozen=True, slots=True)
class Writer:
    """Answers requests."""

    recordings: Recordings
    judge: Judge = field(default_factory=Judge)
    cache: PromptCache = field(default_factory=PromptCache)

    def message(
        self, ask: Ask, fault: FaultKind | None, *, tier: str, change: Callable[[str], str] = str
    ) -> tuple[JsonDict, dict[str, int]]:
        """Return the Message, and the tokens that it costs, whether or not it tells them.

        Args:
            ask: The request.
            fault: What goes wrong with the answer.
            tier: How it is served.
            change: What is done to the text of the answer.
        """
        text = text_maker(
            ask.judged,
            self.judge,
            ordinary=lambda: _answer_as_asked(ask, self.recordings.answer(ask.model, ask.question)),
            change=change,
        )
        outcome = _conclude(ask, text(fault), fault)
        tokens = {**self.cache.usage(ask), "output": outcome.output_tokens}
        hidden = fault is FaultKind.NO_USAGE
        document = {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": ask.model,
            "content": list(outcome.content),
            "stop_reason": outcome.stop_reason,
            "stop_sequence": outcome.stop_sequence,
            "stop_details": outcome.stop_details,
            **({} if hidden else {"usage": _usage_object(ask, tokens, tier=tier)}),
        }
        return document, tokens


def _answer_as_asked(ask: Ask, recorded: str) -> str:
    """Return the recorded answer, or a document when the request asks for structured output."""
    wanted = (ask.body.get("output_config") or {}).get("format")
    if wanted is None:
        return recorded
    schema = wanted.get("schema") if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None
    if not isinstance(schema, dict):
        raise InvalidBodyError("output_config.format: Input should be a json_schema with a schema")
    try:
        return orjson.dumps(instance(schema, seed=ask.question)).decode()
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidBodyError(f"output_config.format.schema: {error!r}") from error


def _conclude(ask: Ask, answer: str, fault: FaultKind | None) -> Outcome:
    """Decide how the answer ends."""
    if fault in _WITHOUT_ANSWER:
        return _WITHOUT_ANSWER[fault]
    if fault in _CUT:
        return _said(ask, answer[: len(answer) // 2], stop_reason=_CUT[fault])
    if fault is FaultKind.SPLIT_PARTS:
        half = len(answer) // 2
        return Outcome(content=(_text(answer[:half]), _text(answer[half:])), output_tokens=count_tokens(answer))
    if fault is FaultKind.LINE_SEPARATOR:
        answer = with_separator(answer)
    for stop in ask.body.get("stop_sequences") or []:
        if stop in answer:
            return _said(ask, answer.partition(stop)[0], stop_reason="stop_sequence", stop_sequence=stop)
    limit = ask.body["max_tokens"]
    if count_tokens(answer) > limit:
        return _said(ask, first_tokens(answer, limit), stop_reason="max_tokens")
    return _said(ask, answer, thinks=fault is FaultKind.THOUGHT)


def _said(
    ask: Ask, text: str, *, stop_reason: str = "end_turn", stop_sequence: str | None = None, thinks: bool = False
) -> Outcome:
    thinks = thinks or (ask.body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    thought: tuple[Json, ...] = (
        {"type": "thinking", "thinking": THINKING_TEXT, "signature": "c2lnbmVk"},
        {"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="},
    )
    return Outcome(
        content=(*(thought if thinks else ()), *((_text(text),) if text else ())),
        stop_reason=stop_reason,
        stop_sequence=stop_sequence,
        output_tokens=(count_tokens(text) if text else 0) + (THINKING_TOKENS if thinks else 0),
    )


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _usage_object(ask: Ask, tokens: Mapping[str, int], *, tier: str) -> JsonDict:
    thinks = (ask.body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    return {
        "input_tokens": tokens["input"],
        "cache_creation_input_tokens": tokens["cache_5m"] + tokens["cache_1h"],
        "cache_read_input_tokens": tokens["cache_read"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens["cache_5m"],
            "ephemeral_1h_input_tokens": tokens["cache_1h"],
        },
        "output_tokens": tokens["output"],
        "output_tokens_details": {"thinking_tokens": THINKING_TOKENS if thinks else 0},
        "service_tier": tier,
    }
