"""The frame of every report: one HTML file that asks nobody for anything, filled by a flow's own template.

A flow's template stands beside its modules and begins with ``{% extends "reporting/page.html" %}``. Whatever a template
places is escaped, unless this room made it.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from eval_pipeline.reporting import amounts, markup, table, text

if TYPE_CHECKING:
    from jinja2 import Environment

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def render_page(template: str, **values: Any) -> str:  # noqa: ANN401 - what a template is given is its own affair
    """Fill ``template``, a path inside the package such as ``text_eval/report.html``."""
    return _environment().get_template(template).render(policy=CONTENT_SECURITY_POLICY, **values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only reports need it, 0.1 s

    environment = Environment(
        loader=PackageLoader("eval_pipeline", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": text.visible,
        "inline": markup.inline,
        "prose": markup.prose,
        "count": amounts.count,
        "number": amounts.number,
        "percent": amounts.percent,
        "usd": amounts.usd,
        "table": table.table_html,
    }
    return environment
