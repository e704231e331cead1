"""The judgements that runs of a project share, as the ledger keeps them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from eval_pipeline.core.judgement_claims import CellClaim, CellKey, Claimant, Label


class JudgementLedger(Protocol):
    """The judgements and judge_labels tables; a cell is claimed by one run at a time."""

    def claim_cells(self, claimant: Claimant, cells: Sequence[CellKey]) -> Mapping[str, CellClaim]:
        """Claim what nobody has claimed or what failed before; returns all of them as they stand then."""
        ...

    def find_cells(self, project: str, judgement_ids: Collection[str]) -> Mapping[str, CellClaim]:
        """Return those of the cells that some run has claimed."""
        ...

    def take_over_cells(self, claimant: Claimant, cells: Sequence[CellClaim]) -> int:
        """Make cells a run's own that still stand as they were read; returns how many did."""
        ...

    def settle_cells(self, claimant: Claimant, *, stored: Mapping[str, str], failed: Collection[str]) -> None:
        """Record where judgements lie, and which cells failed; of cells that are the run's own alone."""
        ...

    def note_label(self, project: str, label: Label) -> Label:
        """Record what a label stands for, unless that is known; returns what it stands for."""
        ...

    def find_label(self, project: str, *, kind: str, name: str) -> Label | None:
        """Return what a label stands for."""
        ...
