"""People's verdicts on the transcripts of a run: judged one by one, listed with their history, compared with WER.

What a page would do too: the command line only reads options and writes answers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.feedback import Change, FeedbackEntry, Verdict, by_item, difference, standing
from eval_pipeline.core.feedback_words import checked_reviewer
from eval_pipeline.core.names import RunKey, shown
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report.data import Saying, ShownVerdict
from eval_pipeline.stt_eval.verdicts.results import COLUMNS, Result, Results
from eval_pipeline.stt_eval.verdicts.run_agreement import RunAgreement, run_agreement
from eval_pipeline.wiring.deployment import Deployment


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """What somebody says about the result of one sample and model."""

    sample_id: str
    model: str
    change: Change


@dataclass(frozen=True, slots=True)
class Judged:
    """A result and what stands of it."""

    result: Result
    verdict: Verdict


def set_verdicts(
    deployment: Deployment, key: RunKey, changes: Sequence[VerdictChange], *, reviewer: str
) -> list[Judged]:
    """Record changes, all or none; return the results as they stand then.

    Raises:
        NotFoundError: ``result_not_found``, for an unknown sample or model.
        ConflictError: ``result_not_finished``, or ``verdict_unchanged`` where a change says nothing new.
        UsageError: ``invalid_verdict``.
    """
    name, now = checked_reviewer(reviewer), datetime.now(UTC)
    results, history = run_results(deployment, key), run_history(deployment, key)
    chosen = [results.find(change.sample_id, change.model) for change in changes]
    _refuse_twice(chosen)
    entries = []
    for result, said in zip(chosen, changes, strict=True):
        sha256, before = result.require_text(), _verdict(result, history)
        differs = difference(said.change, before, reviewer=name)
        if differs is None:
            raise _unchanged(result, said.change, before=before)
        entries.append(new_entry(key, result, change=differs, text_sha256=sha256, reviewer=name, judged_at=now))
    deployment.ledger.add_feedback(entries)
    history = run_history(deployment, key)
    return [Judged(result, _verdict(result, history)) for result in chosen]


def verdicts_of(deployment: Deployment, key: RunKey) -> dict[str, Verdict]:
    """Return what stands, with its history, by item; an item that nobody ever judged is not among them."""
    return {judged.result.item_id: judged.verdict for judged in judged_results(deployment, key)}


def shown_verdicts(verdicts: Mapping[str, Verdict]) -> dict[str, ShownVerdict]:
    """Return verdicts as reports and exports show them."""
    return {item_id: _shown(verdict) for item_id, verdict in verdicts.items()}


def _shown(verdict: Verdict) -> ShownVerdict:
    marked = verdict.authors.get("is_correct", verdict.history[-1])
    others = {
        name: own.is_correct
        for name, own in verdict.reviewers.items()
        if own.is_correct is not None and name != marked.reviewer
    }
    return ShownVerdict(
        is_correct=verdict.is_correct,
        comment=verdict.comment,
        tags=tuple(map(str, verdict.tags)),
        reviewer=marked.reviewer,
        judged_at=marked.judged_at,
        stale=verdict.stale,
        comment_by=_saying(verdict, "comment") if verdict.comment else None,
        tags_by=_saying(verdict, "tags") if verdict.tags else None,
        others=tuple(others.items()),
    )


def _saying(verdict: Verdict, part: str) -> Saying:
    entry = verdict.authors[part]
    return Saying(entry.reviewer, entry.judged_at)


def judged_results(deployment: Deployment, key: RunKey) -> list[Judged]:
    """Return every result that somebody said something about, in the order of the run."""
    results, history = run_results(deployment, key), run_history(deployment, key)
    return [Judged(result, _verdict(result, history)) for result in results if result.item_id in history]


def agreement(deployment: Deployment, key: RunKey) -> RunAgreement:
    """Compare people's verdicts with WER at the level ``standard``; raises ``stage_missing`` before there are scores.

    Verdicts that were cleared, that are about earlier transcripts, or on transcripts without WER do not count.
    """
    stored = stored_run(deployment, key)
    transcripts, scores = stored.open("transcripts"), stored.open("scores")
    results, history = Results(transcripts.rows(COLUMNS)), run_history(deployment, key)
    verdicts = {result.item_id: _verdict(result, history) for result in results if result.item_id in history}
    return run_agreement(results, verdicts=verdicts, rates=word_error_rates(scores))


def run_results(deployment: Deployment, key: RunKey, *, with_files: bool = False) -> Results:
    """Read the run's results; raises ``run_not_found``, or ``stage_missing`` before there are transcripts."""
    stored = stored_run(deployment, key)
    samples = stored.open("dataset").rows(("sample_id", "file_name")) if with_files else ()
    names = {row["sample_id"]: row["file_name"] for row in samples}
    return Results(stored.open("transcripts").rows(COLUMNS), file_names=names)


def run_history(deployment: Deployment, key: RunKey) -> Mapping[str, tuple[FeedbackEntry, ...]]:
    """Return all that was said, by item."""
    return by_item(deployment.ledger.run_feedback(flow=Flow.STT, key=key))


def stored_run(deployment: Deployment, key: RunKey) -> StoredRun:
    """Return what the run has now."""
    return StoredRun(deployment, find_run(deployment, flow=Flow.STT, key=key))


def word_error_rates(scores: StageReader) -> dict[str, float | None]:
    """Return WER at the level ``standard`` by item; CER in languages written without spaces, which have no WER."""
    rows = scores.rows(("item_id", "level", "wer", "cer"))
    return {
        row["item_id"]: row["cer"] if row["wer"] is None else row["wer"]
        for row in rows
        if row["level"] == Level.STANDARD
    }


def new_entry(
    key: RunKey, result: Result, *, change: Change, text_sha256: str, reviewer: str, judged_at: datetime
) -> FeedbackEntry:
    """Build the entry that records a change."""
    return FeedbackEntry(
        flow=Flow.STT,
        key=key,
        item_id=result.item_id,
        text_sha256=text_sha256,
        change=change,
        reviewer=reviewer,
        judged_at=judged_at,
    )


def _verdict(result: Result, history: Mapping[str, tuple[FeedbackEntry, ...]]) -> Verdict:
    return standing(history.get(result.item_id, ()), text_sha256=result.text_sha256)


def _refuse_twice(results: Sequence[Result]) -> None:
    twice = next((result for result, count in Counter(results).items() if count > 1), None)
    if twice is not None:
        raise UsageError(
            f"sample {shown(twice.sample_id)}, model {shown(twice.model)} is judged twice at once",
            code="invalid_verdict",
            hint="name every result once",
        )


def _unchanged(result: Result, change: Change, *, before: Verdict) -> ConflictError:
    named = f"sample {shown(result.sample_id)}, model {shown(result.model)}"
    if not change.parts:
        problem, hint = f"nothing was said about {named}", "give --correct, --wrong or --clear, a comment or a tag"
    else:
        problem, hint = f"{named} stands as that already: {before.mark}", "nothing was recorded; say what differs"
    return ConflictError(problem, code="verdict_unchanged", hint=hint)
