"""The protocols that a model may be asked in, and the endpoints that are there without a file that names them.

An endpoint is who is asked: a name, a protocol, an address, a key. Specifications, jobs, pools and reports know it by
its name alone; a protocol is one folder below ``providers/`` and one line of ``wiring/protocols.py``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ApiProtocol(StrEnum):
    """How a model is asked; many companies' servers speak the same one."""

    OPENAI_RESPONSES = "openai_responses"
    OPENAI_CHAT = "openai_chat"
    GEMINI = "gemini"
    ANTHROPIC = "anthropic"
    HTTP = "http"
    RECORDED = "recorded"


OPENAI: Final = "openai"
GEMINI: Final = "gemini"
BUILT_IN: Final[Mapping[str, ApiProtocol]] = MappingProxyType(
    {OPENAI: ApiProtocol.OPENAI_RESPONSES, GEMINI: ApiProtocol.GEMINI}
)
"""Endpoints whose key and address are in the environment, by name."""
