"""What a stage found when it looked at what it made: its asset checks read that, and nothing else.

A stage that declares a check keeps what it came to in its manifest: report, script and Dagster say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from eval_pipeline.core.documents import Json, JsonDict

CHECKS: Final = "checks"
"""The fact of a summary that holds what checks came to, by name."""


class Severity(StrEnum):
    """How bad it is when a check does not pass; neither stops a run."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What one check came to."""

    passed: bool
    words: str
    severity: Severity = Severity.WARN
    facts: Mapping[str, float | int | str] = field(default_factory=dict)

    def to_json(self) -> JsonDict:
        """Return the JSON form that a summary keeps."""
        return {
            "passed": self.passed,
            "words": self.words,
            "severity": str(self.severity),
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(value["passed"], value["words"], Severity(value["severity"]), value["facts"])


def checks_json(checks: Mapping[str, CheckOutcome]) -> JsonDict:
    """Return what a summary keeps of all checks of a stage."""
    return {CHECKS: {name: check.to_json() for name, check in checks.items()}}


def check_in(summary: Json, name: str) -> CheckOutcome:
    """Read what a check came to; one that the stage did not tell of had nothing to look at."""
    told = summary.get(CHECKS, {}).get(name)
    return (
        CheckOutcome(passed=True, words="There was nothing to check.") if told is None else CheckOutcome.from_json(told)
    )
