"""The protocols that there are, one line each: its folder below ``providers/``, and who collects its batches.

A folder declares what it offers as ``PLAN`` of its module ``protocol``. It is imported when an endpoint that speaks it
is used: a code location loads none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final

from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.providers.plan import ProtocolPlan


@dataclass(frozen=True, slots=True)
class Line:
    """One protocol."""

    folder: str
    collected_by: str | None = None
    """The family of its batches: the sensor is named after it."""


PROTOCOLS: Final[Mapping[ApiProtocol, Line]] = MappingProxyType(
    {
        ApiProtocol.OPENAI_RESPONSES: Line("openai", collected_by="openai"),
        ApiProtocol.OPENAI_CHAT: Line("openai_chat", collected_by="openai"),
        ApiProtocol.GEMINI: Line("gemini", collected_by="gemini"),
        ApiProtocol.ANTHROPIC: Line("anthropic", collected_by="anthropic"),
        ApiProtocol.HTTP: Line("http"),
    }
)
FAMILIES: Final = tuple(dict.fromkeys(line.collected_by for line in PROTOCOLS.values() if line.collected_by))
"""Whose batches are collected, by one sensor each."""


def protocols_of(family: str) -> tuple[ApiProtocol, ...]:
    """Return the protocols whose batches a family's sensor collects."""
    return tuple(protocol for protocol, line in PROTOCOLS.items() if line.collected_by == family)


@cache
def plan_of(protocol: ApiProtocol) -> ProtocolPlan:
    """Import what a protocol offers."""
    plan: ProtocolPlan = import_module(f"eval_pipeline.providers.{PROTOCOLS[protocol].folder}.protocol").PLAN
    return plan
