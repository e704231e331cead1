"""Two text runs side by side for a person at a terminal."""

import json

import click

from eval_pipeline.cli.output import printable, write_table
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json

QUESTION_CHARACTERS = 60


def write_comparison(document: Json) -> None:
    """Write what differs between the runs, a verdict per score, then the questions that changed most."""
    _write_differences(document)
    for score in document["scores"]:
        click.echo(verdict_sentence(score, second=document["second"]))
    write_table(
        ("SCORE", document["first"], document["second"], "DIFFERENCE", "95 % INTERVAL", "WON", "LOST", "TIED"),
        [_row(score) for score in document["scores"]],
    )
    if document["changed"]:
        click.echo(f"\nmost changed by {document['changed'][0]['score']}:")
        write_table(
            ("QUESTION", document["first"], document["second"], "TEXT"),
            [
                (row["question_id"], f"{row['first']:.3f}", f"{row['second']:.3f}", _cut(row["question"]))
                for row in document["changed"]
            ],
        )


def _write_differences(document: Json) -> None:
    if not document["differences"]:
        click.echo("the runs asked and scored the same: what differs is chance, or the model behind its name\n")
        return
    click.echo("what differs between the runs:")
    plain = [one for one in document["differences"] if not one["lines"]]
    if plain:
        write_table(
            ("VALUE", document["first"], document["second"]),
            [(printable(one["name"]), _cut(_value(one["first"])), _cut(_value(one["second"]))) for one in plain],
        )
    for one in document["differences"]:
        if one["lines"]:
            click.echo(f"{printable(one['name'])}, from {document['first']} (-) to {document['second']} (+):")
            for line in one["lines"]:
                click.echo(f"  {printable(line)}")
    click.echo()


def _value(value: object) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def verdict_sentence(score: Json, *, second: str) -> str:
    """Say in words what the interval allows to say."""
    name, questions = score["name"], counted(score["questions"], "question")
    if score["ci_low"] is None or score["verdict"] == "not distinguishable":
        return f"{name}: not distinguishable with {questions}"
    low, high = sorted((abs(score["ci_low"]), abs(score["ci_high"])))
    return (
        f"{name}: {second} is {score['verdict']} by {abs(score['difference']):.4f} "
        f"(95 % interval {low:.4f} to {high:.4f}, {questions})"
    )


def _row(score: Json) -> tuple[str, ...]:
    interval = "" if score["ci_low"] is None else f"{score['ci_low']:+.4f} to {score['ci_high']:+.4f}"
    return (
        score["name"],
        _number(score["mean_first"]),
        _number(score["mean_second"]),
        "no data" if score["difference"] is None else f"{score['difference']:+.4f}",
        interval,
        f"{score['wins']:,}",
        f"{score['losses']:,}",
        f"{score['ties']:,}",
    )


def _number(value: float | None) -> str:
    return "no data" if value is None else f"{value:.4f}"


def _cut(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= QUESTION_CHARACTERS else shown[: QUESTION_CHARACTERS - 1] + "…"
