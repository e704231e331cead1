"""What ``http`` offers: answers of a team's own assistant, live."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.providers.entry import EndpointEntry
from eval_pipeline.providers.http.answers import HttpAnswerer, item_of
from eval_pipeline.providers.http.bot import Bot
from eval_pipeline.providers.http.connection import HttpConnection
from eval_pipeline.providers.http.template import fill_request
from eval_pipeline.providers.plan import ProtocolPlan, Reach, SentRequest


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    async with HttpConnection(reach) as connection:
        yield HttpAnswerer(connection, Bot.from_json(reach.more))


def _entry() -> type[EndpointEntry]:
    from eval_pipeline.providers.http.entry import HttpEntry  # noqa: PLC0415 - only where a file is read

    return HttpEntry


def _request(reach: Reach, body: Json) -> SentRequest:
    filled = fill_request(Bot.from_json(reach.more).request, item_of(body))
    return SentRequest(method=filled.method, url=filled.url, headers=filled.headers, body=filled.body)


PLAN = ProtocolPlan(
    title="your own assistant",
    default_url=None,
    url_example="https://bot.example.org/ask",
    needs_key=False,
    needs_url=False,
    is_one_model=True,
    takes_items=True,
    takes_schema=False,
    seller="http",
    answerer=_answerer,
    request=_request,
    entry=_entry,
)
