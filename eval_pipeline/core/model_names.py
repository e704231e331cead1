"""How a person names a model: ``ENDPOINT/MODEL``, or the bare name, which many models have a slash in themselves."""

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model, and the endpoint that was named with it."""

    endpoint: str | None
    """None: no endpoint was named."""
    model: str


def split_model(text: str, *, endpoints: Container[str]) -> ModelName:
    """Read ``ENDPOINT/MODEL``: what stands before the first slash is an endpoint only where there is one of that name.

    >>> split_model("ollama/gemma3", endpoints={"ollama"})
    ModelName(endpoint='ollama', model='gemma3')
    >>> split_model("meta-llama/Llama-3.3-70B", endpoints={"ollama"})
    ModelName(endpoint=None, model='meta-llama/Llama-3.3-70B')
    """
    first, _, rest = text.partition("/")
    if rest.strip() and first in endpoints:
        return ModelName(first, rest.strip())
    return ModelName(None, text)
