"""Cells of judges as runs share them: who pays for one, what it came to, where that lies; and labels of panels."""

from dataclasses import dataclass
from enum import StrEnum

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow


class ClaimState(StrEnum):
    """Where a cell stands in its project."""

    CLAIMED = "claimed"
    """A run is about to pay for it, or has done so and not told yet."""
    STORED = "stored"
    """It was judged: no run pays for it again."""
    FAILED = "failed"
    """It brought nothing: whoever wants it may try again."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A run that has cells judged."""

    flow: Flow
    key: RunKey


@dataclass(frozen=True, slots=True)
class CellKey:
    """A cell that a run wants."""

    judgement_id: str
    item_id: str
    expert_id: str


@dataclass(frozen=True, slots=True)
class CellClaim:
    """A cell as the ledger has it."""

    judgement_id: str
    state: ClaimState
    holder: Claimant
    place: str | None
    """Where its judgement lies in the store."""
    tries: int
    """Runs that it failed in."""


@dataclass(frozen=True, slots=True)
class Label:
    """A version of a panel or a rubric: two texts may not have one."""

    kind: str
    name: str
    fingerprint: str
