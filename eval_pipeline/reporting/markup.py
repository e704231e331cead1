"""Untrusted text as HTML: escaped, isolated from the direction of its surroundings, folded when long.

``Markup`` is HTML that may stand in a page as it is; whatever is a plain ``str`` is escaped where it is placed.
"""

from markupsafe import Markup

from eval_pipeline.reporting.text import is_long, preview, script_tag, visible


def inline(text: object) -> Markup:
    """Place a name or a short text inside a sentence or a cell."""
    shown = visible(str(text))
    return Markup("<bdi{}>{}</bdi>").format(_lang(shown), shown)


def prose(text: str) -> Markup:
    """Place a text of any length on its own lines; a long one shows its beginning and opens on demand."""
    shown = visible(text)
    if not shown.strip():
        return Markup('<p class="nothing">(empty)</p>')
    whole = _block(shown)
    if not is_long(shown):
        return whole
    return Markup(
        '<details class="fold"><summary><span class="preview">{}</span>'
        '<span class="more">Show all {} characters</span><span class="less">Show less</span></summary>{}</details>'
    ).format(_block(preview(shown)), f"{len(shown):,}", whole)


def _block(shown: str) -> Markup:
    # a span: a block by its class, but allowed inside <summary>
    return Markup('<span class="prose" dir="auto"{}>{}</span>').format(_lang(shown), shown)


def _lang(shown: str) -> Markup:
    tag = script_tag(shown)
    return Markup(' lang="{}"').format(tag) if tag else Markup()
