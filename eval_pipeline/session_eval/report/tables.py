"""The tables and plots of a session report."""

from markupsafe import Markup

from eval_pipeline.core.cost import StageCost, as_number, exact_usd
from eval_pipeline.core.counting import counted
from eval_pipeline.reporting.amounts import UNKNOWN_PRICE_NOTE, count, number, percent, usd
from eval_pipeline.reporting.markup import inline
from eval_pipeline.reporting.plot import Interval, draw_interval
from eval_pipeline.reporting.table import NONE, NOTHING, Cell, Column, Table, said
from eval_pipeline.reporting.timeline import NARROW, WIDE, Point, draw_timeline
from eval_pipeline.session_eval.report import words
from eval_pipeline.session_eval.report.data import AxisMean, ExpertFigures, Group, Mean, SessionReportData, Week
from eval_pipeline.session_eval.report.trust import OUTCOMES, Agreement, Area, Measure

HIGHEST = 100.0
NARROW_WEEKS = 6
"""Of the line on a telephone."""
SHOWN_WEEKS = 12
"""Of the table; the line has all of them."""


def quality_plot(mean: Mean, *, title: str, width: int = 420) -> Markup:
    """Draw a mean with its range on the scale of marks; nothing where there is none."""
    if mean.value is None:
        return Markup()
    ends = None if mean.low is None or mean.high is None else (mean.low, mean.high)
    told = f"{title}: {words.mark(mean.value)} of 100" + (f", {words.ends(mean)}" if ends else "")
    return draw_interval(Interval(title=told, low=0, high=HIGHEST, mean=mean.value, interval=ends), width=width)


def axes_table(data: SessionReportData) -> Table:
    """Tabulate every axis of quality: its mean, how sure it is, and what its marks mean."""
    rated = [one for one in data.axes if not one.axis.covariate and one.applies]
    return Table(
        caption="Average marks of 100, with the range in which they would lie with other such sessions (95%)",
        columns=[
            Column("What was rated"),
            Column("Average", numeric=True),
            Column("Range, drawn", numeric=True),
            Column("Sessions", numeric=True),
            Column("Nearest description"),
        ],
        rows=[_axis_row(one) for one in rated],
    )


def _axis_row(one: AxisMean) -> list[Cell]:
    called, mean = words.axis_words(one.axis), one.mean
    plot = quality_plot(mean, title=called.title, width=150)
    without = words.nulls_words(mean.nulls)
    return [
        Cell(called.title, html=_with_note(called.title, called.question)),
        _mean_cell(mean),
        Cell("", html=plot) if plot else NOTHING,
        Cell(count(mean.sessions), html=_with_note(count(mean.sessions), without) if without else None),
        said(f"{words.nearest_anchor(one.axis, mean.value)[1]}") if mean.value is not None else NOTHING,
    ]


def _with_note(text: str, note: str) -> Markup:
    return Markup("<span>{}<small>{}</small></span>").format(text, note)


def _mean_cell(mean: Mean) -> Cell:
    if mean.value is None:
        return NOTHING
    shown, ends = words.mark(mean.value), words.ends(mean)
    html = _with_note(shown, ends) if ends else None
    return Cell(f"{shown} ({ends})" if ends else shown, html=html, exact=repr(mean.value))


def groups_table(groups: tuple[Group, ...], *, heading: str, caption: str, own_words: bool) -> Table:
    """Tabulate some groups of sessions.

    Args:
        groups: a row each.
        heading: of what they are named by.
        caption: of the table.
        own_words: whether they are named by us, and not by those whose sessions they are.
    """
    return Table(
        caption=caption,
        columns=[
            Column(heading),
            Column("Sessions", numeric=True),
            Column("Average of all marks", numeric=True),
            Column("Goal reached", numeric=True),
            Column("Range, drawn", numeric=True),
        ],
        rows=[
            [
                Cell(words.BUCKETS.get(group.label, group.label)) if own_words else _named(group.label),
                Cell(count(group.sessions)),
                _mean_cell(group.quality),
                _mean_cell(group.goal),
                Cell("", html=plot) if (plot := quality_plot(group.quality, title=group.label, width=150)) else NOTHING,
            ]
            for group in groups
        ],
    )


def _named(label: str) -> Cell:
    return said(label) if label else Cell("(no profile)")


