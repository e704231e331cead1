"""A text run for a person at a terminal."""

import click

from eval_pipeline.cli.output import printable, write_table, write_warning
from eval_pipeline.cli.run_words import cost_words, counts_words, write_reasons
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.passages import retrieval_words
from eval_pipeline.core.recorded import recorded_words
from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.standing import EMBEDDING_FAILED

SHOWN_LINES = 50
"""Of categories, each with every score."""
_NO_ANSWER = frozenset({UnscoreableReason.RESPONSE_FAILED, UnscoreableReason.EMPTY_OUTPUT})
"""What the failed answers say already."""


def write_run(document: Json) -> None:
    """Write the headline, the scores, the cost and where the report is; with ``--detail`` every item."""
    dataset, standing = document["dataset"], PaidStanding.of(document)
    click.echo(f"{document['run']}: {document['state']} ({document['mode']}, {printable(str(document['model']))})")
    click.echo(f"dataset {printable(dataset['name'])} @ {dataset['version'][:12]}, {_size(dataset)}")
    if document["recorded"]:
        click.echo(printable(recorded_words(document["recorded"])))
    click.echo(f"answers {_counts(standing)}")
    write_reasons(standing.reasons)
    if document["retrieval"]:
        click.echo(f"retrieval {retrieval_words(document['retrieval'])}")
    if document["summary_scores"]:
        _write_scores(document, total=standing.counts.total)
    click.echo(f"cost {cost_words(standing.cost)}")
    if document["report"]:
        click.echo(f"report {document['report']}")
    if document["langfuse"]:
        click.echo(f"Langfuse {printable(str(document['langfuse']))}")
    for trace in document.get("traces", ()):
        _write_item(trace)
    for warning in document["warnings"]:
        write_warning(warning["message"])


def _size(dataset: Json) -> str:
    repeats, questions = dataset["duplication_factor"], dataset["original_items_count"]
    asked = counted(questions, "question")
    return (
        asked
        if repeats == 1
        else f"{asked} asked {repeats:,} times each: {counted(dataset['total_items_count'], 'item')}"
    )


def _counts(standing: PaidStanding) -> str:
    told = counts_words(standing, ok="ok")
    if without := standing.counts.others.get(EMBEDDING_FAILED):
        told.append(f"{without:,} without embedding")
    return ", ".join(told)


def _write_scores(document: Json, *, total: int) -> None:
    for score in document["summary_scores"]:
        if sentence := _plain(score):
            click.echo(sentence)
    headers = ("SCORE", "MEAN", "95 % INTERVAL", "STD", "SCORED")
    write_table(headers, [_score_row(score, total=total) for score in document["summary_scores"]])
    for score in document["summary_scores"]:
        if told := [
            f"{count:,} {reason}" for reason, count in score["unscoreable"].items() if reason not in _NO_ANSWER
        ]:
            click.echo(f"{printable(score['name'])} not scored: {', '.join(told)}")
    categories = [
        (category["category"] or "(none)", *_score_row(score, total=category["items"]))
        for category in document["category_metrics"]
        for score in category["scores"]
    ]
    if categories:
        click.echo()
        write_table(("CATEGORY", *headers), categories[:SHOWN_LINES])
        left_out = len(categories) - SHOWN_LINES
        if left_out > 0:
            click.echo(f"and {counted(left_out, 'more line')}; --json has them, and the export has every item")
        click.echo()


def _plain(score: Json) -> str:
    """Say a score in words: how many are right, or that it does not say so."""
    if score["avg"] is None:
        return ""
    name = printable(score["name"])
    if score["data_type"] == "BOOLEAN":
        right = (score["distribution"] or {}).get("true", round(score["avg"] * score["total_pairs"]))
        scored = counted(score["total_pairs"], "scored answer", verb=("is", "are"))
        return f"{name}: {right:,} of {scored} right ({score['avg']:.1%})"
    return f"{name}: {score['avg']:.2f} on average; it does not say how many answers are right"


def _score_row(score: Json, *, total: int) -> tuple[str, ...]:
    low, high = score["ci_low"], score["ci_high"]
    interval = "" if low is None else f"{low:.4f} to {high:.4f}"
    scored = f"{score['total_pairs']:,}/{total:,}"
    return (score["name"], _number(score["avg"]), interval, _number(score["std"]), scored)


def _number(value: float | None) -> str:
    return "no data" if value is None else f"{value:.4f}"


def _write_item(trace: Json) -> None:
    click.echo(f"\n{printable(trace['question_id'])}#{trace['repeat']}  {trace['status']}")
    said = [
        *((turn["role"], turn["content"]) for turn in trace["history"]),
        ("question", trace["question"]),
        ("golden", trace["ground_truth_answer"]),
        *(("or", text) for text in trace["ground_truth_alternatives"]),
        ("answer", trace["llm_answer"]),
        *(("passage", _passage(passage)) for passage in trace["passages"] or ()),
    ]
    for name, text in said:
        if text:
            click.echo(f"  {name:<9} {_indented(text)}")
    if trace["error"]:
        click.echo(f"  {'error':<9} {_indented(trace['error']['code'] + ': ' + trace['error']['message'])}")
    for score in trace["scores"]:
        value = score["unscoreable_reason"] if score["value"] is None else f"{score['value']:.4f}"
        click.echo(f"  {printable(score['name'])}: {value}")


def _passage(passage: Json) -> str:
    named = [passage["file"] or "", "" if passage["score"] is None else f"{passage['score']:.2f}"]
    return " ".join([*(f"[{name}]" for name in named if name), passage["text"]])


def _indented(text: str) -> str:
    return ("\n" + 12 * " ").join(printable(line) for line in text.splitlines())
