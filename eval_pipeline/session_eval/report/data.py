"""What the report of a run of sessions says, as plain values: collected by ``collect``, put into words by ``words``.

Everything here is bounded: a run of any size leaves some dozens of sessions with their transcripts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.judging.canaries import CanaryFinding
from eval_pipeline.judging.material import Part
from eval_pipeline.judging.panel import Expert, Panel
from eval_pipeline.judging.rubric import Axis
from eval_pipeline.reporting.provenance import StageFact, answered_elsewhere
from eval_pipeline.session_eval.report.trust import Agreement, Predicted


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over sessions, of 100, with its 95 % interval where there is one."""

    value: float | None
    low: float | None
    high: float | None
    sessions: int
    """That have a value."""
    sd: float | None = None
    nulls: Mapping[str, int] = field(default_factory=dict)
    """Sessions without a value, by reason."""


@dataclass(frozen=True, slots=True)
class AxisMean:
    """One axis over all sessions."""

    axis: Axis
    mean: Mean
    disputed: int
    """Sessions on which the judges disagreed about it."""

    @property
    def applies(self) -> bool:
        """Whether it applies to any session."""
        return bool(self.mean.sessions) or any(
            amount for reason, amount in self.mean.nulls.items() if reason != "not_applicable"
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the sessions, such as those with easy tasks."""

    label: str
    sessions: int
    quality: Mean
    goal: Mean


@dataclass(frozen=True, slots=True)
class Week:
    """The sessions of one week."""

    monday: date
    sessions: int
    quality: Mean
    goal: Mean
    likes: int
    dislikes: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Sessions by what became of them."""

    sessions: int
    evaluated: int
    partial: int
    failed: int
    reached: int
    """Whose goal was reached: 75 of 100 or more."""
    missed: int
    """Whose goal was not: below 50."""
    with_goal: int
    first_active: datetime | None
    last_active: datetime | None

    @property
    def between(self) -> int:
        """Whose goal was reached in part."""
        return self.with_goal - self.reached - self.missed


@dataclass(frozen=True, slots=True)
class ExpertFigures:
    """What one expert did in this run."""

    expert: Expert
    cells: int
    failed: int
    unreadable: int
    """Answers that were not what was asked for, even when asked again."""
    unproven: int
    """High levels without a quote that is there, even when asked again."""
    refused: int
    quotes: int
    verified: int
    canaries: int
    canary: CanaryFinding | None
    """None where nothing was planted, or no answer came."""
    models: tuple[str, ...]
    """That answered, as the provider names them."""
    errors: tuple[tuple[str, int], ...] = ()
    """Why cells failed, in the provider's words, most frequent first."""

    @property
    def verified_share(self) -> float | None:
        """The share of its quotes that are there; None without quotes."""
        return self.verified / self.quotes if self.quotes else None


@dataclass(frozen=True, slots=True)
class ShownQuote:
    """A quote, numbered within its session."""

    number: int
    message: int | None
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """What one expert said of one axis of a session."""

    expert_id: str
    axis: str
    level: float | None
    state: str
    confidence: str
    reasoning: str
    quotes: tuple[ShownQuote, ...]
    variant: str = "plain"
    sample: int = 0


@dataclass(frozen=True, slots=True)
class AxisResult:
    """The panel's score of one axis of a session."""

    axis: str
    mean: float | None
    reason: str | None
    scored: int
    owners: int
    sd: float | None
    disagreement: bool


@dataclass(frozen=True, slots=True)
class SaidOfMessage:
    """What a person said of a message; it may have moved since."""

    message: int | None
    """None where the message is no longer there."""
    liked: bool
    comment: str | None
    author: str | None
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a session's judges read, whole."""

    parts: Sequence[Part]
    feedback: Sequence[SaidOfMessage] = ()


@dataclass(frozen=True, slots=True)
class ShownSession:
    """One session as the report shows it."""

    session_id: str
    name: str | None
    profile: str | None
    last_active: datetime | None
    status: str
    quality: float | None
    complexity: float | None
    axes: tuple[AxisResult, ...]
    verdicts: tuple[ShownVerdict, ...]
    failures: tuple[tuple[str, str], ...]
    """Experts without a usable answer, each with what happened."""
    likes: int
    dislikes: int
    succeeded: bool | None
    """As the environment verified it; None where nobody did."""
    addressed_to_judges: tuple[str, ...]
    """What in it looks as if it were written for a judge."""
    user_goal: str
    outcome_summary: str
    transcript: Transcript | None
    """None where the content is gone."""
    number: int = 0
    """Its place among all that the page shows, for links."""


@dataclass(frozen=True, slots=True)
class Disliked:
    """A message that somebody disliked, and whether the judges saw it."""

    session: ShownSession
    said: SaidOfMessage
    text: str | None
    """Of the message; None where it is gone."""
    seen: bool | None
    """Whether the judges found fault with the session; None without a score."""
    lowest: AxisResult | None


@dataclass(frozen=True, slots=True)
class SessionReportData:
    """Everything that a report says about one run."""

    run: RunRecord
    panel: Panel
    counts: Counts
    quality: Mean
    axes: tuple[AxisMean, ...]
    buckets: tuple[Group, ...]
    profiles: tuple[Group, ...]
    more_profiles: int
    weeks: tuple[Week, ...]
    """With empty ones; nothing where no session has a time."""
    undated: int
    zone: str
    worst: tuple[ShownSession, ...]
    more_worst: int
    disputed: tuple[ShownSession, ...]
    all_disputed: int
    disliked: tuple[Disliked, ...]
    all_disliked: int
    disliked_seen: int
    """Of all disliked sessions with a score, those with which the judges found fault."""
    disliked_scored: int
    orphaned: int
    """Likes and dislikes of messages that are no longer there."""
    experts: tuple[ExpertFigures, ...]
    agreement: tuple[Agreement, ...]
    predicted: tuple[Predicted, ...]
    cost: Costs
    """By expert."""
    threshold: Threshold
    stages: Sequence[StageFact]
    written_at: datetime
    one_family: str | None = None
    """The family that all judges belong to, if it is one."""
    feedback_visible: bool = False
    taken: int = 0
    """Judgements that an earlier run had paid for."""
    masked: int = 0
    """Sessions that were judged twice, since something in them is addressed to a judge."""
    shortened: int = 0
    """Judgements for which something of the session was left out."""

    @property
    def mixed_endpoints(self) -> bool:
        """Whether sessions were judged elsewhere than the run was specified for."""
        return bool(answered_elsewhere(self.run, self.stages))
