"""The answer to a question or to texts to embed, with its cost: the same for live calls and lines of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.faults import FaultKind, FaultRule, model_told
from eval_pipeline.standins.judge_answers import Judge, text_maker
from eval_pipeline.standins.openai import embeddings
from eval_pipeline.standins.openai.asks import Ask
from eval_pipeline.standins.openai.chat_asks import ChatAsk
from eval_pipeline.standins.openai.completions import chat_usage, completion_object, completion_text, end, failed_object
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.openai.responses import answer_as_asked, conclude, response_object, usage_of
from eval_pipeline.standins.replay import Recordings


@dataclass(frozen=True, slots=True)
class Made:
    """The JSON body of an answer, and the tokens that it costs, whether or not it tells them."""

    body: bytes
    tokens: Mapping[str, int]


Make = Callable[[FaultRule | None], Made]


def response_maker(ask: Ask, recordings: Recordings, *, judge: Judge, change: Callable[[str], str] = str) -> Make:
    """Return what answers a question; a schema that cannot be met is refused here.

    Args:
        ask: The question.
        recordings: The answers to replay.
        judge: Who answers it if it is to judge.
        change: What is done to the text of the answer.
    """
    text = text_maker(
        ask.judged,
        judge,
        ordinary=lambda: answer_as_asked(ask, recordings.answer(ask.model, ask.question)),
        change=change,
    )

    def make(rule: FaultRule | None) -> Made:
        kind = None if rule is None else rule.kind
        outcome = conclude(ask, text(kind), kind)
        usage = None if outcome.status == "failed" else usage_of(ask, outcome)
        hidden = kind is FaultKind.NO_USAGE
        document = response_object(ask, outcome, None if hidden else usage)
        return Made(orjson.dumps(document | {"model": model_told(rule, asked=ask.model)}), usage or {})

    return make


def completion_maker(
    ask: ChatAsk, recordings: Recordings, *, dialect: Dialect, judge: Judge, change: Callable[[str], str] = str
) -> Make:
    """Return what answers a question of a chat; a schema that cannot be met is refused here."""
    text = text_maker(
        ask.judged,
        judge,
        ordinary=lambda: completion_text(ask, recordings.answer(ask.model, ask.question)),
        change=change,
    )

    def make(rule: FaultRule | None) -> Made:
        kind = None if rule is None else rule.kind
        if kind is FaultKind.STATUS_FAILED:
            return Made(orjson.dumps(failed_object(ask)), {})
        ending = end(ask, text(kind), kind)
        usage = chat_usage(ask, ending)
        told = None if kind is FaultKind.NO_USAGE else usage
        document = completion_object(ask, ending, told, dialect=dialect)
        return Made(orjson.dumps(document | _drifted(rule, ask)), usage)

    return make


def _drifted(rule: FaultRule | None, ask: ChatAsk) -> JsonDict:
    """Return what another model names in a completion; nothing where it is the one that was asked."""
    told = model_told(rule, asked=ask.model)
    return {} if told == ask.model else {"model": told, "system_fingerprint": f"fp_{told}"}


def embedding_maker(request: embeddings.Request) -> Make:
    """Return what embeds texts."""

    def make(rule: FaultRule | None) -> Made:
        body = embeddings.embedding_list(request, rule)
        return Made(body, {"input": request.tokens, "total": request.tokens})

    return make
