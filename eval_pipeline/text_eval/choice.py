"""Which models a text run asks, and at which endpoints: from what a person named to what is frozen."""

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.model_names import ModelName
from eval_pipeline.core.names import shown
from eval_pipeline.core.protocols import BUILT_IN, OPENAI
from eval_pipeline.core.runs import RunMode
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.spec import (
    DEFAULT_EMBEDDING_MODELS,
    DEFAULT_MODELS,
    EMBEDDING_DIMENSIONS,
    TextSpec,
    build_model_body,
    choose_embedding_model,
    embeds,
)
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.endpoints import Endpoints


def choose_model(request: TextRequest, endpoints: Endpoints) -> tuple[str, JsonDict]:
    """Return the endpoint of the model under test, and the model body as that endpoint knows the model.

    A bare name is OpenAI's, as ever. With ``provider`` a name is that endpoint's own, slash or not.
    """
    provider = request.provider if request.provider in endpoints else None
    body = build_model_body(request, default_model=_default_model(provider, endpoints))
    named = str(body["model"])
    if request.provider is None:
        split = endpoints.split(named)
        return split.endpoint or OPENAI, body | {"model": split.model}
    _refuse_two(named, provider=request.provider, endpoints=endpoints)
    return provider or OPENAI, body


def _default_model(provider: str | None, endpoints: Endpoints) -> str:
    name = provider or OPENAI
    if name in DEFAULT_MODELS:
        return DEFAULT_MODELS[name]
    return name if endpoints[name].plan.is_one_model else ""


def _refuse_two(named: str, *, provider: str, endpoints: Endpoints) -> None:
    """Raise where a model is named with one endpoint, and another one beside it."""
    split = endpoints.split(named)
    if split.endpoint is not None and split.endpoint not in {*BUILT_IN, provider}:
        raise invalid_config(
            f"model {shown(named)} names the endpoint {split.endpoint}, and provider is {shown(provider)}",
            "leave provider out: ENDPOINT/MODEL says both",
        )


def require_provider(request: TextRequest, endpoints: Endpoints) -> None:
    """Raise unless the provider that was named is an endpoint."""
    if request.provider is not None and request.provider not in endpoints:
        raise UsageError(
            f"provider {shown(request.provider)} cannot be used by a run",
            code="config_type_unsupported",
            hint=f"use one of: {', '.join(endpoints)}; others are written into the file that EVAL_ENDPOINTS_FILE names",
        )


def choose_embedding(name: str | None, *, answering: str, endpoints: Endpoints) -> ModelName:
    """Return the embedding model and its endpoint, by default that of the model under test where it is a built-in one.

    A bare name is one of those that are known; with an endpoint any name is taken, for it is configuration.
    """
    if name is None:
        model = DEFAULT_EMBEDDING_MODELS.get(answering, DEFAULT_EMBEDDING_MODELS[OPENAI])
        return ModelName(embeds(model), model)
    if name in EMBEDDING_DIMENSIONS:
        return ModelName(embeds(name), name)
    named = endpoints.split(name)
    if named.endpoint is None:
        choose_embedding_model(name)
    return named


def usual_mode(request: TextRequest, endpoints: Endpoints) -> RunMode:
    """Return how a run is asked where nobody says: in batches, but live where the endpoint of its model has none."""
    name, _ = choose_model(request, endpoints)
    endpoint = endpoints[name]
    return RunMode.BATCH if endpoint.has_batches and endpoint.plan.batches is not None else RunMode.FAST


def check_offered(spec: TextSpec, endpoints: Endpoints) -> None:
    """Refuse what an endpoint does not have, and a body that cannot become its request, before anything is paid."""
    if spec.needs_embeddings:
        embedding = endpoints.find(spec.embedding_endpoint)
        if embedding.plan.embedder is None:
            raise models.not_offered(embedding, "embeddings")
    if spec.recorded is not None:
        return
    answering = endpoints.find(spec.endpoint)
    answering.plan.check_body(spec.model_body)
    if models.answer_mode(spec.answers_at, mode=spec.mode) is not spec.mode:
        raise UsageError(
            f"{answering.title} has no batches",
            code="config_type_unsupported",
            hint=f"start the run with --mode {RunMode.FAST}{_where_there_are_batches(answering)}",
        )


def _where_there_are_batches(endpoint: Endpoint) -> str:
    """Say how batches come to be used, of a protocol that has any."""
    if endpoint.plan.batches is None:
        return f": its protocol, {endpoint.protocol}, knows none"
    return f"; where the server has them, write batches: true into {endpoint.file}"
