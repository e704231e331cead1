"""Which server of OpenAI's protocol the stand-in resembles: what it has, which fields it knows, how it words errors."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

import orjson
from starlette.responses import Response

from eval_pipeline.standins.openai.errors import OpenAIError

_BATCHES = frozenset({"files", "batches"})


class Dialect(StrEnum):
    """A server to resemble.

    ``openai`` has everything. ``chat_only`` has chat completions, embeddings and models, and knows fields by OpenAI's
    names. ``ollama`` ignores what it does not know, ``max_completion_tokens`` among it, and sends vectors as numbers.
    ``vllm`` takes any field and both names of the limit. The last three have no files and no batches; the last two ask
    for no key.
    """

    OPENAI = "openai"
    CHAT_ONLY = "chat_only"
    OLLAMA = "ollama"
    VLLM = "vllm"

    @property
    def asks_for_key(self) -> bool:
        """Whether a request must carry a key."""
        return self in {Dialect.OPENAI, Dialect.CHAT_ONLY}

    @property
    def is_strict(self) -> bool:
        """Whether a field that it does not know is refused."""
        return self.asks_for_key

    @property
    def knows_base64(self) -> bool:
        """Whether vectors can be sent as base64."""
        return self is not Dialect.OLLAMA

    @property
    def limit_names(self) -> tuple[str, ...]:
        """By which names a request may limit the answer; the first that is there counts."""
        return ("max_tokens",) if self is Dialect.OLLAMA else ("max_completion_tokens", "max_tokens")

    def has(self, endpoint: str) -> bool:
        """Tell whether it has an endpoint, such as ``responses`` or ``files.create``."""
        group = endpoint.partition(".")[0]
        if self is Dialect.OPENAI:
            return True
        return group not in _BATCHES and not (self is Dialect.CHAT_ONLY and group == "responses")

    def unknown_url(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """Return what a request to an address that it does not have is answered."""
        status = HTTPStatus.NOT_FOUND
        if self is Dialect.OLLAMA:
            return Response("404 page not found", status, headers=headers, media_type="text/plain")
        if self is Dialect.VLLM:
            return Response(
                orjson.dumps({"detail": "Not Found"}), status, headers=headers, media_type="application/json"
            )
        message = f"Unknown request URL: {method} {path}. Please check the URL for typos."
        return OpenAIError(status=status, message=message, code="unknown_url").response(headers)
