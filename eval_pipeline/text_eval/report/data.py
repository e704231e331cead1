"""What a text run's report says, as plain values: collected by ``report_rows``, put into words by ``report``.

Everything here is bounded: a run of any size leaves a few hundred rows, groups and examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.passages import Passage
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.core.turns import Turn
from eval_pipeline.reporting.provenance import StageFact, answered_elsewhere
from eval_pipeline.text_eval.scoring.summary import BOOLEAN, QuestionScore, RunSummary, ScoreSummary, lead_score


@dataclass(frozen=True, slots=True)
class ItemScore:
    """One score of one item; the value is None where the pair could not be scored."""

    name: str
    data_type: str
    value: float | None
    unscoreable_reason: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One item as the report shows it, its texts clipped to a bearable length."""

    item_id: str
    question_id: str
    repeat: int
    category: str | None
    question: str
    golden_answer: str
    status: str
    answer: str | None
    partial_answer: str | None
    error: str | None
    scores: tuple[ItemScore, ...]
    endpoint: str | None = None
    """The address that answered."""
    thinking: str | None = None
    own_id: str | None = None
    """How the golden file names the row."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Its other columns."""
    alternatives: tuple[str, ...] = ()
    """Further golden answers."""
    turns: tuple[Turn, ...] = ()
    """What was said before the question."""
    passages: tuple[Passage, ...] | None = None
    """What was retrieved for it, the first of them; None where nobody told."""
    more_passages: int = 0


@dataclass(frozen=True, slots=True)
class FailureExample:
    """One item of a failure group, with what the provider said."""

    item_id: str
    question: str
    message: str | None
    partial_answer: str | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Items that ended the same way: without an answer, or with one that could not be scored.

    ``status`` is None for the rest, when there are more kinds of failure than a report can show.
    """

    status: str | None
    code: str | None
    type: str | None
    count: int
    examples: tuple[FailureExample, ...]


@dataclass(frozen=True, slots=True)
class UnstableQuestion:
    """A question whose repeats scored differently, and what was answered each time."""

    score: QuestionScore
    answers: tuple[ReportRow, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """How many questions scored the same on every repeat, and those that varied most."""

    score_name: str
    compared: int
    """Questions with at least two scored repeats."""
    same: int
    least: tuple[UnstableQuestion, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Items by status and by the model that answered; the denominator is always the dataset."""

    items: int
    questions: int
    repeats: int
    statuses: Mapping[str, int]
    models: Mapping[str, int]

    @property
    def answered(self) -> int:
        """Items with a whole answer."""
        return self.statuses.get("ok", 0)


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report says about one run."""

    run: RunRecord
    counts: Counts
    summary: RunSummary | None
    """None when nothing was scored, such as after a missed failure threshold."""
    rows: tuple[ReportRow, ...]
    """Worst first by the headline score; items without one stand last."""
    failures: tuple[FailureGroup, ...]
    """Most frequent first."""
    consistency: Consistency | None
    """None when every question was asked once."""
    cost: Costs
    """Of every stage that asked somebody."""
    threshold: Threshold
    stages: Sequence[StageFact]
    written_at: datetime

    @property
    def mixed_endpoints(self) -> bool:
        """Whether items were answered elsewhere than the run was specified for."""
        return bool(answered_elsewhere(self.run, self.stages))

    retrieval: Mapping[str, int] | None = None
    """Items by what was retrieved for them; None of a run without retrieval."""
    middle: tuple[ReportRow, ...] = ()
    """Two answers near the middle of a score that is no share of right answers: what such a value looks like."""

    @property
    def headline(self) -> ScoreSummary | None:
        """The score that answers are sorted by; it heads the report only where it is a share of right answers."""
        return lead_score(self.summary)

    @property
    def tells_right_answers(self) -> bool:
        """Whether the headline says how many answers are right, and so means something alone."""
        return self.headline is not None and self.headline.data_type == BOOLEAN