def weeks_plot(weeks: tuple[Week, ...], *, zone: str, width: int = WIDE) -> Markup:
    """Draw the average of all marks week by week; on a narrow drawing the last weeks."""
    weeks = weeks[-NARROW_WEEKS:] if width == NARROW else weeks
    points = [
        Point(week.monday, week.quality.value, week.quality.low, week.quality.high, behind=week.quality.sessions)
        for week in weeks
    ]
    known = [f"{point.begins:%-d %B %Y}: {words.mark(point.mean)}" for point in points if point.mean is not None]
    return draw_timeline(
        points,
        high=HIGHEST,
        title="Average of all marks, week by week",
        description="; ".join(known),
        behind=f"sessions with a mark. Time zone: {zone}",
        width=width,
    )


def weeks_table(weeks: tuple[Week, ...]) -> Table:
    """Tabulate the last weeks, the last one first."""
    return Table(
        caption="Whole weeks, by the last activity of a session; every session counts once",
        columns=[
            Column("Week from Monday"),
            Column("Sessions", numeric=True),
            Column("Average of all marks", numeric=True),
            Column("Goal reached", numeric=True),
            Column("Thumbs up", numeric=True),
            Column("Thumbs down", numeric=True),
        ],
        rows=[
            [
                Cell(f"{week.monday:%-d %B %Y}"),
                Cell(count(week.sessions)),
                _mean_cell(week.quality),
                _mean_cell(week.goal),
                Cell(count(week.likes)),
                Cell(count(week.dislikes)),
            ]
            for week in list(reversed(weeks))[:SHOWN_WEEKS]
        ],
    )


def agreement_table(data: SessionReportData) -> Table | None:
    """Tabulate how judges agree with each other and with people; None where nobody could."""
    if not data.agreement:
        return None
    told = [one for one in data.agreement if one.alpha.items or one.rated_by_people]
    disputed = {one.axis.name: one.disputed for one in data.axes}
    beside_people = any(one.rated_by_people for one in told)
    people = ("Judges with people", "People with each other", "Sessions rated by people")
    return Table(
        caption="1 is full agreement, 0 what chance alone would give."
        + (" A judge above people with each other is not better than people" if beside_people else ""),
        columns=[
            Column("What was rated"),
            Column("Judges with each other", numeric=True),
            Column("Sessions in dispute", numeric=True),
            *(Column(label, numeric=True) for label in people if beside_people),
        ],
        rows=[
            [*_among_judges(one, disputed.get(one.axis, 0)), *(_beside_people(one) if beside_people else ())]
            for one in told
        ],
    )


def _among_judges(one: Agreement, disputed: int) -> list[Cell]:
    return [
        Cell(words.axis_words(one.axis).title),
        _measure_cell(one.alpha, words.agree_words(one.alpha)),
        Cell(count(disputed)),
    ]


def _beside_people(one: Agreement) -> list[Cell]:
    against = words.panel_against_people(one)
    return [
        NOTHING if against is None else _measure_cell(against[0], ""),
        NOTHING if one.people_kappa is None else Cell(number(one.people_kappa)),
        Cell(count(one.rated_by_people)) if one.rated_by_people else NOTHING,
    ]


def _measure_cell(measure: Measure, note: str) -> Cell:
    shown = words.measure_words(measure)
    if measure.value is None:
        return Cell(NONE, html=_with_note(NONE, note)) if note else NOTHING
    return Cell(f"{shown} {note}", html=_with_note(shown, note) if note else None, exact=repr(measure.value))


def areas_tables(data: SessionReportData) -> list[Table]:
    """Tabulate how well judges, and figures that know nothing of quality, tell good sessions from bad ones."""
    return [
        Table(
            caption=f"How often in 100 the better mark goes to the session that "
            f"{'is known to have worked' if one.by == OUTCOMES else 'users liked'}, of two that differ in that "
            f"({count(one.good)} and {counted(one.bad, 'session')}); 50 is a tossed coin",
            columns=[Column("Going by"), Column("Right in 100", numeric=True), Column("Range, drawn", numeric=True)],
            rows=[_area_row(area, data) for area in _ordered((*one.judges, *one.baselines))],
        )
        for one in data.predicted
        if one.judges and words.is_enough(one)
    ]


def _ordered(areas: tuple[Area, ...]) -> list[Area]:
    return sorted(areas, key=lambda area: (area.name != "panel", -(area.area.value or 0.0)))


