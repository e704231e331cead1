"""Where Gemini is reached and under which key; live calls, files and batches all start from here."""

import platform
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.providers.batch_calls import account_digest

DEFAULT_API_VERSION: Final = "v1"
"""What google-genai 3 calls by default."""
_VERSION = re.compile(r"v\d+\w*")
_KINDS = ("models/", "tunedModels/")


@dataclass(frozen=True, slots=True)
class GeminiAccount:
    """A key at a server.

    Args:
        api_key: sent in a header, never in an address.
        base_url: the root, such as ``https://generativelanguage.googleapis.com``; it may end with the API's version.
    """

    api_key: str = field(repr=False)
    base_url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        know_secrets([self.api_key, *secrets_in_url(self.base_url)])

    @property
    def digest(self) -> str:
        """Name the account without its key."""
        return account_digest(self.base_url, api_key=self.api_key)

    def url(self, path: str) -> str:
        """Return the address of a resource, such as ``models/gemini-2.5-flash:generateContent``."""
        root, api_version = self._split()
        return f"{root}/{api_version}/{path}"

    @property
    def upload_url(self) -> str:
        """Where uploads begin."""
        root, api_version = self._split()
        return f"{root}/upload/{api_version}/files"

    def at_home(self, url: str) -> str:
        """Return an address that the server named, at the host that we were told: the key goes nowhere else."""
        home, named = urlsplit(self.base_url), urlsplit(url)
        return urlunsplit((home.scheme, home.netloc, named.path, named.query, ""))

    def headers(self) -> dict[str, str]:
        """Return the key, and our name where Google's SDK gives its own."""
        library = f"eval-pipeline/{version('eval-pipeline')} gl-python/{platform.python_version()}"
        key = {"x-goog-api-key": self.api_key} if self.api_key else {}
        return {"Content-Type": "application/json", **key, "user-agent": library, "x-goog-api-client": library}

    def _split(self) -> tuple[str, str]:
        root, _, last = self.base_url.rpartition("/")
        return (root, last) if _VERSION.fullmatch(last) else (self.base_url, DEFAULT_API_VERSION)


def model_path(model: str) -> str:
    """Return the resource name of a model, fit for an address.

    >>> model_path("gemini-2.5-flash"), model_path("tunedModels/mine")
    ('models/gemini-2.5-flash', 'tunedModels/mine')
    """
    name = model if model.startswith(_KINDS) else f"models/{model}"
    return quote(name, safe="/")


def generate_endpoint(model: str) -> str:
    """Return the endpoint that makes a batch of ``generateContent`` requests."""
    return f"{model_path(model)}:batchGenerateContent"


def embed_endpoint(model: str) -> str:
    """Return the endpoint that makes a batch of ``embedContent`` requests."""
    return f"{model_path(model)}:asyncBatchEmbedContent"
