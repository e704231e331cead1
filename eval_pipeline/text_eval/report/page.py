"""The report of a text run: a page for people who know the subject, and a short Markdown for the asset's metadata."""

import json
from decimal import Decimal
from functools import partial

from markupsafe import Markup

from eval_pipeline.core.cost import StageCost, as_number, exact_usd
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.core.passages import retrieval_words
from eval_pipeline.core.recorded import recorded_words
from eval_pipeline.reporting.amounts import UNKNOWN_PRICE_NOTE, count, number, usd
from eval_pipeline.reporting.markdown import code_span, image_markdown, table_markdown
from eval_pipeline.reporting.page import render_page
from eval_pipeline.reporting.provenance import provenance_table
from eval_pipeline.reporting.table import NONE, NOTHING, Cell, Column, Table, said
from eval_pipeline.text_eval.report import plots as report_plots
from eval_pipeline.text_eval.report import words as report_words
from eval_pipeline.text_eval.report.data import FailureGroup, ItemScore, ReportData
from eval_pipeline.text_eval.scoring.summary import (
    BOOLEAN,
    CategorySummary,
    RunSummary,
    ScoreSummary,
    largest_categories,
)

SHOWN_ROWS = 10
"""Worst rows that are open at first; the others are one click away, and in print all are there."""
SHOWN_CATEGORIES = 100
_SHOWN_UNSTEADY = 3
TIMES = "\u00d7"
_MARKDOWN_FAILURES = 5
_SAID_IN_FACTS = frozenset({"model", "instructions"})


def render_html(data: ReportData) -> str:
    """Return one self-contained HTML file, without scripts and without a single request."""
    return render_page(
        "text_eval/report/page.html",
        title=f"{data.run.key.partition} · text evaluation",
        data=data,
        run=data.run,
        spec=data.run.spec,
        body=data.run.spec.get("model_body") or {},
        settings=_settings(data.run.spec),
        headline=data.headline,
        scores=data.summary.scores if data.summary is not None else (),
        shown_rows=SHOWN_ROWS,
        shown_unsteady=_SHOWN_UNSTEADY,
        scorers=_scorers(data.run.spec),
        categories=category_table(data),
        costs=cost_table(data),
        rates=_notes_on_rates(data),
        provenance=provenance_table(
            data.run, data.stages, written_at=data.written_at, settings=_recorded_facts(data.run.spec)
        ),
        words=report_words,
        plots=report_plots,
        reading=reading,
        retrieval_words=retrieval_words,
        recorded=data.run.spec.get("recorded"),
        recorded_words=recorded_words,
        scorer_json=partial(json.dumps, ensure_ascii=False),
    )


def render_markdown(data: ReportData) -> str:
    """Return the run in a few lines of Markdown: headline, scores, failures, cost."""
    headline = data.headline
    parts = [f"**{banner.title}.** {banner.text}" for banner in report_words.banners(data)]
    if headline is not None:
        parts.append(_markdown_headline(data, headline))
        parts.append(table_markdown(score_table(data)))
    else:
        parts.append("Nothing was scored.")
    if data.failures:
        parts.append(
            "**Failures**\n\n" + "\n".join(_failure_line(group) for group in data.failures[:_MARKDOWN_FAILURES])
        )
    if len(data.failures) > _MARKDOWN_FAILURES:
        parts.append(f"… and {counted(len(data.failures) - _MARKDOWN_FAILURES, 'more kind')}, in the report.")
    parts.append(table_markdown(cost_table(data)))
    return "\n\n".join(parts) + "\n"


def _markdown_headline(data: ReportData, headline: ScoreSummary) -> str:
    if data.tells_right_answers:
        return f"**{code_span(headline.name)}: {report_words.figure(headline)}.** {report_words.sentence(headline)}"
    return f"**{report_words.NOT_MEASURED}.** {code_span(headline.name)}: {report_words.sentence(headline)}"


def plot_markdown(score: ScoreSummary) -> str:
    """Return the spread of one score as an image inside Markdown."""
    return image_markdown(report_plots.histogram_svg(score), alternative="How the scores are spread")


def scores_markdown(summary: RunSummary) -> str:
    """Return every score with its interval as a Markdown table."""
    return table_markdown(_score_table(summary))


def score_table(data: ReportData) -> Table:
    """Tabulate every score of the run."""
    return _score_table(data.summary)


def _score_table(summary: RunSummary | None) -> Table:
    labels = ("Mean", "95% interval", "Std. deviation", "Scored")
    return Table(
        caption="All scores of the run",
        columns=[Column("Score"), *(Column(label, numeric=True) for label in labels)],
        rows=[_score_row(score) for score in (summary.scores if summary is not None else ())],
    )


def _score_row(score: ScoreSummary) -> list[Cell]:
    return [
        said(score.name),
        _mean_cell(score),
        Cell(report_words.interval(score) or NONE),
        NOTHING if score.std is None else Cell(number(score.std), exact=repr(score.std)),
        Cell(f"{count(score.total_pairs)} of {count(score.total)}"),
    ]


def _mean_cell(score: ScoreSummary) -> Cell:
    return NOTHING if score.mean is None else Cell(report_words.figure(score), exact=repr(score.mean))


