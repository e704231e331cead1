"""Where Anthropic's API is reached and under which key; live calls and batches start from here."""

import re
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.providers.batch_calls import account_digest

PUBLIC_URL: Final = "https://api.anthropic.com"
API_VERSION: Final = "2023-06-01"
"""Of the API as a whole, which every call must name; the path has a version of its own."""
_VERSION = re.compile(r"/v\d+\w*$")


@dataclass(frozen=True, slots=True)
class AnthropicAccount:
    """A key at a server.

    Args:
        api_key: sent in a header, never in an address; empty for a server that wants none.
        base_url: such as ``https://api.anthropic.com``; it may end with the path's version, as ``/v1``.
    """

    api_key: str = field(repr=False)
    base_url: str = PUBLIC_URL

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        know_secrets([*filter(None, [self.api_key]), *secrets_in_url(self.base_url)])

    @property
    def digest(self) -> str:
        """Name the account without its key."""
        return account_digest(self.base_url, api_key=self.api_key)

    def url(self, path: str) -> str:
        """Return the address of a resource, such as ``messages``."""
        root = self.base_url if _VERSION.search(self.base_url) else f"{self.base_url}/v1"
        return f"{root}/{path}"

    def headers(self) -> dict[str, str]:
        """Return the key, the API's version, and our name."""
        return {
            "Content-Type": "application/json",
            **({"x-api-key": self.api_key} if self.api_key else {}),
            "anthropic-version": API_VERSION,
            "user-agent": f"eval-pipeline/{version('eval-pipeline')}",
        }
