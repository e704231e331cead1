"""By which name a server knows the limit of output tokens: the field of a chat request that servers disagree about.

OpenAI's reasoning models refuse ``max_tokens``, Mistral refuses ``max_completion_tokens``, and Ollama ignores it
without a word, so that an answer has no limit at all. So a live request carries both names where nobody said which one
is known, and a server that refuses one of them is asked again with the other.
"""

import re
from enum import StrEnum
from typing import Final, assert_never
from urllib.parse import urlsplit

from eval_pipeline.core.outcomes import Attempt


class TokenLimit(StrEnum):
    """The fields that tell a server how long an answer may become."""

    BOTH = "both"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    MAX_TOKENS = "max_tokens"

    @property
    def fields(self) -> tuple[str, ...]:
        """Their names in a request."""
        match self:
            case TokenLimit.BOTH:
                return (str(TokenLimit.MAX_COMPLETION_TOKENS), str(TokenLimit.MAX_TOKENS))
            case TokenLimit.MAX_COMPLETION_TOKENS | TokenLimit.MAX_TOKENS:
                return (str(self),)
            case _:
                assert_never(self)


_REFUSE_MAX_TOKENS: Final = ("openai.com", "openai.azure.com", "services.ai.azure.com")
_NAMED: Final = re.compile(r"\bmax_(?:completion_)?tokens\b")
_UNKNOWN: Final = re.compile(
    r"(?i)unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|extra|not permitted|not allowed|same time|both"
)
"""Words about a field that a server does not take, in contrast to those about its value."""


IN_BATCHES: Final = TokenLimit.MAX_COMPLETION_TOKENS
"""Where an endpoint says nothing: of a refusal, which would cost the whole batch, nothing can be learned in time."""


def usual_limit(base_url: str) -> TokenLimit:
    """Return the fields that a server is sent live where its endpoint says nothing."""
    host = urlsplit(base_url).hostname or ""
    newest = any(host == name or host.endswith(f".{name}") for name in _REFUSE_MAX_TOKENS)
    return TokenLimit.MAX_COMPLETION_TOKENS if newest else TokenLimit.BOTH


def after_refusal(sent: TokenLimit, attempt: Attempt) -> TokenLimit | None:
    """Return the fields to send instead of those that a server refused; None when the limit is not what it refused."""
    error = attempt.error
    if error is None or error.transient or not _UNKNOWN.search(f"{error.code} {error.type} {error.message}"):
        return None
    refused = _NAMED.search(error.message)  # the first one: the other is what a message may recommend
    if refused is None or refused[0] not in sent.fields:
        return None
    return TokenLimit.MAX_TOKENS if refused[0] == TokenLimit.MAX_COMPLETION_TOKENS else TokenLimit.MAX_COMPLETION_TOKENS
