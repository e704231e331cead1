"""What one expert said of one session once: a cell, as it is read from a row of the stage ``judgements``."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson

from eval_pipeline.core.documents import Json, Row
from eval_pipeline.judging.aggregation import CellState

OK: Final = "ok"
REFUSED: Final = "refused"
"""The model would not judge, nor when it was asked again."""
PLAIN: Final = "plain"
"""The session as it is."""
MASKED: Final = "masked"
"""The session without the spans that speak to a judge."""
CANARY: Final = "canary:"
"""Begins the variant of a session in which something was planted; never part of a score."""
_STATES: Final[Mapping[str, CellState]] = {
    **{str(state): state for state in CellState},
    "cannot_judge": CellState.ABSTAINED,
}


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """What one cell says of one axis."""

    state: CellState
    level: float | None = None
    """0 to 100, of a scored one alone."""
    quotes: int = 0
    verified: int = 0
    """Of the quotes, those that stand in the session."""


MISSING: Final = CellVerdict(CellState.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One expert, one session, one sample, one variant."""

    expert_id: str
    sample: int
    variant: str
    status: str
    verdicts: Mapping[str, CellVerdict]
    """By axis; of a cell that failed there are none."""
    cost_usd: Decimal | None
    """None where its price is not known."""
    feedback_visible: bool = False
    """Whether the expert was shown what people said, so that agreement with them says nothing."""

    @property
    def is_ok(self) -> bool:
        """Whether the expert gave a usable answer."""
        return self.status == OK

    @property
    def counts(self) -> bool:
        """Whether it is part of the session's score."""
        return self.variant in {PLAIN, MASKED}

    def verdict(self, axis: str) -> CellVerdict:
        """Return what it says of an axis."""
        return self.verdicts.get(axis, MISSING) if self.is_ok else MISSING


COLUMNS: Final = ("session_id", "expert_id", "sample", "variant", "status", "axes", "rendering", "cost_usd")
"""Of the stage ``judgements``, those that ``read_cell`` and whoever groups cells by session need."""


def read_cell(row: Row) -> Cell:
    """Read a row of the stage ``judgements``."""
    said = orjson.loads(row["axes"]) if row["axes"] else {}
    rendering = orjson.loads(row["rendering"]) if row.get("rendering") else {}
    return Cell(
        expert_id=row["expert_id"],
        sample=row["sample"],
        variant=row["variant"],
        status=row["status"],
        verdicts={axis: _verdict(verdict) for axis, verdict in said.items()},
        cost_usd=row["cost_usd"],
        feedback_visible=bool(rendering.get("feedback_visible")),
    )


def _verdict(said: Json) -> CellVerdict:
    state = _STATES[said["state"]]
    evidence: list[Any] = said.get("evidence") or []
    return CellVerdict(
        state=state,
        level=float(said["score"]) if state is CellState.SCORED else None,
        quotes=len(evidence),
        verified=sum(quote["verified"] is True for quote in evidence),
    )
