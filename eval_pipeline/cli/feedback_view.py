"""People's verdicts as scripts and terminals read them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from eval_pipeline.cli.output import write_table
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.feedback import FeedbackEntry, Verdict

if TYPE_CHECKING:
    from eval_pipeline.stt_eval.feedback import Judged
    from eval_pipeline.stt_eval.verdicts.agreement import VerdictAgreement
    from eval_pipeline.stt_eval.verdicts.run_agreement import RunAgreement


def judged_json(judged: "Judged") -> JsonDict:
    """Return the JSON form of what stands of a result, with all that was said."""
    result, verdict = judged.result, judged.verdict
    return {
        "item_id": result.item_id,
        "sample": result.sample_id,
        "model": result.model,
        "verdict": str(verdict.mark),
        "is_correct": verdict.is_correct,
        "comment": verdict.comment,
        "tags": list(verdict.tags),
        "stale": verdict.stale,
        "authors": {part: entry.reviewer for part, entry in verdict.authors.items()},
        "reviewers": {name: _own_json(own) for name, own in verdict.reviewers.items()},
        "history": [_entry_json(entry) for entry in verdict.history],
    }


def _own_json(own: Verdict) -> JsonDict:
    return {
        "verdict": str(own.mark),
        "is_correct": own.is_correct,
        "comment": own.comment,
        "tags": list(own.tags),
    }


def _entry_json(entry: FeedbackEntry) -> JsonDict:
    """Name what an entry changes; null there was taken away, and what is not there was not spoken of."""
    return {
        "reviewer": entry.reviewer,
        "judged_at": entry.judged_at.isoformat(),
        "text_sha256": entry.text_sha256,
        "changed": dict(entry.change.parts),
    }


def agreement_json(found: "RunAgreement") -> JsonDict:
    """Return the JSON form of how far WER says what people say."""
    return asdict(found)


def write_judged(judged: Sequence["Judged"]) -> None:
    """Write a line a result."""
    headers = ("sample", "model", "verdict", "tags", "comment", "reviewer", "time (UTC)", "entries")
    write_table(headers, [_line(one) for one in judged])


def _line(judged: "Judged") -> list[object]:
    """Name who said what: the reviewer is whose mark stands, others stand behind what they said."""
    result, verdict = judged.result, judged.verdict
    marked = verdict.authors.get("is_correct", verdict.history[-1])
    mark = f"{verdict.mark} (earlier transcript)" if verdict.stale else str(verdict.mark)
    others = [
        f"{name}: {own.mark}"
        for name, own in verdict.reviewers.items()
        if name != marked.reviewer and own.is_correct is not None
    ]
    said = (
        _signed(", ".join(verdict.tags), verdict, "tags", marked=marked),
        _signed(verdict.comment, verdict, "comment", marked=marked),
        marked.reviewer,
        f"{marked.judged_at:%Y-%m-%d %H:%M}",
    )
    told = f"{mark} ({'; '.join(others)})" if others else mark
    return [result.sample_id, result.model, told, *said, len(verdict.history)]


def _signed(text: str | None, verdict: Verdict, part: str, *, marked: FeedbackEntry) -> str | None:
    """Add who said a part, where that is not whose mark stands."""
    author = verdict.authors.get(part)
    if not text or author is None or author.reviewer == marked.reviewer:
        return text
    return f"{text} ({author.reviewer})"


def write_agreement(found: "RunAgreement") -> None:
    """Write a line a model on how far WER says what people say, and what was left out."""
    if found.overall.right + found.overall.wrong:
        click.echo()
        headers = ("verdicts against WER", "right", "wrong", "AUC", "correlation", "accepted up to WER", "kappa")
        lines = [*found.models.items(), *([("all models", found.overall)] if len(found.models) > 1 else [])]
        write_table(headers, [_agreement_line(name, one) for name, one in lines])
    left_out = {
        "on earlier transcripts": found.stale,
        "cleared": found.cleared,
        "on transcripts without WER": found.without_rate,
    }
    told = [f"{count:,} {what}" for what, count in left_out.items() if count]
    if told:
        click.echo(f"not counted: {', '.join(told)}")


def _agreement_line(name: str, one: "VerdictAgreement") -> list[object]:
    best = one.best
    figures = (one.auc, one.correlation, best and best.at_most, best and best.kappa)
    return [name, one.right, one.wrong, *(None if figure is None else f"{figure:.3f}" for figure in figures)]
