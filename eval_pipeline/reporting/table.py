"""A table of a report: built once, shown as HTML on the page and as Markdown in metadata."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval_pipeline.reporting.markup import inline
from eval_pipeline.reporting.text import visible


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and whether it holds numbers. Only on the page may a heading be somebody else's words."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says; ``html`` replaces the text on the page, ``exact`` is shown when the pointer rests on it.

    ``trusted`` marks our own words: all other text is isolated on the page and a code span in Markdown.
    """

    text: str
    html: Markup | None = None
    exact: str | None = None
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows; the first cell of each row is its heading. ``last_is_total`` sets the last row apart."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    last_is_total: bool = False


NONE = "\u2013"
NOTHING = Cell(NONE)
"""Of what is not known, or does not apply."""


def said(text: str) -> Cell:
    """Make a cell of somebody else's words."""
    return Cell(text, trusted=False)


def table_html(table: Table) -> Markup:
    """Draw the table; on a narrow screen each row becomes a block whose cells carry their headings."""
    head = Markup().join(_heading(column) for column in table.columns)
    total_at = len(table.rows) - 1 if table.last_is_total else None
    body = Markup().join(_row(table, index, total=index == total_at) for index in range(len(table.rows)))
    return Markup(
        '<div class="table"><table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(visible(table.caption), head, body)


def _heading(column: Column) -> Markup:
    return Markup('<th scope="col"{}>{}</th>').format(_class(column), visible(column.label))


def _row(table: Table, index: int, *, total: bool) -> Markup:
    first, *others = zip(table.columns, table.rows[index], strict=True)
    heading = Markup('<th scope="row"{}>{}</th>').format(_class(first[0]), _content(first[1]))
    cells = Markup().join(_cell(column, cell) for column, cell in others)
    return Markup("<tr{}>{}{}</tr>").format(Markup(' class="total"') if total else "", heading, cells)


def _cell(column: Column, cell: Cell) -> Markup:
    exact = Markup(' title="{}"').format(cell.exact) if cell.exact is not None else ""
    return Markup('<td data-label="{}"{}{}>{}</td>').format(
        visible(column.label), _class(column), exact, _content(cell)
    )


def _content(cell: Cell) -> Markup | str:
    if cell.html is not None:
        return cell.html
    return cell.text if cell.trusted else inline(cell.text)


def _class(column: Column) -> Markup:
    return Markup(' class="number"') if column.numeric else Markup()
