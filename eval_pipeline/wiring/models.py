"""Builds what a run asks with: adapters of endpoints, forms of batches, prices, budget, tracing.

All that is asked of an endpoint is opened from it alone, so that one run may ask several, and one stage, too.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.documents import Json
from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.own_prices import OWN_RATE
from eval_pipeline.core.ports.batch_provider import BatchForm, BatchProvider, ClipForm
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer, Embedder, Transcriber, Vectors
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tracing import ScoreSink, TraceSink
from eval_pipeline.dispatch.breaker import AskedModel
from eval_pipeline.dispatch.budget import Budget
from eval_pipeline.dispatch.request_files import ShardLimits
from eval_pipeline.providers.plan import BatchPlan, Reach
from eval_pipeline.providers.prices import PublishedPrices
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.endpoint import LOOK_TIMEOUT_S, Endpoint
from eval_pipeline.wiring.protocols import plan_of
from eval_pipeline.wiring.settings import Settings


def answerer(endpoint: Endpoint, *, settings: Settings, concurrency: int) -> AbstractAsyncContextManager[Answerer]:
    """Open a model under test, alive inside one ``async with``; its key is looked at now."""
    return endpoint.plan.answerer(endpoint.reach(settings, concurrency=endpoint.most_at_once(concurrency)))


def embedder(
    endpoint: Endpoint, vectors: Vectors, *, settings: Settings, concurrency: int
) -> AbstractAsyncContextManager[Embedder]:
    """Open an embedding model."""
    if endpoint.plan.embedder is None:
        raise not_offered(endpoint, "embeddings")
    return endpoint.plan.embedder(endpoint.reach(settings, concurrency=endpoint.most_at_once(concurrency)), vectors)


def transcriber(
    endpoint: Endpoint, *, host: FileHost | None, settings: Settings, concurrency: int
) -> AbstractAsyncContextManager[Transcriber]:
    """Open a speech model.

    Args:
        endpoint: whose it is.
        host: where clips go that are too large for a request.
        settings: how long an answer is waited for.
        concurrency: calls under way at once.
    """
    if endpoint.plan.transcriber is None:
        raise not_offered(endpoint, "transcriptions")
    return endpoint.plan.transcriber(endpoint.reach(settings, concurrency=endpoint.most_at_once(concurrency)), host)


def open_file_host(endpoint: Endpoint, *, settings: Settings) -> FileHost | None:
    """Build what keeps clips for an endpoint's requests; None where it takes them in the request alone."""
    if endpoint.plan.file_host is None:
        return None
    return endpoint.plan.file_host(_reach_of_files(endpoint, settings=settings))


def open_batches(endpoint: Endpoint, *, settings: Settings, to_look: bool = False) -> BatchProvider:
    """Build the files and batches of an endpoint's account; nothing is sent before it is used.

    Args:
        endpoint: whose they are.
        settings: how long an answer is waited for.
        to_look: whether nothing is to be created, so that there is no reason to wait long.
    """
    reach = _reach_of_files(endpoint, settings=settings)
    if to_look:
        reach = replace(reach, timeout_s=min(reach.timeout_s, LOOK_TIMEOUT_S))
    return _batches_of(endpoint).open(reach)


def _reach_of_files(endpoint: Endpoint, *, settings: Settings) -> Reach:
    return replace(endpoint.reach(settings), timeout_s=settings.batch_create_timeout_seconds)


def _batches_of(endpoint: Endpoint) -> BatchPlan:
    if endpoint.plan.batches is None:
        raise not_offered(endpoint, "batches")
    return endpoint.plan.batches


def not_offered(endpoint: Endpoint, what: str) -> UsageError:
    """Build the error of an endpoint that is asked for what its protocol does not have."""
    return UsageError(
        f"{endpoint.title} has no {what}: its protocol, {endpoint.protocol}, knows none",
        code="not_offered_by_endpoint",
        hint=f"name another endpoint for the {what}, as ENDPOINT/MODEL",
    )


def answer_form(endpoint: Endpoint, *, body: Json) -> BatchForm:
    """Return how questions go out under a frozen model body."""
    return _batches_of(endpoint).answers(body, endpoint.more)


def vector_form(endpoint: Endpoint, vectors: Vectors) -> BatchForm:
    """Return how texts go out to be embedded."""
    form = _batches_of(endpoint).vectors
    if form is None:
        raise not_offered(endpoint, "batches of embeddings")
    return form(vectors)


def clip_form(endpoint: Endpoint) -> ClipForm:
    """Return how clips go out to be transcribed."""
    form = _batches_of(endpoint).clips
    if form is None:
        raise not_offered(endpoint, "batches of clips")
    return form


def answer_mode(frozen: FrozenEndpoint, *, mode: RunMode) -> RunMode:
    """Return how an endpoint's answers are asked for in a run: live in every mode where it has no batches."""
    return mode if frozen.batches and plan_of(frozen.protocol).batches is not None else RunMode.FAST


def takes_items(protocol: ApiProtocol) -> bool:
    """Tell whether the requests of a protocol tell the id and the metadata of their item."""
    return plan_of(protocol).takes_items


