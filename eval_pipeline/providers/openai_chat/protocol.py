"""What ``openai_chat`` offers: answers, live and in batches; embeddings and transcriptions as OpenAI has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchForm
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.providers.openai.protocol import (
    connect,
    listing,
    open_batches,
    open_embedder,
    open_transcriber,
    vector_form,
)
from eval_pipeline.providers.openai_chat.answers import PATH, ChatAnswerer
from eval_pipeline.providers.openai_chat.batch_lines import ENDPOINT, ChatLines, read_completion_line
from eval_pipeline.providers.openai_chat.body import chat_body, check_body
from eval_pipeline.providers.openai_chat.token_limit import IN_BATCHES, TokenLimit
from eval_pipeline.providers.plan import BatchPlan, ProtocolPlan, Reach, SentRequest
from eval_pipeline.providers.prices import OPENAI

if TYPE_CHECKING:
    from eval_pipeline.providers.entry import EndpointEntry


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    async with connect(reach) as connection:
        yield ChatAnswerer(connection, limit=_limit_of(reach.more))


def _answer_form(body: Json, more: Json) -> BatchForm:
    lines = ChatLines(body=body, limit=_limit_of(more) or IN_BATCHES)
    return BatchForm(ENDPOINT, lines, read_completion_line)


def _request(reach: Reach, body: Json) -> SentRequest:
    asked = chat_body(body, limit=_limit_of(reach.more) or TokenLimit.BOTH)
    return SentRequest(url=f"{reach.base_url.rstrip('/')}{PATH}", headers=listing(reach).headers, body=asked)


def _limit_of(more: Json) -> TokenLimit | None:
    """Return the name of the limit that the endpoints file gives."""
    name = more.get("max_tokens_field")
    return None if name is None else TokenLimit(name)


def _entry() -> "type[EndpointEntry]":
    from eval_pipeline.providers.openai_chat.entry import ChatEntry  # noqa: PLC0415 - pydantic: where there is a file

    return ChatEntry


PLAN = ProtocolPlan(
    title="Chat Completions",
    default_url=None,
    url_example="http://127.0.0.1:11434/v1",
    seller=OPENAI,
    is_sold_by_address=True,
    answerer=_answerer,
    check_body=check_body,
    embedder=open_embedder,
    transcriber=open_transcriber,
    batches=BatchPlan(open=open_batches, answers=_answer_form, vectors=vector_form),
    listing=listing,
    request=_request,
    entry=_entry,
    paths=("/chat/completions", "/responses", "/embeddings", "/batches"),
)
