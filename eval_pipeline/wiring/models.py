"""Builds the adapters of one run: connection, model under test, prices, tracing."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, assert_never

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchProvider, RequestLines
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer, Embedder, Transcriber
from eval_pipeline.core.providers import TITLES, URL_VARIABLES, Provider
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tracing import TraceSink
from eval_pipeline.dispatch.breaker import Endpoint
from eval_pipeline.dispatch.budget import Budget
from eval_pipeline.dispatch.collect import LineReader
from eval_pipeline.dispatch.embed import MAX_TEXTS
from eval_pipeline.providers.gemini.batch_lines import (
    GeminiEmbeddingLines,
    GeminiLines,
    TranscriptionLines,
    read_generation_line,
)
from eval_pipeline.providers.gemini.batch_lines import read_embedding_line as gemini_vector
from eval_pipeline.providers.gemini.batches import embed_endpoint, generate_endpoint
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.embeddings import MAX_TEXTS_A_CALL, GeminiEmbedder
from eval_pipeline.providers.gemini.generate import GeminiAnswerer
from eval_pipeline.providers.gemini.transcripts import GeminiTranscriber
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_response_line
from eval_pipeline.providers.openai.batch_lines import read_embedding_line as openai_vector
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer, with_results
from eval_pipeline.providers.openai.transcriptions import OpenAITranscriber
from eval_pipeline.providers.prices import GOOGLE, OPENAI, PublishedPrices
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.settings import Settings

ANSWERS, EMBEDDINGS = "/v1/responses", "/v1/embeddings"
EMBEDDING_TASK = "SEMANTIC_SIMILARITY"
"""What Gemini's embeddings are made for: answers and golden answers are compared."""
Connection = OpenAIConnection | GeminiConnection
"""What live calls of one provider go through, inside one ``async with``."""


def open_connection(
    provider: Provider, credentials: Credentials, *, settings: Settings, concurrency: int
) -> Connection:
    """Build the connection that a provider's live calls go through."""
    kind = GeminiConnection if provider is Provider.GEMINI else OpenAIConnection
    return kind(
        api_key=credentials.require_key(provider),
        base_url=credentials.base_url(provider),
        timeout_s=settings.request_timeout_seconds,
        connections=concurrency,
        max_answer_bytes=settings.max_answer_bytes,
    )


def answerer(connection: Connection) -> Answerer:
    """Build the model under test."""
    if isinstance(connection, GeminiConnection):
        return GeminiAnswerer(connection)
    return OpenAIAnswerer(connection)


def embedder(connection: Connection, *, model: str, dimensions: int | None) -> Embedder:
    """Build the embedding model."""
    if isinstance(connection, GeminiConnection):
        return GeminiEmbedder(connection, model=model, dimensions=dimensions, task_type=EMBEDDING_TASK)
    return OpenAIEmbedder(connection, model=model, dimensions=dimensions)


def texts_a_call(provider: Provider) -> int:
    """Return how many texts one embedding call of a provider takes."""
    return MAX_TEXTS_A_CALL if provider is Provider.GEMINI else MAX_TEXTS


def transcriber(connection: Connection, *, host: FileHost | None) -> Transcriber:
    """Build a speech model.

    Args:
        connection: of its provider.
        host: where clips go that are too large for a request.
    """
    if isinstance(connection, GeminiConnection):
        return GeminiTranscriber(connection, host=host)
    return OpenAITranscriber(connection)


def open_file_host(provider: Provider, credentials: Credentials, *, settings: Settings) -> FileHost | None:
    """Build what keeps clips for a provider's requests; None where a provider takes them in the request alone."""
    if provider is not Provider.GEMINI:
        return None
    from eval_pipeline.providers.gemini.files import GeminiFiles  # noqa: PLC0415 - only where clips are uploaded

    return GeminiFiles(
        api_key=credentials.require_key(provider),
        base_url=credentials.base_url(provider),
        timeout_s=settings.batch_create_timeout_seconds,
    )


LOOK_TIMEOUT_S = 10.0
"""A list that takes longer keeps other accounts waiting."""


def open_batches(
    provider: Provider, credentials: Credentials, *, settings: Settings, to_look: bool = False
) -> BatchProvider:
    """Build the files and batches of a project's account; nothing is sent before it is used.

    Args:
        provider: whose they are.
        credentials: of the project.
        settings: how long an answer is waited for.
        to_look: whether nothing is to be created, so that there is no reason to wait long.
    """
    key, url = credentials.require_key(provider), credentials.base_url(provider)
    timeout_s = settings.batch_create_timeout_seconds
    if to_look:
        timeout_s = min(timeout_s, LOOK_TIMEOUT_S)
    match provider:
        case Provider.OPENAI:
            from eval_pipeline.providers.openai.batches import OpenAIBatches  # noqa: PLC0415 - where batches are used

            return OpenAIBatches(api_key=key, base_url=url, timeout_s=timeout_s)
        case Provider.GEMINI:
            from eval_pipeline.providers.gemini.batches import GeminiBatches  # noqa: PLC0415 - the same

            return GeminiBatches(api_key=key, base_url=url, timeout_s=timeout_s)
        case _:
            assert_never(provider)


