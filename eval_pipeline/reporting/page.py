"""The frame of every report: one HTML file that asks nobody for anything, filled by a flow's own template.

A flow's template stands beside its modules and begins with ``{% extends "reporting/page.html" %}``. Whatever a template
places is escaped, unless this room made it.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from eval_pipeline.core import counting
from eval_pipeline.reporting import amounts, markup, table, text

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.environment import TemplateStream

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
_BUFFERED_PIECES = 64
_ZONE = "reporting/zone.js"
"""Writes the time of the reader's zone beside every time."""
_MEDIA = "media-src data: 'self' file:"
"""Sound inside the page, or in files beside it: an opened file is no origin, so that 'self' alone is not its folder."""


def render_page(template: str, *, style: str | None = None, **values: Any) -> str:  # noqa: ANN401 - the template's affair
    """Fill ``template``, a path inside the package such as ``text_eval/report/page.html``.

    Args:
        template: of the page.
        style: a CSS file inside the package, beyond those that every page has.
        values: what the template places.
    """
    page = _environment().get_template(template)
    code = _source(_ZONE)
    policy = f"{CONTENT_SECURITY_POLICY}; script-src '{_script_hash(code)}'"
    own = Markup(_source(style)) if style else ""  # noqa: S704 - our own file
    return page.render(policy=policy, style=own, script=Markup(code), **values)  # noqa: S704 - our own file


def write_page(path: Path, template: str, *, style: str, script: str, **values: Any) -> None:  # noqa: ANN401 - as above
    """Fill ``template`` piece by piece into a file, so that a page is never held as a whole; it may play sound.

    Args:
        path: of the page.
        template: as for ``render_page``; iterators among the values are gone through once.
        style: a CSS file inside the package, beyond those that every page has.
        script: a JavaScript file inside the package, beyond what every page runs; the page will run no other.
        values: what the template places.
    """
    code = f"{_source(_ZONE)}\n{_source(script)}"
    policy = f"{CONTENT_SECURITY_POLICY}; {_MEDIA}; script-src '{_script_hash(code)}'"
    page = _environment().get_template(template)
    pieces = page.stream(policy=policy, style=Markup(_source(style)), script=Markup(code), **values)  # noqa: S704 - our own files
    write_pieces(path, pieces)


def write_pieces(path: Path, pieces: "TemplateStream") -> None:
    """Write a template into a new file as it is filled."""
    pieces.enable_buffering(_BUFFERED_PIECES)
    with path.open("x", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def _script_hash(code: str) -> str:
    return "sha256-" + b64encode(sha256(code.encode()).digest()).decode("ascii")


def _source(name: str) -> str:
    environment = _environment()
    if environment.loader is None:
        raise TypeError("the environment of templates has no loader")
    return environment.loader.get_source(environment, name)[0]


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
        "moment": markup.moment,
        "day": markup.day,
        "prose": markup.prose,
        "count": amounts.count,
        "counted": counting.counted,
        "number": amounts.number,
        "percent": amounts.percent,
        "usd": amounts.usd,
        "table": table.table_html,
    }
    return environment
