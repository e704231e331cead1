"""The answer to a question or a clip with its usage: the same for live calls and lines of a batch.

``candidatesTokenCount`` are the tokens of the text that is sent, ``thoughtsTokenCount`` those of the thinking
budget or level of the request; a request that names neither does not think.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import JUDGE_FAULTS, TRANSPORT_FAULTS, FaultKind, FaultRule, model_told
from eval_pipeline.standins.gemini.asks import Ask, schema_of
from eval_pipeline.standins.gemini.errors import HTTP_FAULTS, invalid
from eval_pipeline.standins.judge_answers import Judge
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.searches import passages
from eval_pipeline.standins.speech import Speech
from eval_pipeline.standins.spoilt_texts import TEXT_FAULTS, spoilt_text
from eval_pipeline.standins.structured import instance
from eval_pipeline.standins.tokens import count_tokens, first_tokens

GENERATE_FAULTS = (
    TRANSPORT_FAULTS
    | HTTP_FAULTS
    | TEXT_FAULTS
    | JUDGE_FAULTS
    | {
        FaultKind.OTHER_MODEL,
        FaultKind.MALFORMED,
        FaultKind.NO_USAGE,
        FaultKind.EMPTY,
        FaultKind.NO_CANDIDATE,
        FaultKind.BLOCKED,
        FaultKind.SAFETY,
        FaultKind.RECITATION,
        FaultKind.MAX_TOKENS,
        FaultKind.SPLIT_PARTS,
        FaultKind.THOUGHT,
    }
)
THINKING_TOKENS = {"MINIMAL": 16, "LOW": 64, "MEDIUM": 256, "HIGH": 1024}
DYNAMIC_THINKING_TOKENS = 64
_THOUGHT_TEXT = "The clip says something, and I write it down."
_WITHOUT_TEXT = {FaultKind.SAFETY: "SAFETY", FaultKind.RECITATION: "RECITATION"}


@dataclass(frozen=True, slots=True)
class Made:
    """The JSON document of an answer, and the tokens that it costs, whether or not it tells them."""

    document: Json
    tokens: Mapping[str, int]

    @property
    def body(self) -> bytes:
        """What is sent."""
        return orjson.dumps(self.document, option=orjson.OPT_SERIALIZE_NUMPY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Makes answers from what is recorded."""

    recordings: Recordings
    speech: Speech
    judge: Judge

    def text(self, ask: Ask) -> str:
        """Return what a request is answered with when nothing goes wrong."""
        if ask.clips:
            return "\n".join(self.speech.hear(ask.model, clip) for clip in ask.clips)
        return self.recordings.answer(ask.model, ask.question)

    def make(self, ask: Ask, rule: FaultRule | None) -> Made:
        """Return the answer to a request, spoiled as the rule says."""
        fault = None if rule is None else rule.kind
        if ask.judged is not None:
            text = spoilt_text(self.judge.answer(ask.judged, fault), fault)
        else:
            text = as_asked(ask, spoilt_text(self.text(ask), fault))
        candidate = conclude(ask, text, fault)
        sent = "" if candidate is None else _text_of(candidate)
        thoughts = thinking_tokens(ask, fault)
        tokens = {
            "input": ask.prompt_tokens,
            "input_audio": ask.audio_tokens,
            "cached_input": ask.cached_tokens,
            "output": count_tokens(sent) if sent else 0,
            "thoughts": thoughts if candidate else 0,
        }
        told = model_told(rule, asked=ask.model)
        document: JsonDict = {"modelVersion": told, "responseId": secrets.token_urlsafe(16)}
        if candidate is not None:
            document = {"candidates": [candidate | grounding(ask)]} | document
        if fault is FaultKind.BLOCKED:
            document["promptFeedback"] = {"blockReason": "PROHIBITED_CONTENT"}
        if fault is not FaultKind.NO_USAGE:
            document["usageMetadata"] = usage_metadata(ask, tokens)
        return Made(document, tokens)


