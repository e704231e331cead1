"""Short Markdown for asset metadata, in which untrusted words cannot become markup, links or HTML.

Untrusted words go into code spans: backslashes do not keep a renderer from turning addresses into links afterwards.
"""

import re

from eval_pipeline.reporting.plot import svg_data_uri
from eval_pipeline.reporting.table import Cell, Column, Table
from eval_pipeline.reporting.text import one_line

_CODE_SPAN_CHARACTERS = 200
_BACKTICKS = re.compile("`+")


def code_span(text: str, *, limit: int = _CODE_SPAN_CHARACTERS) -> str:
    r"""Quote somebody else's words on one line, also inside a table.

    >>> code_span("a `b` | c")
    '`` a `b` \\| c ``'
    """
    shown = one_line(text, limit=limit).replace("|", "\\|") or " "
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    padding = " " if "`" in shown else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def table_markdown(table: Table) -> str:
    """Draw the table as GitHub-flavoured Markdown."""
    lines = [
        _line([column.label for column in table.columns]),
        _line([_rule(column) for column in table.columns]),
        *(_line([_content(cell) for cell in row]) for row in table.rows),
    ]
    return "\n".join(lines)


def image_markdown(svg: str, *, alternative: str) -> str:
    """Embed a plot; ``alternative`` is our own words and stands where images are not shown."""
    return f"![{alternative}]({svg_data_uri(svg)})"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(column: Column) -> str:
    return "---:" if column.numeric else "---"


def _content(cell: Cell) -> str:
    return cell.text if cell.trusted else code_span(cell.text)
