"""Whether too many items failed: judged over the whole dataset, after everything is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import QualityGateError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Threshold:
    """Observed failures against what a run allows."""

    value: float
    failed: int
    total: int
    reasons: tuple[Reason, ...] = ()
    """The most frequent ones, with their counts."""

    @property
    def observed(self) -> float | None:
        """The share of failures; None when there was nothing to evaluate."""
        return self.failed / self.total if self.total else None

    @property
    def breached(self) -> bool:
        """``failed / total > value``, strictly; zero items is a breach."""
        return self.observed is None or self.observed > self.value

    def to_json(self) -> JsonDict:
        """Return the JSON form; both numbers are in it."""
        return {
            "value": self.value,
            "observed": self.observed,
            "breached": self.breached,
            "failed": self.failed,
            "total": self.total,
            **({"reasons": [reason.to_json() for reason in self.reasons]} if self.reasons else {}),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        reasons = tuple(map(Reason.from_json, value.get("reasons", ())))  # the first version had none
        return cls(value=value["value"], failed=value["failed"], total=value["total"], reasons=reasons)

    @property
    def most_frequent(self) -> str:
        """Name the most frequent reason with its count; "" where none is known."""
        if not self.reasons:
            return ""
        first = self.reasons[0]
        return f"{first.count:,} of them with {first.words}"

    def error(self, key: RunKey) -> QualityGateError:
        """Build the error of a breached run."""
        why = f"; {self.most_frequent}" if self.reasons else ""
        share = "" if self.observed is None else f" ({self.observed:.1%})"
        items = counted(self.total, "item")
        return QualityGateError(
            f"run {key.partition} failed its threshold: {self.failed:,} of {items} failed{share}, "
            f"{self.value:.1%} are allowed{why}",
            code="failure_threshold_breached",
            hint="everything that was paid for is kept, and the report tells the failures; "
            f"{command_on('run retry', key)} asks again what failed in passing or was never sent, with "
            "--resend-lost what the provider lost, with --refresh everything",
        )


def worst(verdicts: Iterable[Threshold]) -> Threshold:
    """Return the verdict that counts most failures."""
    return max(verdicts, key=lambda verdict: (verdict.breached, verdict.failed))
