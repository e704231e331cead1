"""How far the judges agree and are right, as the stage ``agreement`` stored it: read for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from eval_pipeline.core.documents import Json
from eval_pipeline.session_eval.scoring.calibration import Labelled

OUTCOMES: Final = str(Labelled.OUTCOMES)


@dataclass(frozen=True, slots=True)
class Measure:
    """A coefficient with its 95 % interval, or why it has no value."""

    value: float | None
    low: float | None = None
    high: float | None = None
    items: int = 0
    undefined: str | None = None

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read a coefficient."""
        return cls(value["value"], value["low"], value["high"], value["n"], value["undefined"])


@dataclass(frozen=True, slots=True)
class AgainstPeople:
    """A judge beside people, on one axis."""

    judge: str
    kappa: Measure
    bias: float | None
    """Above 0, the judge is kinder."""
    person_kappa: float | None
    """Mean of its agreement with each person by itself: what stands beside that of people among each other."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One axis."""

    axis: str
    alpha: Measure
    """Krippendorff's, ordinal, among judges."""
    rated_by_people: int
    people_kappa: float | None
    """Of people among each other."""
    against_people: tuple[AgainstPeople, ...]

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read what was stored of one axis."""
        return cls(
            axis=value["axis"],
            alpha=Measure.from_json(value["alpha_ordinal"]),
            rated_by_people=value["rated_by_people"],
            people_kappa=value["people_kappa"],
            against_people=tuple(
                AgainstPeople(one["judge"], Measure.from_json(one["kappa"]), one["bias"], one["person_kappa"])
                for one in value["against_people"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Area:
    """How well a figure tells good sessions from bad ones: 0.5 is chance, 1 always."""

    name: str
    area: Measure
    is_lower_better: bool
    """Whether a low figure goes with good sessions."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """Judges and plain figures against what is known of the sessions."""

    by: str
    """``outcomes`` or ``likes``."""
    good: int
    bad: int
    judges: tuple[Area, ...]
    baselines: tuple[Area, ...]
    note: str | None

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read what was stored of one kind of labels."""
        return cls(
            by=value["by"],
            good=value["good"],
            bad=value["bad"],
            judges=_areas(value["judges"]),
            baselines=_areas(value["baselines"]),
            note=value["note"],
        )

    @property
    def panel(self) -> Area | None:
        """The panel as a whole, or the only judge."""
        return next((area for area in self.judges if area.name == "panel"), self.judges[0] if self.judges else None)

    @property
    def best_baseline(self) -> Area | None:
        """The plain figure that tells most."""
        known = [area for area in self.baselines if area.area.value is not None]
        return max(known, key=lambda area: area.area.value or 0.0, default=None)


def _areas(value: Sequence[Json]) -> tuple[Area, ...]:
    return tuple(
        Area(one["name"], Measure.from_json(one["area"]), is_lower_better=one["direction"] == "lower") for one in value
    )
