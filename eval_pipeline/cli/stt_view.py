"""A speech run for a person at a terminal."""

from collections.abc import Sequence

import click

from eval_pipeline.cli.output import printable, write_table, write_warning
from eval_pipeline.cli.run_words import cost_words, counts_words, write_reasons
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.core.paid_standing import PaidStanding

_BEYOND_REASON = 10.0
"""An upper end above ten errors a word says that nothing is known."""

SHOWN_PAIRS = 20


def write_run(document: Json) -> None:
    """Write the headline, the models beside each other, what the tests say, the cost and where the report is."""
    dataset, standing = document["dataset"], PaidStanding.of(document)
    click.echo(
        f"{document['run']}: {document['state']} ({document['mode']}, {counted(len(document['models']), 'model')})"
    )
    click.echo(
        f"dataset {printable(dataset['name'])} @ {dataset['version'][:12]}, "
        f"{counted(dataset['samples_count'], 'sample')}"
    )
    if (scored := document["references"]) is not None:
        told = f"{printable(scored['dataset'])} @ {scored['version'][:12]}, {scored['changed']:,} of them changed"
        click.echo(f"scored against the references of {told}")
    click.echo(f"transcripts {', '.join(counts_words(standing, ok='completed'))}")
    write_reasons(standing.reasons)
    if document["figures"]:
        _write_models(document)
        _write_pairs(document)
    click.echo(f"cost {cost_words(standing.cost)}")
    if document["report"]:
        click.echo(f"report {document['report']}")
    for result in document.get("results", ()):
        _write_result(result)
    for warning in document["warnings"]:
        write_warning("\n".join(filter(None, [warning["message"], warning.get("hint")])))


def _write_models(document: Json) -> None:
    metric = document["metric"].lower()
    headers = ("MODEL", document["metric"], "95 % INTERVAL", "OTHER", "ANSWERED", "EXACT", "USD PER HOUR")
    write_table(headers, [_model_row(model, metric=metric) for model in document["figures"]])


def _model_row(model: Json, *, metric: str) -> Sequence[object]:
    rate, other = model[metric], "cer" if metric == "wer" else "wer"
    doubtful = (model.get("runaways") or {}).get("interval_is_reliable") is False
    hourly = model["cost_usd_per_audio_hour"]
    return (
        printable(model["model"]),
        _share(rate["value"]),
        _interval(rate) + (", not reliable" if doubtful else ""),
        f"{other.upper()} {_share(model[other]['value'])}",
        f"{model['answered']:,}/{model['labelled']:,}",
        _share(model["exact_match_share"]),
        "unknown" if hourly is None else f"${hourly:.4f}",
    )


def _interval(rate: Json) -> str:
    low, high = rate["low"], rate["high"]
    if low is None:
        return ""
    return f"{low:.1%} to {f'{high:.1%}' if high <= _BEYOND_REASON else f'over {_BEYOND_REASON:.0%}'}"


def _share(value: float | None) -> str:
    return "no data" if value is None else f"{value:.1%}"


def _write_pairs(document: Json) -> None:
    best = document["best"] or {}
    if best and len(document["models"]) > 1:
        click.echo(printable(best["sentence"]))
    for note in best.get("notes", ()):
        click.echo(f"  note: {printable(note)}")
    pairs = document["pairs"]
    for pair in pairs[:SHOWN_PAIRS]:
        click.echo(f"  {printable(pair['sentence'])}")
        if pair.get("with_failures"):
            click.echo(f"    {printable(pair['with_failures']['sentence'])}")
    if len(pairs) > SHOWN_PAIRS:
        click.echo(f"  and {counted(len(pairs) - SHOWN_PAIRS, 'more pair')}; --json and the report have all")


def _write_result(result: Json) -> None:
    click.echo(f"\n{printable(result['sample'])}  {printable(result['model'])}  {result['outcome']}")
    for name, text in (("reference", result["reference"]), ("transcript", result["transcript"])):
        if text is not None:
            click.echo(f"  {name:<11}{printable(text)}")
    if result["error"]:
        click.echo(f"  error      {printable(result['error']['code'])}: {printable(result['error']['message'] or '')}")
    standard = result["scores"]["standard"]
    if standard["unscored_reason"] is None:
        click.echo(f"  WER {_share(standard['wer'])}, CER {_share(standard['cer'])}")
    if result["flags"]:
        click.echo(f"  flags {', '.join(result['flags'])}")
