"""``embedContent`` and ``batchEmbedContents``: what a valid request is, and the vectors that answer it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.gemini.answers import Made
from eval_pipeline.standins.gemini.bodies import refuse_unknown, require_list, require_object, require_text
from eval_pipeline.standins.gemini.errors import HTTP_FAULTS, invalid
from eval_pipeline.standins.tokens import count_all
from eval_pipeline.standins.vectors import embed

EMBED_FAULTS = (
    TRANSPORT_FAULTS
    | HTTP_FAULTS
    | {
        FaultKind.MALFORMED,
        FaultKind.EMPTY,
        FaultKind.WRONG_COUNT,
        FaultKind.SHUFFLED,
        FaultKind.WRONG_DIMENSION,
        FaultKind.NAN,
        FaultKind.ZERO_VECTOR,
    }
)
DEFAULT_WIDTH = 3072
MAX_INPUTS = 100
_FIELDS = frozenset(
    {"model", "content", "taskType", "title", "outputDimensionality", "autoTruncate", "embedContentConfig"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """One text to embed."""

    text: str
    width: int


def read_embed(body: Json, place: str = "") -> Embed:
    """Read one request in camelCase, or refuse it as the real API does."""
    refuse_unknown(body, known=_FIELDS, place=place)
    content = require_object(body.get("content"), f"{place}.content".lstrip("."))
    parts = require_list(content.get("parts") or [], "content.parts")
    text = "\n".join(require_text(require_object(part, "content.parts").get("text"), "text") for part in parts)
    if not text:
        raise invalid("* EmbedContentRequest.content: contents is not specified")
    config = body.get("embedContentConfig") or {}
    width = body.get("outputDimensionality", config.get("outputDimensionality", DEFAULT_WIDTH))
    if type(width) is not int or not 1 <= width <= DEFAULT_WIDTH:
        raise invalid(f"* EmbedContentRequest.output_dimensionality: must be from 1 to {DEFAULT_WIDTH}.")
    return Embed(text=text, width=width)


def read_embeds(body: Json) -> list[Embed]:
    """Read a request for several vectors."""
    refuse_unknown(body, known=frozenset({"requests", "model"}), place="")
    requests = require_list(body.get("requests") or [], "requests")
    if not requests:
        raise invalid("* BatchEmbedContentsRequest.requests: requests is not specified")
    if len(requests) > MAX_INPUTS:
        raise invalid(f"* BatchEmbedContentsRequest.requests: at most {MAX_INPUTS} requests can be in one batch")
    return [read_embed(require_object(entry, f"requests[{n}]"), f"requests[{n}]") for n, entry in enumerate(requests)]


def made_embedding(request: Embed, rule: FaultRule | None) -> Made:
    """Return the answer to one text."""
    values = _spoilt(_vectors([request]), rule, texts=[request.text])
    tokens = count_all([request.text])
    usage = {"promptTokenCount": tokens}
    return Made({"embedding": {"values": values[0] if values else []}, "usageMetadata": usage}, {"input": tokens})


def made_embeddings(requests: Sequence[Embed], rule: FaultRule | None) -> Made:
    """Return the answer to several texts."""
    texts = [request.text for request in requests]
    values = _spoilt(_vectors(requests), rule, texts=texts)
    return Made({"embeddings": [{"values": vector} for vector in values]}, {"input": count_all(texts)})


def _vectors(requests: Sequence[Embed]) -> list[list[float]]:
    return [embed([request.text], request.width)[0].tolist() for request in requests]


def _spoilt(vectors: list[list[float]], rule: FaultRule | None, *, texts: Sequence[str]) -> list[list[float]]:
    match None if rule is None else rule.kind:
        case FaultKind.EMPTY:
            return []
        case FaultKind.WRONG_COUNT:
            return vectors[:-1]
        case FaultKind.SHUFFLED:
            return vectors[::-1]
        case FaultKind.WRONG_DIMENSION | FaultKind.NAN | FaultKind.ZERO_VECTOR:
            return [
                _bad(vector, rule) if _is_meant(rule, place, texts) else vector for place, vector in enumerate(vectors)
            ]
    return vectors


def _is_meant(rule: FaultRule | None, place: int, texts: Sequence[str]) -> bool:
    if rule is None or rule.match is None:
        return place == 0
    return rule.meets(texts[place])


def _bad(vector: list[float], rule: FaultRule | None) -> list[float]:
    if rule is not None and rule.kind is FaultKind.WRONG_DIMENSION:
        return vector[:-1]
    if rule is not None and rule.kind is FaultKind.NAN:
        return [math.nan, *vector[1:]]  # JSON has no NaN: it arrives as null
    return [0.0] * len(vector)
