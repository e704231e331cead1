"""What ``openai_responses`` offers: answers, embeddings, transcriptions, and batches of the first two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchForm, BatchProvider
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer, Embedder, Transcriber, Vectors
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_embedding_line, read_response_line
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer, with_results
from eval_pipeline.providers.openai.transcriptions import OpenAITranscriber
from eval_pipeline.providers.plan import BatchPlan, Listing, ProtocolPlan, Reach, SentRequest
from eval_pipeline.providers.prices import OPENAI

ANSWERS, EMBEDDINGS = "/v1/responses", "/v1/embeddings"


def connect(reach: Reach) -> OpenAIConnection:
    """Build the connection of live calls."""
    return OpenAIConnection(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        connections=reach.connections,
        max_answer_bytes=reach.max_answer_bytes,
        is_own=reach.is_own,
    )


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    async with connect(reach) as connection:
        yield OpenAIAnswerer(connection)


@asynccontextmanager
async def open_embedder(reach: Reach, vectors: Vectors) -> AsyncIterator[Embedder]:
    """Open the embedding model, which every server of OpenAI's protocols has at the same place."""
    async with connect(reach) as connection:
        yield OpenAIEmbedder(connection, model=vectors.model, dimensions=vectors.dimensions)


@asynccontextmanager
async def open_transcriber(reach: Reach, _host: FileHost | None) -> AsyncIterator[Transcriber]:
    """Open the speech model; a request takes its clip itself."""
    async with connect(reach) as connection:
        yield OpenAITranscriber(connection)


def open_batches(reach: Reach) -> BatchProvider:
    """Build the files and batches of an account."""
    from eval_pipeline.providers.openai.batches import OpenAIBatches  # noqa: PLC0415 - the SDK: where batches are used

    return OpenAIBatches(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        key_words=reach.key_words,
        url_words=reach.url_words,
        is_own=reach.is_own,
    )


def _answer_form(body: Json, _more: Json) -> BatchForm:
    return BatchForm(ANSWERS, OpenAILines(endpoint=ANSWERS, body=with_results(body)), read_response_line)


def vector_form(vectors: Vectors) -> BatchForm:
    """Return how texts go out to be embedded."""
    body: dict[str, str | int] = {"model": vectors.model, "encoding_format": "base64"}
    if vectors.dimensions is not None:
        body |= {"dimensions": vectors.dimensions}
    return BatchForm(EMBEDDINGS, OpenAILines(endpoint=EMBEDDINGS, body=body), read_embedding_line)


def listing(reach: Reach) -> Listing:
    """Return where models are listed."""
    headers = {"Authorization": f"Bearer {reach.api_key}"} if reach.api_key else {}
    return Listing(reach.base_url.rstrip("/") + "/models", headers)


def _request(reach: Reach, body: Json) -> SentRequest:
    url = f"{reach.base_url.rstrip('/')}/responses"
    return SentRequest(url=url, headers=listing(reach).headers, body=with_results(body))


PLAN = ProtocolPlan(
    title="OpenAI",
    default_url="https://api.openai.com/v1",
    url_example="https://api.openai.com/v1",
    seller=OPENAI,
    answerer=_answerer,
    embedder=open_embedder,
    transcriber=open_transcriber,
    batches=BatchPlan(open=open_batches, answers=_answer_form, vectors=vector_form),
    listing=listing,
    request=_request,
    paths=("/responses", "/chat/completions", "/embeddings", "/batches"),
)
