"""What is judged in a run: items by experts by samples, and the cells beside them that test the judges themselves.

A cell's id is made of what shapes its verdict. So two items with the same content are one cell, and a cell that was
paid for once is known again, in whatever run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eval_pipeline.judging.canaries import Payload, draw_items
from eval_pipeline.judging.identity import judgement_id
from eval_pipeline.judging.steps import Kind, Step
from eval_pipeline.runs.panels.judges import Judges, Seat

PLAIN: Final = "plain"
MASKED: Final = "masked"
"""What is addressed to a judge is hidden from it: the lower level of both counts."""
CANARY: Final = "canary:"
"""With it begins the variant of an item with something planted in it."""
_ID_CHARACTERS: Final = 36


@dataclass(frozen=True, slots=True)
class PanelItem:
    """One thing to be judged."""

    item_id: str
    fingerprint: str
    """Of its content."""
    axes: tuple[str, ...]
    """That apply to it, by facts."""
    flagged: bool = False
    """Whether something in it is addressed to a judge."""
    characters: int | None = None
    """About how long it is; None: nobody counted."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One item, as one expert is to judge it once."""

    id: str
    item: PanelItem
    seat: Seat
    axes: tuple[str, ...]
    sample: int
    variant: str

    def request(self, step: Step) -> str:
        """Name one of its requests; every provider takes such an id."""
        return f"{self.id}-{step.suffix}"

    @property
    def payload(self) -> Payload | None:
        """What is planted in it."""
        return Payload(self.variant.removeprefix(CANARY)) if self.variant.startswith(CANARY) else None


def cell_of_request(request_id: str) -> str:
    """Return the id of the cell that a request belongs to."""
    return request_id[:_ID_CHARACTERS]


def is_verdict(request_id: str) -> bool:
    """Tell whether a request is a judge's first verdict: what comes before and after it is beside it."""
    return request_id[_ID_CHARACTERS:] == f"-{Step(Kind.VERDICT).suffix}"


def cells_of(items: Sequence[PanelItem], judges: Judges) -> Iterator[Cell]:
    """Yield all cells of a run: item by item, and within one in the order of the panel."""
    main = judges.main_axis
    drawn = draw_items([one.item_id for one in items], seed=judges.seed) if main is not None else []
    planted = frozenset(drawn[: judges.canaries])
    for item in items:
        for seat in judges.seats:
            axes = tuple(axis.name for axis in judges.axes_of(seat, applying=item.axes))
            if not axes:
                continue
            for sample in range(judges.samples):
                yield _cell(item, seat, axes, sample=sample, variant=PLAIN)
                if item.flagged:
                    yield _cell(item, seat, axes, sample=sample, variant=MASKED)
            if main is not None and main.name in axes and item.item_id in planted:
                for payload in Payload:
                    yield _cell(item, seat, axes, sample=0, variant=f"{CANARY}{payload}")


def _cell(item: PanelItem, seat: Seat, axes: tuple[str, ...], *, sample: int, variant: str) -> Cell:
    material = item.fingerprint if variant == PLAIN else f"{item.fingerprint}|{variant}"
    found = judgement_id(material, judge=seat.fingerprint, expert_id=seat.id, sample=sample)
    return Cell(id=str(found), item=item, seat=seat, axes=axes, sample=sample, variant=variant)
