"""What is rated and on which steps: axes with anchored levels.

A level is a text such as "75" everywhere, since one closed list of texts serves the strict schemas of every provider;
its number is what aggregation takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CANNOT_JUDGE: Final = "cannot_judge"
NOT_APPLICABLE: Final = "not_applicable"


class AppliesTo(StrEnum):
    """Which items an axis is rated on, decided by facts, never by the judge alone."""

    ALL = "all"
    TOOLS = "tools"
    """Items that offered or called tools."""
    SUBAGENTS = "subagents"
    """Items with calls of sub-agents, or whose profile offers them."""
    EXTENSIONS = "extensions"
    """Items with events of self-extension."""
    PASSAGES = "passages"
    """Items that retrieved passages."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is rated."""

    name: str
    says: str
    """What is rated, what to look at, and what to pass over."""
    levels: Mapping[str, str]
    """Anchors by level, lowest first."""
    required: bool = True
    """Whether it applies to every item that its facts let it apply to; else the judge may say that it does not."""
    applies_to: AppliesTo = AppliesTo.ALL
    covariate: bool = False
    """Whether it describes the item rather than its quality; never part of a mean of quality."""
    evidence_from: float | None = None
    """The level from which a verdict needs a verified quote; None: no level does."""

    @property
    def answers(self) -> tuple[str, ...]:
        """What a judge may answer."""
        return (*self.levels, CANNOT_JUDGE, *(() if self.required else (NOT_APPLICABLE,)))

    @property
    def span(self) -> float:
        """Distance of the highest level from the lowest."""
        numbers = [float(level) for level in self.levels]
        return max(numbers) - min(numbers)


@dataclass(frozen=True, slots=True)
class Rubric:
    """All axes, in the order of their file."""

    version: str
    axes: Mapping[str, Axis]