def category_table(data: ReportData) -> Table | None:
    """Tabulate the scores of each category, or None when the dataset has none."""
    if data.summary is None or not data.summary.categories:
        return None
    columns = [Column("Category"), Column("Items", numeric=True), Column("Failed", numeric=True)]
    columns += [Column(report_words.score_label(score.name), numeric=True) for score in data.summary.scores]
    shown = largest_categories(data.summary.categories, limit=SHOWN_CATEGORIES)
    left_out = len(data.summary.categories) - len(shown)
    more = f" The {len(shown):,} largest; and {left_out:,} more, whose items the export has." if left_out else ""
    return Table(
        caption=f"Averages with their 95% intervals; few items make a wide one, and such an average says little.{more}",
        columns=[*columns, Column(_drawn_column(data.headline), numeric=True)],
        rows=[_category_row(category, lead=data.headline) for category in shown],
    )


def _category_row(category: CategorySummary, *, lead: ScoreSummary | None) -> list[Cell]:
    cells = [
        said(category.category) if category.category is not None else Cell("(no category)"),
        Cell(count(category.items)),
        Cell(count(category.failed)),
    ]
    cells += [_mean_with_interval(score) for score in category.scores]
    drawn = [score for score in category.scores if lead is not None and score.name == lead.name]
    plot = report_plots.interval_svg(drawn[0]) if drawn else Markup()
    return [*cells, Cell("", html=plot) if plot else NOTHING]


def _drawn_column(score: ScoreSummary | None) -> str:
    return "" if score is None else f"{report_words.score_label(score.name)}, drawn"


def _mean_with_interval(score: ScoreSummary) -> Cell:
    ends = report_words.interval(score)
    if score.mean is None or ends is None:
        return _mean_cell(score)
    shown = report_words.figure(score)
    html = Markup("<span>{}<small>{}</small></span>").format(shown, ends)
    return Cell(f"{shown} ({ends})", html=html, exact=repr(score.mean))


def cost_table(data: ReportData) -> Table:
    """Tabulate tokens and dollars by stage; what nobody told or published stays unknown."""
    tokens = ("Input tokens", "of these cached", "Output tokens", "of these reasoning", "Cost")
    return Table(
        caption="What the run consumed, with the tokens of retried requests",
        columns=[Column("For"), Column("Model"), *(Column(label, numeric=True) for label in tokens)],
        rows=[*(_cost_row(stage, cost) for stage, cost in data.cost.parts.items()), _total_row(data)],
        last_is_total=True,
    )


def _cost_row(stage: str, cost: StageCost) -> list[Cell]:
    used = cost.usage
    return [
        Cell(report_words.stage_words(stage)) if stage in {"response", "embedding", "judge"} else said(stage),
        said(cost.model) if cost.model is not None else NOTHING,
        *(Cell(count(tokens)) for tokens in (used.input, used.cached_input, used.output, used.reasoning)),
        _dollars(cost.cost_usd),
    ]


def _total_row(data: ReportData) -> list[Cell]:
    return [Cell("Total"), *[Cell("")] * 5, _dollars(data.cost.cost_usd)]


def _dollars(amount: Decimal | None) -> Cell:
    number = as_number(amount)
    return Cell(usd(number), exact=None if number is None else str(exact_usd(number)))


def _notes_on_rates(data: ReportData) -> list[str]:
    rates = {stage: cost.rate for stage, cost in data.cost.parts.items()}
    notes = [f"{report_words.stage_words(stage)}, rate: {rate}." for stage, rate in rates.items() if rate]
    if data.cost.cost_usd is None:
        notes.append(UNKNOWN_PRICE_NOTE)
    return notes


def reading(score: ItemScore) -> str:
    """Write one item's score: a number, yes or no, or that there is none."""
    if score.value is None:
        return "not scored"
    if score.data_type == BOOLEAN:
        return "✓ correct" if score.value else "✗ not correct"
    return number(score.value)


def _settings(spec: Json) -> str:
    """Return what else the model was told, as JSON; empty when nothing."""
    body = spec.get("model_body") or {}
    others = {name: value for name, value in body.items() if name not in _SAID_IN_FACTS}
    return json.dumps(others, ensure_ascii=False, indent=2) if others else ""


def _recorded_facts(spec: Json) -> list[tuple[str, str]]:
    """Name the file of recorded answers, where there is one."""
    recorded = spec.get("recorded") or {}
    return [("Recorded answers (sha256)", f"{recorded['sha256']} {recorded['name']}")] if "sha256" in recorded else []


def _scorers(spec: Json) -> dict[str, Json]:
    """Return score name to the configuration of its scorer; a label renames the score, not the scorer."""
    return {scorer.get("label") or scorer["name"]: scorer for scorer in spec.get("scorers") or ()}


def _failure_line(group: FailureGroup) -> str:
    kind = f" {code_span(group.code)}" if group.code else ""
    message = next((example.message for example in group.examples if example.message), None)
    return f"- {count(group.count)} {TIMES} {report_words.status_words(group.status)}{kind}" + (
        f": {code_span(message)}" if message else ""
    )