_WIDTHS = {
    "text-embedding-3-small": 1_536,
    "text-embedding-3-large": 3_072,
    "text-embedding-ada-002": 1_536,
    "gemini-embedding-001": 3_072,
    "text-embedding-004": 768,
}


def vector_width(model: str) -> int | None:
    """Return how many numbers the vectors of an embedding model have as published; None where that is not known."""
    return _WIDTHS.get(model)


@dataclass(frozen=True, slots=True)
class BatchForm:
    """How requests of one kind go out as batches: to which endpoint, in which lines, and how results are read."""

    endpoint: str
    lines: RequestLines
    read: LineReader


def answer_form(provider: Provider, *, body: Json) -> BatchForm:
    """Return how questions go out under a frozen model body."""
    if provider is Provider.GEMINI:
        endpoint = generate_endpoint(str(body["model"]))
        return BatchForm(endpoint, GeminiLines(body=body), read_generation_line)
    return BatchForm(ANSWERS, OpenAILines(endpoint=ANSWERS, body=with_results(body)), read_response_line)


def vector_form(provider: Provider, *, model: str, dimensions: int | None) -> BatchForm:
    """Return how texts go out to be embedded."""
    if provider is Provider.GEMINI:
        lines = GeminiEmbeddingLines(dimensions=dimensions, task_type=EMBEDDING_TASK)
        return BatchForm(embed_endpoint(model), lines, gemini_vector)
    body: dict[str, str | int] = {"model": model, "encoding_format": "base64"}
    if dimensions is not None:
        body |= {"dimensions": dimensions}
    return BatchForm(EMBEDDINGS, OpenAILines(endpoint=EMBEDDINGS, body=body), openai_vector)


def transcription_lines() -> TranscriptionLines:
    """Return the lines that clips go out in; Gemini's is the only batch API that takes them."""
    return TranscriptionLines()


def transcription_endpoint(model: str) -> str:
    """Return where a batch of clips for a model is created."""
    return generate_endpoint(model)


read_transcript: Final[LineReader] = read_generation_line
SPEECH_BATCHES = frozenset({Provider.GEMINI})
"""Providers whose batches take clips."""


def speech_mode(provider: Provider, *, mode: RunMode) -> RunMode:
    """Return how a provider's speech models are asked in a run: live in every mode where no batch takes clips."""
    return mode if provider in SPEECH_BATCHES else RunMode.FAST


def batch_policy(settings: Settings, *, provider: Provider) -> BatchPolicy:
    """Return how patient this installation is with a provider's batches.

    Gemini's run for up to two days before they expire, OpenAI's for one; Gemini's files are kept for two days.
    """
    policy = BatchPolicy(
        poll_s=settings.batch_poll_seconds,
        window_s=settings.batch_window_seconds,
        create_timeout_s=settings.batch_create_timeout_seconds,
        cancel_grace_s=settings.batch_cancel_grace_seconds,
        lost_s=settings.batch_lost_seconds,
        max_rounds=settings.batch_max_rounds,
        results_kept_s=30 * 86_400.0,
        expiry_warning_s=7 * 86_400.0,
    )
    if provider is not Provider.GEMINI:
        return policy
    return replace(policy, window_s=2 * policy.window_s, results_kept_s=2 * 86_400.0, expiry_warning_s=12 * 3_600.0)


def endpoint(credentials: Credentials, *, provider: Provider, model: str) -> Endpoint:
    """Name the endpoint in the words of the person who configured it."""
    return Endpoint(
        provider=TITLES[provider],
        base_url=credentials.base_url(provider),
        model=model,
        key_variable=credentials.key_variables[provider],
        url_variable=URL_VARIABLES[provider],
    )


def tariff(provider: Provider, model: str, *, mode: RunMode) -> Tariff:
    """Return the published prices that a stage's calls fall under."""
    book = PublishedPrices(GOOGLE if provider is Provider.GEMINI else OPENAI)
    return Tariff(book=book, model=model, mode=mode)


def retry_policy(settings: Settings) -> RetryPolicy:
    """Return how often and how patiently one item is tried."""
    return RetryPolicy(max_attempts=settings.retry_max_attempts, time_budget_s=settings.item_time_budget_seconds)


def budget(max_cost_usd: float | None, *, spent_usd: Decimal) -> Budget | None:
    """Return the run's budget, less what it has cost already."""
    if max_cost_usd is None:
        return None
    return Budget(limit_usd=Decimal(str(max_cost_usd)), spent_usd=spent_usd)


def open_trace_sink(credentials: Credentials) -> TraceSink:
    """Build the delivery to Langfuse; both keys must be there."""
    from eval_pipeline.providers.langfuse.sink import LangfuseSink  # noqa: PLC0415 - only where traces are delivered

    return LangfuseSink(
        base_url=credentials.langfuse_base_url,
        public_key=credentials.langfuse_public_key or "",
        secret_key=credentials.langfuse_secret_key or "",
    )
