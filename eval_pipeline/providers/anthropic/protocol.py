"""What ``anthropic`` offers: answers, live and in batches. It has no embeddings and hears nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchForm, BatchProvider
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.providers.anthropic.account import PUBLIC_URL, AnthropicAccount
from eval_pipeline.providers.anthropic.batch_lines import ENDPOINT, AnthropicLines, read_message_line
from eval_pipeline.providers.anthropic.client import AnthropicConnection
from eval_pipeline.providers.anthropic.custom_ids import custom_id
from eval_pipeline.providers.anthropic.messages import AnthropicAnswerer
from eval_pipeline.providers.anthropic.requests import check_body, request_of
from eval_pipeline.providers.plan import BatchPlan, Listing, ProtocolPlan, Reach, SentRequest
from eval_pipeline.providers.prices import ANTHROPIC

_KEPT_S = 29 * 86_400.0
"""Results are kept for so long, by the API's documentation."""
_CREATION_TIMES = 20
"""So many times longer than another answer a creation may take: the requests go out with it."""
_MOST_REQUESTS = 100_000
_MOST_BYTES = 249_000_000
"""The API takes 256 MB; ids, which are renamed on the way out, make 100,000 requests some 6 MB longer than our file."""


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    connection = AnthropicConnection(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        connections=reach.connections,
        max_answer_bytes=reach.max_answer_bytes,
    )
    async with connection:
        yield AnthropicAnswerer(connection)


def _batches(reach: Reach) -> BatchProvider:
    from eval_pipeline.providers.anthropic.batches import AnthropicBatches  # noqa: PLC0415 - where batches are used

    return AnthropicBatches(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        key_words=reach.key_words,
        url_words=reach.url_words,
    )


def _answer_form(body: Json, _more: Json) -> BatchForm:
    return BatchForm(ENDPOINT, AnthropicLines(body=body), read_message_line, custom_id)


def _patience(policy: BatchPolicy) -> BatchPolicy:
    """Wait longer for a creation, which takes the requests along."""
    return replace(policy, create_timeout_s=_CREATION_TIMES * policy.create_timeout_s, results_kept_s=_KEPT_S)


def _listing(reach: Reach) -> Listing:
    account = AnthropicAccount(reach.api_key, reach.base_url)
    return Listing(account.url("models"), account.headers())


def _place(reach: Reach, path: str) -> str:
    return AnthropicAccount(reach.api_key, reach.base_url).url(path.removeprefix("/"))


def _request(reach: Reach, body: Json) -> SentRequest:
    account = AnthropicAccount(reach.api_key, reach.base_url)
    return SentRequest(url=account.url("messages"), headers=account.headers(), body=request_of(body))


PLAN = ProtocolPlan(
    title="Anthropic",
    default_url=PUBLIC_URL,
    url_example=PUBLIC_URL,
    seller=ANTHROPIC,
    answerer=_answerer,
    check_body=check_body,
    batches=BatchPlan(
        open=_batches,
        answers=_answer_form,
        patience=_patience,
        most_requests=_MOST_REQUESTS,
        most_bytes=_MOST_BYTES,
    ),
    listing=_listing,
    request=_request,
    place=_place,
    paths=("/messages", "/messages/batches"),
)