def grounding(ask: Ask) -> JsonDict:
    """Return what was found, where the request has the tool ``fileSearch``."""
    if not ask.searches_files:
        return {}
    chunks = [{"retrievedContext": {"title": one.file, "text": one.text}} for one in passages(ask.question)]
    return {"groundingMetadata": {"groundingChunks": chunks}} if chunks else {}


def as_asked(ask: Ask, text: str) -> str:
    """Return a text, as JSON when the request wants that."""
    if ask.config.get("responseMimeType") != "application/json" or text.startswith("{"):
        return text
    schema = schema_of(ask.config)
    if not schema:
        return orjson.dumps({"answer": text}).decode()
    try:
        return orjson.dumps(instance(schema, seed=ask.name)).decode()
    except (LookupError, TypeError, ValueError) as error:
        raise invalid(f"* GenerateContentRequest.generation_config.response_schema: {error!r}") from error


def conclude(ask: Ask, text: str, fault: FaultKind | None) -> JsonDict | None:
    """Return the candidate, or None if there is none."""
    if fault in (FaultKind.NO_CANDIDATE, FaultKind.BLOCKED):
        return None
    if fault in _WITHOUT_TEXT:
        return {"finishReason": _WITHOUT_TEXT[fault], "index": 0}
    if fault is FaultKind.EMPTY:
        return {"content": {"role": "model"}, "finishReason": "STOP", "index": 0}
    limit = ask.config.get("maxOutputTokens")
    if fault is FaultKind.MAX_TOKENS:
        return _candidate([{"text": text[: len(text) // 2]}], "MAX_TOKENS")
    if limit is not None and count_tokens(text) > limit:
        return _candidate([{"text": first_tokens(text, limit)}], "MAX_TOKENS")
    parts = _split(text) if fault is FaultKind.SPLIT_PARTS else [{"text": text}]
    shows_thoughts = (ask.config.get("thinkingConfig") or {}).get("includeThoughts")
    thoughts = [{"text": _THOUGHT_TEXT, "thought": True}] if shows_thoughts or fault is FaultKind.THOUGHT else []
    return _candidate([*thoughts, *parts], "STOP")


def _candidate(parts: list[JsonDict], reason: str) -> JsonDict:
    return {"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": 0}


def _split(text: str) -> list[JsonDict]:
    """Return three parts that together say the text."""
    third = len(text) // 3
    return [{"text": piece} for piece in (text[:third], text[third : 2 * third], text[2 * third :])]


def _text_of(candidate: Json) -> str:
    parts = candidate.get("content", {}).get("parts", [])
    return "".join(part["text"] for part in parts if not part.get("thought"))


def thinking_tokens(ask: Ask, fault: FaultKind | None) -> int:
    """Return what thinking costs."""
    config = ask.config.get("thinkingConfig") or {}
    budget = config.get("thinkingBudget")
    if isinstance(budget, int) and budget >= 0:
        return budget
    level = THINKING_TOKENS.get(str(config.get("thinkingLevel", "")).upper())
    thinks = budget is not None or fault is FaultKind.THOUGHT
    return level or (DYNAMIC_THINKING_TOKENS if thinks else 0)


def usage_metadata(ask: Ask, tokens: Mapping[str, int]) -> JsonDict:
    """Return the usage as the API tells it; counts of zero are left out, as proto3 does."""
    told = {
        "promptTokenCount": tokens["input"],
        "candidatesTokenCount": tokens["output"],
        "thoughtsTokenCount": tokens["thoughts"],
        "cachedContentTokenCount": tokens["cached_input"],
        "totalTokenCount": tokens["input"] + tokens["output"] + tokens["thoughts"],
    }
    details = [
        {"modality": name, "tokenCount": count}
        for name, count in (("TEXT", ask.text_tokens), ("AUDIO", ask.audio_tokens))
        if count
    ]
    return {name: count for name, count in told.items() if count} | {"promptTokensDetails": details}
