"""The endpoints that this process would ask for a project, as specifications freeze them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.providers import Provider
from eval_pipeline.core.secrets import redact
from eval_pipeline.providers.batch_calls import account_digest
from eval_pipeline.wiring.credentials import Credentials

PROTOCOLS: Final[Mapping[Provider, str]] = MappingProxyType(
    {Provider.OPENAI: "openai_responses", Provider.GEMINI: "gemini"}
)


def endpoint_of(credentials: Credentials, provider: Provider) -> FrozenEndpoint:
    """Return where a project's credentials lead."""
    url = credentials.base_url(provider)
    key = credentials.require_key(provider) if credentials.has_key(provider) else None
    return FrozenEndpoint(
        protocol=PROTOCOLS[provider],
        base_url=redact(url),  # some gateways take a key in their path
        account=None if key is None else account_digest(url, api_key=key),
    )


def endpoints_of(credentials: Credentials, providers: Iterable[Provider]) -> dict[str, FrozenEndpoint]:
    """Return where each provider of a run is asked, by its name."""
    return {str(provider): endpoint_of(credentials, provider) for provider in providers}
