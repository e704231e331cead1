"""What ``gemini`` offers: answers, embeddings, transcripts with clips that are uploaded, and batches of all three."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchForm, BatchProvider, ClipForm
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer, Embedder, Transcriber, Vectors
from eval_pipeline.providers.gemini.account import GeminiAccount, embed_endpoint, generate_endpoint, model_path
from eval_pipeline.providers.gemini.batch_lines import (
    GeminiEmbeddingLines,
    GeminiLines,
    TranscriptionLines,
    read_embedding_line,
    read_generation_line,
)
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.embeddings import MAX_TEXTS_A_CALL, GeminiEmbedder
from eval_pipeline.providers.gemini.generate import GeminiAnswerer
from eval_pipeline.providers.gemini.requests import request_of
from eval_pipeline.providers.gemini.transcripts import GeminiTranscriber
from eval_pipeline.providers.plan import BatchPlan, Listing, ProtocolPlan, Reach, SentRequest
from eval_pipeline.providers.prices import GOOGLE

EMBEDDING_TASK = "SEMANTIC_SIMILARITY"
"""What embeddings are made for: answers and golden answers are compared."""
_MOST_BYTES = 2_000_000_000
"""Of one file of requests."""


def _connect(reach: Reach) -> GeminiConnection:
    return GeminiConnection(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        connections=reach.connections,
        max_answer_bytes=reach.max_answer_bytes,
    )


@asynccontextmanager
async def _answerer(reach: Reach) -> AsyncIterator[Answerer]:
    async with _connect(reach) as connection:
        yield GeminiAnswerer(connection)


@asynccontextmanager
async def _embedder(reach: Reach, vectors: Vectors) -> AsyncIterator[Embedder]:
    async with _connect(reach) as connection:
        yield GeminiEmbedder(connection, model=vectors.model, dimensions=vectors.dimensions, task_type=EMBEDDING_TASK)


@asynccontextmanager
async def _transcriber(reach: Reach, host: FileHost | None) -> AsyncIterator[Transcriber]:
    async with _connect(reach) as connection:
        yield GeminiTranscriber(connection, host=host)


def _file_host(reach: Reach) -> FileHost:
    from eval_pipeline.providers.gemini.files import GeminiFiles  # noqa: PLC0415 - only where clips are uploaded

    return GeminiFiles(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        key_words=reach.key_words,
        url_words=reach.url_words,
    )


def _batches(reach: Reach) -> BatchProvider:
    from eval_pipeline.providers.gemini.batches import GeminiBatches  # noqa: PLC0415 - where batches are used

    return GeminiBatches(
        api_key=reach.api_key,
        base_url=reach.base_url,
        timeout_s=reach.timeout_s,
        key_words=reach.key_words,
        url_words=reach.url_words,
    )


def _answer_form(body: Json, _more: Json) -> BatchForm:
    return BatchForm(generate_endpoint(str(body["model"])), GeminiLines(body=body), read_generation_line)


def _vector_form(vectors: Vectors) -> BatchForm:
    lines = GeminiEmbeddingLines(dimensions=vectors.dimensions, task_type=EMBEDDING_TASK)
    return BatchForm(embed_endpoint(vectors.model), lines, read_embedding_line)


def _patience(policy: BatchPolicy) -> BatchPolicy:
    """Wait longer: batches run for up to two days before they expire, and their files are kept for as long."""
    return replace(policy, window_s=2 * policy.window_s, results_kept_s=2 * 86_400.0, expiry_warning_s=12 * 3_600.0)


def _listing(reach: Reach) -> Listing:
    headers = {"x-goog-api-key": reach.api_key} if reach.api_key else {}
    return Listing(GeminiAccount(reach.api_key, reach.base_url).url("models"), headers)


def _request(reach: Reach, body: Json) -> SentRequest:
    account = GeminiAccount(reach.api_key, reach.base_url)
    url = account.url(f"{model_path(str(body['model']))}:generateContent")
    return SentRequest(url=url, headers=account.headers(), body=request_of(body))


PLAN = ProtocolPlan(
    title="Gemini",
    default_url="https://generativelanguage.googleapis.com",
    url_example="https://generativelanguage.googleapis.com",
    seller=GOOGLE,
    answerer=_answerer,
    embedder=_embedder,
    texts_a_call=MAX_TEXTS_A_CALL,
    transcriber=_transcriber,
    file_host=_file_host,
    batches=BatchPlan(
        open=_batches,
        answers=_answer_form,
        vectors=_vector_form,
        clips=ClipForm(endpoint=generate_endpoint, lines=TranscriptionLines, read=read_generation_line),
        patience=_patience,
        most_bytes=_MOST_BYTES,
    ),
    listing=_listing,
    request=_request,
)