def _area_row(area: Area, data: SessionReportData) -> list[Cell]:
    name, measure = words.area_name(area, data), area.area
    plot = Markup()
    if measure.value is not None:
        ends = None if measure.low is None or measure.high is None else (measure.low, measure.high)
        told = f"{name}: {words.about(measure)} of 100"
        plot = draw_interval(Interval(title=told, low=0, high=1, mean=measure.value, interval=ends), width=150)
    return [
        said(name),
        Cell(words.about(measure), exact=None if measure.value is None else repr(measure.value)),
        Cell("", html=plot) if plot else NOTHING,
    ]


def experts_table(data: SessionReportData) -> Table:
    """Tabulate what every judge did."""
    biases = {one.expert.id: _bias(one.expert.id, data) for one in data.experts}
    beside_people = any(bias is not None for bias in biases.values())
    return Table(
        caption="Every judge by itself",
        columns=[
            Column("Judge"),
            Column("Model"),
            Column("Judged", numeric=True),
            Column("No usable answer", numeric=True),
            Column("Quotes that are there", numeric=True),
            Column("Planted orders"),
            *([Column("Kinder than people by", numeric=True)] if beside_people else []),
        ],
        rows=[
            [*_expert_row(one), *([_signed(biases[one.expert.id])] if beside_people else [])] for one in data.experts
        ],
    )


def _signed(value: float | None) -> Cell:
    return NOTHING if value is None else Cell(f"{value:+.0f}")


def _expert_row(one: ExpertFigures) -> list[Cell]:
    share = one.verified_share
    others = [model for model in one.models if model != one.expert.model.rpartition("/")[2]]
    return [
        said(one.expert.id),
        Cell(one.expert.model, html=_model(one.expert.model, others), trusted=False),
        Cell(count(one.cells)),
        Cell(count(one.failed), html=_with_note(count(one.failed), _failures(one)) if one.failed else None),
        NOTHING if share is None else Cell(percent(share)),
        Cell(words.canary_words(one)),
    ]


def _model(model: str, others: list[str]) -> Markup:
    answered = Markup("<small>answered as {}</small>").format(inline(", ".join(others))) if others else Markup()
    return Markup("<span>{}{}</span>").format(inline(model), answered)


def _failures(one: ExpertFigures) -> str:
    kinds = {"unreadable": one.unreadable, "without proof": one.unproven, "refused": one.refused}
    others = one.failed - sum(kinds.values())
    told = [f"{count(amount)} {kind}" for kind, amount in {**kinds, "not answered": others}.items() if amount]
    return ", ".join(told)


def _bias(expert_id: str, data: SessionReportData) -> float | None:
    """Return by how much an expert is kinder than people, over the axes that both rated."""
    known = [
        one.bias
        for axis in data.agreement
        for one in axis.against_people
        if one.judge == expert_id and one.bias is not None
    ]
    return sum(known) / len(known) if known else None


def cost_table(data: SessionReportData) -> Table:
    """Tabulate tokens and dollars by judge."""
    labels = ("Input tokens", "of these cached", "Output tokens", "Cost")
    return Table(
        caption="What the run consumed, with the tokens of retried requests",
        columns=[Column("Judge"), Column("Model"), *(Column(label, numeric=True) for label in labels)],
        rows=[
            *(_cost_row(name, part) for name, part in data.cost.parts.items()),
            [Cell("Total"), *[Cell("")] * 4, _dollars(data.cost.cost_usd)],
        ],
        last_is_total=True,
    )


def _cost_row(name: str, cost: StageCost) -> list[Cell]:
    used = cost.usage
    return [
        said(name),
        said(cost.model) if cost.model is not None else NOTHING,
        *(Cell(count(tokens)) for tokens in (used.input, used.cached_input, used.output)),
        _dollars(cost.cost_usd),
    ]


def _dollars(amount: object) -> Cell:
    known = as_number(amount)  # type: ignore[arg-type]
    return Cell(usd(known), exact=None if known is None else str(exact_usd(known)))


def cost_notes(data: SessionReportData) -> list[str]:
    """Say what a reader of the costs must know."""
    notes = [f"{name}, rate: {cost.rate}." for name, cost in data.cost.parts.items() if cost.rate]
    if data.cost.cost_usd is None:
        notes.append(UNKNOWN_PRICE_NOTE)
    if data.taken:
        notes.append(f"{counted(data.taken, 'judgement')} had been paid for by earlier runs, and cost nothing again.")
    return notes