def vector_mode(frozen: FrozenEndpoint, *, mode: RunMode) -> RunMode:
    """Return how its embeddings are asked for in a run."""
    batches = plan_of(frozen.protocol).batches
    return mode if frozen.batches and batches is not None and batches.vectors is not None else RunMode.FAST


def speech_mode(frozen: FrozenEndpoint, *, mode: RunMode) -> RunMode:
    """Return how its speech models are asked in a run."""
    batches = plan_of(frozen.protocol).batches
    return mode if frozen.batches and batches is not None and batches.clips is not None else RunMode.FAST


def batch_policy(settings: Settings, *, protocol: ApiProtocol) -> BatchPolicy:
    """Return how patient this installation is with batches of a protocol."""
    policy = BatchPolicy(
        poll_s=settings.batch_poll_seconds,
        window_s=settings.batch_window_seconds,
        create_timeout_s=settings.batch_create_timeout_seconds,
        cancel_grace_s=settings.batch_cancel_grace_seconds,
        lost_s=settings.batch_lost_seconds,
        max_rounds=settings.batch_max_rounds,
        most_result_bytes=settings.batch_max_result_bytes,
        most_line_bytes=settings.max_answer_bytes,
        results_kept_s=30 * 86_400.0,
        expiry_warning_s=7 * 86_400.0,
    )
    batches = plan_of(protocol).batches
    return policy if batches is None else batches.patience(policy)


def shard_limits(settings: Settings, *, protocol: ApiProtocol, embeds: bool = False) -> ShardLimits:
    """Return what one request file may hold: what this installation says, and no more than the protocol takes.

    Args:
        settings: of the installation.
        protocol: of the endpoint that the file goes to.
        embeds: whether its requests are texts to embed, which have a limit of their own.
    """
    most = settings.batch_max_requests
    limits = ShardLimits(
        requests=min(most, settings.batch_max_embedding_inputs) if embeds else most, size_bytes=settings.batch_max_bytes
    )
    batches = plan_of(protocol).batches
    return limits if batches is None else limits.within(requests=batches.most_requests, size_bytes=batches.most_bytes)


def asked_model(endpoint: Endpoint, model: str) -> AskedModel:
    """Name a model in the words of the person who configured its endpoint."""
    return AskedModel(
        provider=endpoint.title,
        base_url=endpoint.base_url,
        model=model,
        key_variable=endpoint.key.words,
        url_variable=endpoint.url_words,
        written_in=None if endpoint.file is None else f"endpoint {endpoint.name} in {endpoint.file}",
    )


def tariff(frozen: FrozenEndpoint, model: str, *, mode: RunMode) -> Tariff:
    """Return the prices that a stage's calls fall under: own ones, else those that are published."""
    own, plan = frozen.prices.get(model), plan_of(frozen.protocol)
    published = PublishedPrices(plan.seller, address=frozen.base_url if plan.is_sold_by_address else None)
    return Tariff(book=published if own is None else own, model=model, mode=mode)


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


def window_tokens(frozen: FrozenEndpoint, model: str) -> int | None:
    """Return how many tokens a model reads at once, as published; None where nobody says so."""
    plan = plan_of(frozen.protocol)
    return PublishedPrices(plan.seller, address=frozen.base_url if plan.is_sold_by_address else None).window_tokens(
        model
    )


def rate(frozen: FrozenEndpoint, model: str, *, mode: RunMode) -> str:
    """Name the rate of a stage's calls."""
    if model in frozen.prices:
        return OWN_RATE
    return "standard" if mode is RunMode.FAST else "batch"


def retry_policy(settings: Settings) -> RetryPolicy:
    """Return how often and how patiently one item is tried."""
    return RetryPolicy(max_attempts=settings.retry_max_attempts, time_budget_s=settings.item_time_budget_seconds)


def budget(max_cost_usd: float | None, *, spent_usd: Decimal) -> Budget | None:
    """Return the run's budget, less what it has cost already."""
    if max_cost_usd is None:
        return None
    return Budget(limit_usd=Decimal(str(max_cost_usd)), spent_usd=spent_usd)


def open_score_sink(credentials: Credentials) -> ScoreSink:
    """Build the delivery of scores to Langfuse; both keys must be there."""
    from eval_pipeline.providers.langfuse.sink import LangfuseSink  # noqa: PLC0415 - only where scores are delivered

    return LangfuseSink(
        base_url=credentials.langfuse_base_url,
        public_key=credentials.langfuse_public_key or "",
        secret_key=credentials.langfuse_secret_key or "",
    )


def open_trace_sink(credentials: Credentials) -> TraceSink:
    """Build the delivery to Langfuse; both keys must be there."""
    from eval_pipeline.providers.langfuse.sink import LangfuseSink  # noqa: PLC0415 - only where traces are delivered

    return LangfuseSink(
        base_url=credentials.langfuse_base_url,
        public_key=credentials.langfuse_public_key or "",
        secret_key=credentials.langfuse_secret_key or "",
    )
