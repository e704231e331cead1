"""The answer to a question or to texts to embed, with its cost: the same for live calls and lines of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from eval_pipeline.standins.faults import FaultKind, FaultRule
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


def response_maker(ask: Ask, recordings: Recordings, *, change: Callable[[str], str] = str) -> Make:
    """Return what answers a question; a schema that cannot be met is refused here.

    Args:
        ask: The question.
        recordings: The answers to replay.
        change: What is done to the text of the answer.
    """
    answer = change(answer_as_asked(ask, recordings.answer(ask.model, ask.question)))

    def make(rule: FaultRule | None) -> Made:
        outcome = conclude(ask, answer, None if rule is None else rule.kind)
        usage = None if outcome.status == "failed" else usage_of(ask, outcome)
        hidden = rule is not None and rule.kind is FaultKind.NO_USAGE
        document = response_object(ask, outcome, None if hidden else usage)
        return Made(orjson.dumps(document), usage or {})

    return make


def completion_maker(
    ask: ChatAsk, recordings: Recordings, *, dialect: Dialect, change: Callable[[str], str] = str
) -> Make:
    """Return what answers a question of a chat; a schema that cannot be met is refused here."""
    answer = change(completion_text(ask, recordings.answer(ask.model, ask.question)))

    def make(rule: FaultRule | None) -> Made:
        kind = None if rule is None else rule.kind
        if kind is FaultKind.STATUS_FAILED:
            return Made(orjson.dumps(failed_object(ask)), {})
        ending = end(ask, answer, kind)
        usage = chat_usage(ask, ending)
        told = None if kind is FaultKind.NO_USAGE else usage
        return Made(orjson.dumps(completion_object(ask, ending, told, dialect=dialect)), usage)

    return make


def embedding_maker(request: embeddings.Request) -> Make:
    """Return what embeds texts."""

    def make(rule: FaultRule | None) -> Made:
        body = embeddings.embedding_list(request, rule)
        return Made(body, {"input": request.tokens, "total": request.tokens})

    return make
