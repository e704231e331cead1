"""The tables and the plot of a speech run's report, shown on the page and as Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from markupsafe import Markup

from eval_pipeline.core.cost import as_number
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.reporting import provenance
from eval_pipeline.reporting.amounts import UNKNOWN_PRICE_NOTE, count, number, usd
from eval_pipeline.reporting.plot import Estimate, draw_estimates
from eval_pipeline.reporting.table import NONE, NOTHING, Cell, Column, Table, said
from eval_pipeline.stt_eval.figures.slices import UNKNOWN
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.report.words import (
    METRIC_NAMES,
    flag_words,
    interval,
    interval_words,
    language_words,
    rate,
    share,
    slice_metric,
    slice_words,
    status_words,
)
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE
from eval_pipeline.stt_eval.transcript_rows import HEARD

_SIDE_BY_SIDE: Final = 4
"""Models beside each other in one table: more do not fit on paper."""
_WIDEST_SCALE: Final = 1.0
_PAST_THE_RATE: Final = 1.5
"""Two clips can have an interval of up to 40 times the rate."""
_OURS: Final = frozenset({"language", "duration"})
Figures = Json


def rates_plot(data: SpeechReportData) -> Markup:
    """Draw the headline rate of every model with its interval; nothing where there is none."""
    shown = [(model, rate(model, data.metric)) for model in data.models]
    estimates = [
        Estimate(
            label=model["model"],
            value=found["value"],
            interval=None if found["low"] is None else (found["low"], found["high"]),
            note=_plot_note(found),
        )
        for model, found in shown
        if found["value"] is not None
    ]
    if not estimates:
        return Markup()
    ends = [end for one in estimates for end in (one.value, *(one.interval or ()))]
    widest = max(_WIDEST_SCALE, *(_PAST_THE_RATE * one.value for one in estimates))
    name = METRIC_NAMES[data.metric]
    return draw_estimates(
        [_inside(one, high=widest) for one in estimates],
        high=min(widest, max(*ends, 0.01)),
        x_label=f"{name.capitalize()}: further left is better. Dot: result, bar: 95% interval",
        title=f"{name.capitalize()} of every model",
        description="; ".join(f"{one.label}: {one.note}" for one in estimates),
    )


def _inside(estimate: Estimate, *, high: float) -> Estimate:
    """Cut a bar off where it would make all others too small to see; its note has the number."""
    if estimate.interval is None:
        return estimate
    return replace(estimate, interval=(estimate.interval[0], min(estimate.interval[1], high)))


def _plot_note(found: Figures) -> str:
    ends = interval(found)
    return f"{share(found['value'])} ({ends})" if ends else share(found["value"])


def accuracy_table(data: SpeechReportData) -> Table:
    """Tabulate how well every model heard: both rates, and with failures as if nothing was heard."""
    metric, other = data.metric, "WER" if data.metric == "CER" else "CER"
    labels = [metric, "95% interval", other, f"{metric}, failures count as all missed", "Answered"]
    labels += ["Word for word right", "Median WER of a sample"]
    return Table(
        caption="Errors per 100 spoken words or characters, over all samples together. Lower is better.",
        columns=[Column("Model"), *(Column(label, numeric=True) for label in labels)],
        rows=[_accuracy_row(model, metric=metric, other=other) for model in data.models],
    )


def _accuracy_row(model: Figures, *, metric: str, other: str) -> list[Cell]:
    found = rate(model, metric)
    with_failures = model[f"{metric.lower()}_with_failures"]
    return [
        said(model["model"]),
        _rate_cell(found),
        Cell(interval_words(model, metric=metric) or NONE),
        _rate_cell(rate(model, other)),
        _rate_cell(with_failures),
        Cell(f"{count(model['answered'])} of {count(model['labelled'])}", exact=_exact(model["coverage"])),
        _share_cell(model["exact_match_share"]),
        _share_cell(model["wer_median"]),
    ]


def levels_table(data: SpeechReportData) -> Table:
    """Tabulate the headline metric at the three levels."""
    return Table(
        caption=f"{data.metric} by how strictly texts are compared; “Method” below says what each level ignores.",
        columns=[Column("Model"), *(Column(_level_label(level), numeric=True) for level in Level)],
        rows=[
            [said(model["model"]), *(_with_interval(_rate_at(model, level, data.metric)) for level in Level)]
            for model in data.models
        ],
    )


def _rate_at(model: Figures, level: Level, metric: str) -> Figures:
    """Return a rate at a level; at that of the headline the headline itself, for it has an interval already."""
    return rate(model if level is HEADLINE else model["levels"][level], metric)


def _level_label(level: Level) -> str:
    return f"{level} (headline)" if level is HEADLINE else str(level)


def kinds_table(data: SpeechReportData) -> Table:
    """Tabulate what kinds of errors every model made, and what is odd about its transcripts."""
    flags = sorted({flag for model in data.models for flag in model["flags"]})
    labels = ["Right", "Replaced", "Missed", "Added", "Words added to silence", "No transcript"]
    labels += [flag_words(flag).capitalize() for flag in flags]
    unit = "Characters" if _by_characters(data) else "Words"
    return Table(
        caption=f"{unit} by what became of them, and transcripts that look odd. Odd ones are counted as they are.",
        columns=[Column("Model"), *(Column(label, numeric=True) for label in labels)],
        rows=[_kinds_row(model, flags, prefix="character_" if _by_characters(data) else "") for model in data.models],
    )


def _by_characters(data: SpeechReportData) -> bool:
    """Tell whether characters are counted; figures of earlier versions have them of no kind."""
    return data.metric == "CER" and all("character_hits" in model for model in data.models)


def _kinds_row(model: Figures, flags: Sequence[str], *, prefix: str) -> list[Cell]:
    kinds = ("hits", "substitutions", "deletions", "insertions")
    names = (*(f"{prefix}{kind}" for kind in kinds), "insertions_on_silence")
    failed = sum(amount for outcome, amount in model["outcomes"].items() if outcome not in HEARD)
    amounts = [*(model[name] for name in names), failed, *(model["flags"].get(flag, 0) for flag in flags)]
    return [said(model["model"]), *(Cell(count(amount)) for amount in amounts)]


def cost_table(data: SpeechReportData) -> Table:
    """Tabulate speed and money; what nobody told or published stays unknown."""
    labels = ("Half answered within", "95% answered within", "Cost", "Cost per hour of audio")
    total = as_number(data.cost.cost_usd)
    return Table(
        caption="Speed and money, retries included",
        columns=[Column("Model"), *(Column(label, numeric=True) for label in labels)],
        rows=[
            *(_cost_row(model) for model in data.models),
            [
                Cell("All models"),
                Cell(""),
                Cell(""),
                Cell(usd(total), exact=None if total is None else str(total)),
                Cell(""),
            ],
        ],
        last_is_total=True,
    )


def _cost_row(model: Figures) -> list[Cell]:
    latency = model["latency_s"] or {}
    per_hour = model["cost_usd_per_audio_hour"]
    return [
        said(model["model"]),
        *(_seconds(latency.get(name)) for name in ("p50", "p95")),
        Cell(usd(model["cost_usd"]), exact=_exact(model["cost_usd"])),
        Cell(usd(per_hour), exact=_exact(per_hour)) if per_hour is not None or model["cost_usd"] is None else NOTHING,
    ]


def cost_notes(data: SpeechReportData) -> list[str]:
    """Say what the cost table leaves open."""
    notes = []
    if data.cost.cost_usd is None or any(model["cost_usd"] is None for model in data.models):
        notes.append(UNKNOWN_PRICE_NOTE)
    if any(model["latency_s"] is None for model in data.models):
        notes.append(f"“{NONE}”: batch jobs answer all at once, so that a single clip has no time of its own.")
    if missing := data.figures["samples"]["without_duration"]:
        notes.append(f"The length of {counted(missing, 'clip')} is not known, and no part of the cost per hour.")
    return notes


def slice_tables(data: SpeechReportData) -> Iterator[Table]:
    """Tabulate the groups of samples, one table a grouping and four models."""
    for column, rows in groupby(data.figures["slices"], key=lambda one: one["column"]):
        by_value = [(value, list(ours)) for value, ours in groupby(rows, key=lambda one: one["value"])]
        for start in range(0, len(data.models), _SIDE_BY_SIDE):
            yield _slice_table(column, by_value, models=slice(start, start + _SIDE_BY_SIDE), metric=data.metric)


def _slice_table(
    column: str, by_value: Sequence[tuple[str, Sequence[Figures]]], *, models: slice, metric: str
) -> Table:
    shown = [one["model"] for one in by_value[0][1][models]]
    measured = list(dict.fromkeys(slice_metric(ours[0], metric) for _, ours in by_value))
    return Table(
        caption=f"{' or '.join(measured)} by {column}, each with its 95% interval",
        columns=[
            Column(column.capitalize() if column in _OURS else column),
            Column("Samples", numeric=True),
            *(Column(model, numeric=True) for model in shown),
        ],
        rows=[
            [
                _slice_cell(column, value),
                Cell(count(ours[0]["samples"])),
                *(_slice_rate(one, metric, named=len(measured) > 1) for one in ours[models]),
            ]
            for value, ours in by_value
        ],
    )


def _slice_cell(column: str, value: str) -> Cell:
    return Cell(value) if value == UNKNOWN and column != "language" else said(slice_words(column, value))


def _slice_rate(one: Figures, metric: str, *, named: bool) -> Cell:
    measured = slice_metric(one, metric)
    answered = None if one["answered"] == one["samples"] else f"{count(one['answered'])} answered"
    return _with_interval(rate(one, measured), name=f" {measured}" if named else "", aside=answered)


def failure_words(outcome: str | None) -> str:
    """Say, at the beginning of a line, how items failed."""
    return status_words(outcome).capitalize()


def provenance_table(data: SpeechReportData) -> Table:
    """Tabulate what proves where the numbers come from."""
    settings = [
        ("Normalisers", ", ".join(str(version) for version in data.figures["normalisers"].values())),
        ("Language of samples without one", language_words(data.spec.language)),
    ]
    return provenance.provenance_table(data.run, data.stages, written_at=data.written_at, settings=settings)


def agreement_table(data: SpeechReportData) -> Table | None:
    """Tabulate how far WER says what people say, or None when nobody judged anything that can be asked."""
    agreement = data.agreement
    if agreement is None:
        return None
    found = [("All models", True, agreement.overall), *((name, False, one) for name, one in agreement.models.items())]
    labels = (
        "Called right",
        "Called wrong",
        "Wrong one has the higher WER",
        "Best limit",
        "Agreement at it",
        "Kappa at it",
    )
    return Table(
        caption="What people said against WER. 50% in the third column would be chance, 100% perfect agreement.",
        columns=[Column("Model"), *(Column(label, numeric=True) for label in labels)],
        rows=[
            [
                Cell(name, trusted=ours),
                Cell(count(one.right)),
                Cell(count(one.wrong)),
                _share_cell(one.auc),
                Cell(f"WER up to {share(one.best.at_most)}") if one.best else NOTHING,
                _share_cell(one.best.agreement if one.best else None),
                Cell(number(one.best.kappa)) if one.best else NOTHING,
            ]
            for name, ours, one in found
        ],
    )


def _rate_cell(found: Figures) -> Cell:
    if found["value"] is None:
        return NOTHING
    return Cell(
        share(found["value"]), exact=f"{counted(found['edits'], 'error')} / {found['length']} = {found['value']!r}"
    )


def _with_interval(found: Figures, *, name: str = "", aside: str | None = None) -> Cell:
    """Write a rate with its interval below it, and what is to be said of it, as one piece that is not torn apart."""
    ends, cell = interval(found), _rate_cell(found)
    text = f"{cell.text}{name}"
    below = Markup().join(Markup("<small>{}</small>").format(told) for told in (ends, aside) if told)
    html = Markup("<span>{}{}</span>").format(text, below) if below else Markup("{}").format(text)
    return Cell(f"{text} ({ends})" if ends else text, html=html, exact=cell.exact)


def _share_cell(value: float | None) -> Cell:
    return NOTHING if value is None else Cell(share(value), exact=repr(value))


def _seconds(value: float | None) -> Cell:
    return NOTHING if value is None else Cell(f"{value:.1f} s", exact=repr(value))


def _exact(value: float | None) -> str | None:
    return None if value is None else repr(value)
