"""What a speech run's report says beside its samples, as plain values; the samples themselves are streamed past it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Json
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.reporting.provenance import StageFact, answered_elsewhere
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.verdicts.run_agreement import RunAgreement


@dataclass(frozen=True, slots=True)
class Saying:
    """One part of what stands, and who said it."""

    reviewer: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """What people say of one result as it stands; ``is_correct`` is None where they only commented or took it back."""

    is_correct: bool | None
    comment: str | None
    tags: tuple[str, ...]
    reviewer: str
    """Who said whether it is right, else who said the last word."""
    judged_at: datetime
    stale: bool = False
    """Said of an earlier transcript of this result."""
    comment_by: Saying | None = None
    tags_by: Saying | None = None
    others: tuple[tuple[str, bool], ...] = ()
    """What other people said: right or wrong, by name, where there are any."""


@dataclass(frozen=True, slots=True)
class SpeechReportData:
    """Everything that a report says about a run as a whole."""

    run: RunRecord
    spec: SttSpec
    figures: Json
    """As ``RunFigures.as_json`` gives them."""
    threshold: Threshold
    cost: Costs
    """Of every model."""
    stages: Sequence[StageFact]
    written_at: datetime
    verdicts: Mapping[str, ShownVerdict] = field(default_factory=dict)
    """By item; those that nobody judged are missing."""
    agreement: RunAgreement | None = None
    """None: nobody judged anything."""
    metadata_keys: tuple[str, ...] = ()
    """Of the dataset: each becomes a column of the CSV."""

    @property
    def mixed_endpoints(self) -> bool:
        """Whether clips were transcribed elsewhere than the run was specified for."""
        return bool(answered_elsewhere(self.run, self.stages))

    @property
    def metric(self) -> str:
        """The headline metric, WER or CER."""
        return str(self.figures["metric"])

    @property
    def method(self) -> str | None:
        """What computed intervals and comparisons; None: the version before the first that has a name."""
        method: str | None = self.figures.get("method")
        return method

    @property
    def notes(self) -> Sequence[str]:
        """What stands beside the headline; figures of earlier versions have none."""
        notes: Sequence[str] = self.figures["best"].get("notes", ())
        return notes

    @property
    def models(self) -> Sequence[Json]:
        """The figures of every model, in the order of the run."""
        models: Sequence[Json] = self.figures["models"]
        return models
