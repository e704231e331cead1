"""Untrusted text as HTML: escaped, isolated from the direction of its surroundings, folded when long.

``Markup`` is HTML that may stand in a page as it is; whatever is a plain ``str`` is escaped where it is placed.
"""

import re
from datetime import datetime
from functools import partial

from markupsafe import Markup

from eval_pipeline.reporting.text import is_long, preview, script_tag, visible

_UTC = re.compile(r"\b(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC\b")


def inline(text: object) -> Markup:
    """Place a name or a short text inside a sentence or a cell."""
    shown = visible(str(text))
    return Markup("<bdi{}>{}</bdi>").format(_lang(shown), shown)


def moment(at: datetime) -> Markup:
    """Place a time of day in UTC; the page adds the reader's own beside it."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%H:%M %Z}")


def day(at: datetime) -> Markup:
    """Place a date in UTC; the page adds date and time of the reader's own zone beside it."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%-d %B %Y}")


def timed(text: str) -> Markup:
    """Place a short text as ``inline`` does; its times (``2026-11-28 08:30 UTC``) get the reader's own beside them."""
    shown, placed, end = visible(text), Markup(), 0
    for match in _UTC.finditer(shown):
        moment_html = Markup('<time datetime="{}T{}Z">{}</time>').format(match[1], match[2], match[0])
        placed += shown[end : match.start()] + moment_html
        end = match.end()
    return Markup("<bdi{}>{}</bdi>").format(_lang(shown), placed + shown[end:])


def prose(text: str, *, lang: str | None = None, direction: str = "auto") -> Markup:
    """Place a text of any length on its own lines; a long one shows its beginning and opens on demand.

    Args:
        text: somebody else's.
        lang: language tag where it is known; else the script tells what it can.
        direction: ``ltr`` or ``rtl`` where it is known, else ``auto``.
    """
    shown = visible(text)
    if not shown.strip():
        return Markup('<p class="nothing">(empty)</p>')
    block = partial(_block, lang=_lang(shown) if lang is None else lang_attribute(lang), direction=direction)
    whole = block(shown)
    if not is_long(shown):
        return whole
    return Markup(
        '<details class="fold"><summary><span class="preview">{}</span>'
        '<span class="more">Show all {} characters</span><span class="less">Show less</span></summary>{}</details>'
    ).format(block(preview(shown)), f"{len(shown):,}", whole)


def lang_attribute(tag: str | None) -> Markup:
    """Write a ``lang`` attribute, with the space before it; nothing where no language is known."""
    return Markup(' lang="{}"').format(tag) if tag else Markup()


def _block(shown: str, *, lang: Markup, direction: str) -> Markup:
    # a span: a block by its class, but allowed inside <summary>
    return Markup('<span class="prose" dir="{}"{}>{}</span>').format(direction, lang, shown)


def _lang(shown: str) -> Markup:
    return lang_attribute(script_tag(shown))
