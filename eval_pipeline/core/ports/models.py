"""Models that are asked live, and what they are given and bring back: answers, vectors, transcripts."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, Usage
from eval_pipeline.core.secrets import redact_fields

Asked = TypeVar("Asked", contravariant=True)  # noqa: PLC0105 - reads better than Asked_contra


@dataclass(frozen=True, slots=True)
class EmbeddingReply:
    """What one embedding call brought: one vector or error per text, in the order of the texts."""

    vectors: Sequence[bytes | None]
    """Little-endian float32; None where the item failed its checks."""
    problems: Sequence[str | None]
    """Why the vector is None."""
    usage: Usage | None
    """None when the provider reported none: the call has no known price, not price 0."""
    model: str | None
    latency_s: float

    def __post_init__(self) -> None:
        redact_fields(self, "model")


@dataclass(frozen=True, slots=True)
class EmbeddingFailure:
    """An embedding call that brought nothing; the attempt says why and whether to ask again."""

    attempt: Attempt
    divisible: bool
    """Whether fewer texts in a call may help (the provider found the call too large, or one text bad)."""


class Asks(Protocol[Asked]):
    """A model that is asked live: one request in, one attempt out. Never raises for what a provider does."""

    async def ask(self, request: Asked, /) -> Attempt:
        """Send one request and translate what comes back."""
        ...


Answerer = Asks[Json]
"""A model under test. A request is the frozen model body with the question as ``input``: a text or, behind earlier
turns, messages (``core.turns`` reads both). Adapters translate all of it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording as a model is given it."""

    sha256: str
    mime_type: str
    size_bytes: int
    name: str
    """A file name with the extension of its format; some servers decide by it."""
    open: Callable[[], AbstractContextManager[Path]]
    """Gives a readable local file for the time of a ``with``."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """One clip for one model."""

    clip: Clip
    model: str
    prompt: str
    """What a model that takes instructions is told; adapters of models that take none leave it out."""
    language: str | None
    """BCP-47; None: the model finds out."""


Transcriber = Asks[TranscriptionRequest]
"""A speech model."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Which vectors are wanted."""

    model: str
    dimensions: int | None
    """Shorter ones, where the model offers them; None: the model's own width."""


class Embedder(Protocol):
    """An embedding model: packs of texts in, vectors out. Never raises for what a provider does."""

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        """Embed the texts in one call."""
        ...
