"""What a stage has judged, whatever its flow: which items by which judges, and what becomes of their judgements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.endpoints import Endpoints, FrozenEndpoint, frozen_of
from eval_pipeline.core.runs import RunMode
from eval_pipeline.judging.material import Material
from eval_pipeline.runs.panels.cells import PanelItem
from eval_pipeline.runs.panels.judges import Judges, Seat
from eval_pipeline.wiring import models


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelWork:
    """The items of a run and who judges them."""

    stage: str
    """Its name."""
    judges: Judges
    endpoints: Endpoints
    """As the run was specified for them."""
    mode: RunMode
    concurrency: int
    """Live calls under way at once, of all experts together."""
    failure_threshold: float
    items: Sequence[PanelItem]
    material: Callable[[PanelItem], Material]
    row: Callable[[PanelItem, Row], JsonDict]
    """Makes the row of the stage from the columns that all judgements have."""
    feedback_visible: bool = False
    own: Callable[[], JsonDict] = field(default=dict)
    """What the stage alone tells, once all rows were made."""

    def at(self, seat: Seat) -> FrozenEndpoint:
        """Return where an expert is asked, as it was frozen."""
        return frozen_of(self.endpoints, seat.endpoint)

    def tariff(self, seat: Seat) -> Tariff:
        """Return what an expert's calls cost."""
        return models.tariff(self.at(seat), seat.model, mode=seat.mode)

    def rate(self, seat: Seat) -> str:
        """Name the rate of an expert's calls."""
        return models.rate(self.at(seat), seat.model, mode=seat.mode)

    def seats(self, mode: RunMode) -> tuple[Seat, ...]:
        """Return the experts that are asked in one way."""
        return tuple(seat for seat in self.judges.seats if seat.mode is mode)
