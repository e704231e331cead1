"""What ``openai_chat`` offers: answers by ``/chat/completions``, and what all of OpenAI's protocols have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
from eval_pipeline.providers.openai_chat.token_limit import usual_limit
from eval_pipeline.providers.plan import BatchPlan, ProtocolPlan, Reach, SentRequest
from eval_pipeline.providers.prices import OPENAI


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    async with connect(reach) as connection:
        yield ChatAnswerer(connection)


def _answer_form(body: Json, base_url: str) -> BatchForm:
    lines = ChatLines(body=body, limit=usual_limit(base_url, in_batch=True))
    return BatchForm(ENDPOINT, lines, read_completion_line)


def _request(reach: Reach, body: Json) -> SentRequest:
    asked = chat_body(body, limit=usual_limit(reach.base_url, in_batch=False))
    return SentRequest(url=f"{reach.base_url.rstrip('/')}{PATH}", headers=listing(reach).headers, body=asked)


PLAN = ProtocolPlan(
    title="Chat Completions",
    default_url=None,
    url_example="http://127.0.0.1:11434/v1",
    seller=OPENAI,
    answerer=_answerer,
    check_body=check_body,
    embedder=open_embedder,
    transcriber=open_transcriber,
    batches=BatchPlan(open=open_batches, answers=_answer_form, vectors=vector_form),
    listing=listing,
    request=_request,
    paths=("/responses", "/chat/completions", "/embeddings", "/batches"),
)
