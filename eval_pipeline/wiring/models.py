"""Builds the adapters of one run: connection, model under test, prices, tracing."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, assert_never

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.ports import Answerer, BatchProvider, Embedder, RequestLines
from eval_pipeline.core.providers import KEY_VARIABLES, TITLES, URL_VARIABLES, Provider
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tracing import TraceSink
from eval_pipeline.dispatch.breaker import Endpoint
from eval_pipeline.dispatch.budget import Budget
from eval_pipeline.dispatch.collect import LineReader
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_embedding_line, read_response_line
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer
from eval_pipeline.providers.prices import PublishedPrices
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.settings import Settings


def open_connection(credentials: Credentials, *, settings: Settings, concurrency: int) -> OpenAIConnection:
    """Build the connection that answers and embeddings go through."""
    return OpenAIConnection(
        api_key=credentials.require_key(Provider.OPENAI),
        base_url=credentials.base_url(Provider.OPENAI),
        timeout_s=settings.request_timeout_seconds,
        connections=concurrency,
    )


def answerer(connection: OpenAIConnection) -> Answerer:
    """Build the model under test."""
    return OpenAIAnswerer(connection)


def embedder(connection: OpenAIConnection, *, model: str, dimensions: int | None) -> Embedder:
    """Build the embedding model."""
    return OpenAIEmbedder(connection, model=model, dimensions=dimensions)


def open_batches(provider: Provider, credentials: Credentials, *, settings: Settings) -> BatchProvider:
    """Build the files and batches of a project's account; nothing is sent before it is used."""
    key, url = credentials.require_key(provider), credentials.base_url(provider)
    match provider:
        case Provider.OPENAI:
            from eval_pipeline.providers.openai.batches import OpenAIBatches  # noqa: PLC0415 - where batches are used

            return OpenAIBatches(api_key=key, base_url=url, timeout_s=settings.batch_create_timeout_seconds)
        case Provider.GEMINI:
            raise UsageError("Gemini is not part of this version", code="config_type_unsupported", hint="use openai")
        case _:
            assert_never(provider)


def request_lines(*, endpoint: str, body: Mapping[str, Any]) -> RequestLines:
    """Build the writer of request lines that differ in id and input alone."""
    return OpenAILines(endpoint=endpoint, body=body)


read_answer: Final[LineReader] = read_response_line
read_vector: Final[LineReader] = read_embedding_line


def batch_policy(settings: Settings, *, provider: Provider) -> BatchPolicy:
    """Return how patient this installation is with a provider's batches.

    Gemini's run for up to two days before they expire, OpenAI's for one.
    """
    return BatchPolicy(
        poll_s=settings.batch_poll_seconds,
        window_s=settings.batch_window_seconds * (2 if provider is Provider.GEMINI else 1),
        create_timeout_s=settings.batch_create_timeout_seconds,
        cancel_grace_s=settings.batch_cancel_grace_seconds,
        max_rounds=settings.batch_max_rounds,
    )


def endpoint(credentials: Credentials, *, provider: Provider, model: str) -> Endpoint:
    """Name the endpoint in the words of the person who configured it."""
    return Endpoint(
        provider=TITLES[provider],
        base_url=credentials.base_url(provider),
        model=model,
        key_variable=KEY_VARIABLES[provider],
        url_variable=URL_VARIABLES[provider],
    )


def tariff(model: str, *, mode: RunMode) -> Tariff:
    """Return the published prices that a stage's calls fall under."""
    return Tariff(book=PublishedPrices(), model=model, mode=mode)


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
