"""What every plot is drawn of: elements of SVG, their colours, and the frame that names a drawing to screen readers."""

from collections.abc import Sequence

from markupsafe import Markup

from eval_pipeline.reporting.text import one_line, visible

INK = "#1d2733"
MUTED = "#5a6675"
GRID = "#e3e8ee"
BAR = "#5f8fb4"
BAND = "#f0c987"
BAND_OPACITY = "0.45"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
WIDTH = 380
_LABEL_CHARACTERS = 34


def svg(
    parts: Sequence[Markup],
    *,
    title: str,
    description: str,
    height: int,
    width: int = WIDTH,
    background: bool = True,
) -> Markup:
    """Put the parts of a drawing together; its title and description are read aloud."""
    words = Markup("<title>{}</title>").format(visible(title))
    if description:
        words += Markup("<desc>{}</desc>").format(visible(description))
    if background:  # an image may stand on a dark page
        words += rect(0, 0, width=width, height=height, fill="#ffffff")
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}"'
        ' font-family="{font}" font-size="12">{words}{parts}</svg>'
    ).format(w=width, h=height, font=_FONT, words=words, parts=Markup().join(parts))


def text(x: float, y: float, text: str, *, anchor: str, fill: str = MUTED, limit: int = _LABEL_CHARACTERS) -> Markup:
    """Write a text on one line."""
    return Markup('<text x="{}" y="{}" text-anchor="{}" fill="{}">{}</text>').format(
        at(x), at(y), anchor, fill, one_line(text, limit=limit)
    )


def rect(x: float, y: float, *, width: float, height: float, **attributes: str) -> Markup:
    """Draw a filled rectangle."""
    return tag("rect", x=at(x), y=at(y), width=at(width), height=at(height), **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str) -> Markup:
    """Draw a straight line."""
    return tag("line", x1=at(x1), y1=at(y1), x2=at(x2), y2=at(y2), **attributes)


def tag(tag: str, **attributes: str) -> Markup:
    """Write an element without content."""
    pairs = Markup().join(
        Markup(' {}="{}"').format(name.replace("_", "-"), value) for name, value in attributes.items()
    )
    return Markup("<{}{}/>").format(tag, pairs)


def at(value: float) -> str:
    """Write a coordinate."""
    return f"{value:.1f}"
