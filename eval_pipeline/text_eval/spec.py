"""What a text run is: the frozen specification and its hash.

Frozen when the run's name is claimed. Editing a configuration, a dataset or a setting later never changes a run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from eval_pipeline.core.configuration import canonical_sha256, check_range, invalid_config
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import Endpoints, FrozenEndpoint, endpoints_json, frozen_of, read_endpoints
from eval_pipeline.core.names import shown
from eval_pipeline.core.protocols import GEMINI, OPENAI
from eval_pipeline.core.recorded import RECORDED, RecordedAnswers
from eval_pipeline.core.runs import RunMode
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.scoring.scorers import ScorerConfig, parse_scorers

SCHEMA = "eval_pipeline.text_spec/2"
SCHEMA_OF_TWO = "eval_pipeline.text_spec/3"
"""Of a run whose embeddings another endpoint makes than the one that their model's name tells."""
SCHEMA_OF_RECORDED = "eval_pipeline.text_spec/4"
"""Of a run whose answers exist already."""
SCHEMA_WITHOUT_ENDPOINTS = "eval_pipeline.text_spec/1"
DEFAULT_MODELS = {OPENAI: "gpt-4o-mini", GEMINI: "gemini-2.5-flash"}
DEFAULT_EMBEDDING_MODELS = {OPENAI: "text-embedding-3-large", GEMINI: "gemini-embedding-001"}
EMBEDDING_DIMENSIONS = {
    "text-embedding-3-large": 3_072,
    "text-embedding-3-small": 1_536,
    "text-embedding-ada-002": 1_536,
    "gemini-embedding-001": 3_072,
}
"""Known embedding models and their own width."""
MOST_DIMENSIONS = 65_536
"""Of a model whose own width is not known."""
_FIXED_WIDTH = frozenset({"text-embedding-ada-002"})
DEFAULT_SCORERS = ("cosine_similarity",)
_RESERVED_BODY_KEYS = {
    "input": "the question of each item is the input",
    "stream": "answers are read whole",
    "background": "answers are read at once",
}


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The frozen specification of a run."""

    dataset_name: str
    dataset_version: str
    original_items_count: int
    repeats: int
    mode: RunMode
    endpoint: str
    """Name of the endpoint that the model under test is asked at."""
    model_body: Json
    embedding_endpoint: str
    """Who embeds: a model of one endpoint may be compared by the embeddings of another."""
    embedding_model: str
    embedding_dimensions: int | None
    """Shorter vectors, where the model offers them; None: the model's own width."""
    scorers: tuple[ScorerConfig, ...]
    failure_threshold: float
    concurrency: int
    endpoints: Endpoints = field(default_factory=dict)
    """Where its models are asked; none of a run that an earlier version specified."""
    recorded: RecordedAnswers | None = None
    """Where the answers come from that nobody is asked for; None: the model under test is asked."""

    @property
    def asked_models(self) -> tuple[tuple[str, str], ...]:
        """Whom the run asks: pairs of endpoint and model."""
        embedding = ((self.embedding_endpoint, self.embedding_model),) if self.needs_embeddings else ()
        return embedding if self.recorded is not None else ((self.endpoint, self.model), *embedding)

    @property
    def answers_at(self) -> FrozenEndpoint:
        """Where answers are asked for, as it was frozen."""
        return frozen_of(self.endpoints, self.endpoint)

    @property
    def embeds_at(self) -> FrozenEndpoint:
        """Where texts are embedded, as it was frozen."""
        return frozen_of(self.endpoints, self.embedding_endpoint)

    @property
    def model(self) -> str:
        """The model under test, as it was asked for."""
        return str(self.model_body["model"])

    @property
    def total_items_count(self) -> int:
        """Questions times repeats: the denominator of everything."""
        return self.original_items_count * self.repeats

    @property
    def needs_embeddings(self) -> bool:
        """Whether a scorer compares embeddings."""
        return any(scorer.needs_embeddings for scorer in self.scorers)

    def to_json(self) -> JsonDict:
        """Return the JSON form that the ledger keeps."""
        is_told = self.embedding_endpoint == embeds(self.embedding_model)
        told = {} if is_told else {"embedding_endpoint": self.embedding_endpoint}
        schema = SCHEMA if self.endpoints else SCHEMA_WITHOUT_ENDPOINTS
        return {
            "schema": SCHEMA_OF_RECORDED if self.recorded else SCHEMA_OF_TWO if told else schema,
            "dataset": {
                "name": self.dataset_name,
                "version": self.dataset_version,
                "original_items_count": self.original_items_count,
            },
            "repeats": self.repeats,
            "mode": str(self.mode),
            "provider": self.endpoint,
            "model_body": dict(self.model_body),
            "embedding_model": self.embedding_model,
            **told,
            "embedding_dimensions": self.embedding_dimensions,
            "scorers": [scorer.to_json() for scorer in self.scorers],
            "failure_threshold": self.failure_threshold,
            "concurrency": self.concurrency,
            **endpoints_json(self.endpoints),
            **({} if self.recorded is None else {RECORDED: self.recorded.to_json()}),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(
            dataset_name=value["dataset"]["name"],
            dataset_version=value["dataset"]["version"],
            original_items_count=value["dataset"]["original_items_count"],
            repeats=value["repeats"],
            mode=RunMode(value["mode"]),
            endpoint=value["provider"],
            model_body=value["model_body"],
            embedding_endpoint=value.get("embedding_endpoint") or embeds(value["embedding_model"]),
            embedding_model=value["embedding_model"],
            embedding_dimensions=value["embedding_dimensions"],
            scorers=parse_scorers(value["scorers"]),
            failure_threshold=value["failure_threshold"],
            concurrency=value["concurrency"],
            endpoints=read_endpoints(value),
            recorded=RecordedAnswers.from_json(value[RECORDED]) if value.get(RECORDED) else None,
        )

    @property
    def hash(self) -> str:
        """The sha256 of the canonical JSON."""
        return canonical_sha256(self.to_json())


def embeds(model: str) -> str:
    """Name the endpoint of an embedding model that was named without one."""
    return GEMINI if model.startswith("gemini-") else OPENAI


def build_model_body(request: TextRequest, *, default_model: str = DEFAULT_MODELS[OPENAI]) -> JsonDict:
    """Join the pass-through body with model and instructions, checked as far as possible without paying."""
    body = request.model_body if request.model_body is not None else {}
    if not isinstance(body, Mapping):
        raise invalid_config(
            f"model_body is {shown(str(body))}, not a mapping",
            "give the fields of a Responses API request, such as {model: gpt-4o-mini, temperature: 0}",
        )
    named = {"model": request.model, "instructions": request.instructions}
    given = {name: value for name, value in named.items() if value is not None}
    return _checked_body({"model": default_model, **body, **given})


def _checked_body(body: Json) -> JsonDict:
    """Return the body as JSON keeps it, so that what is hashed, stored and sent is the same."""
    for key, reason in _RESERVED_BODY_KEYS.items():
        if key in body and body[key] not in (None, False):
            raise invalid_config(f"model_body has the key {key!r}: {reason}", f"remove {key!r}")
    if not isinstance(body["model"], str) or not body["model"].strip():
        raise invalid_config(
            f"model is {shown(str(body['model']))}, not a name", "give the model's name, such as gpt-4o-mini"
        )
    try:
        written = json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise invalid_config(
            f"model_body is not JSON: {error}", "use strings, finite numbers, booleans, lists, mappings"
        ) from error
    kept: JsonDict = json.loads(written)
    return kept


def choose_embedding_model(name: str) -> str:
    """Return an embedding model that was named without its endpoint, or raise before anything is paid."""
    if name in EMBEDDING_DIMENSIONS:
        return name
    raise invalid_config(
        f"unknown embedding model {shown(name)}",
        f"known: {', '.join(EMBEDDING_DIMENSIONS)}; any other as ENDPOINT/MODEL",
    )


def check_dimensions(dimensions: int, *, model: str) -> None:
    """Raise unless the embedding model offers vectors of that width."""
    if model in _FIXED_WIDTH:
        raise invalid_config(f"{model} has no shorter vectors", "leave embedding_dimensions out")
    check_range("embedding_dimensions", value=dimensions, low=1, high=EMBEDDING_DIMENSIONS.get(model, MOST_DIMENSIONS))
