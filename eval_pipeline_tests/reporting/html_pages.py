"""Reads pages of reports, and fails where one is not what it should be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "rect", "line", "circle"}
ALLOWED = frozenset(
    """
    html head meta link title style body main header section article footer nav details summary
    h1 h2 h3 h4 p a b br small span strong time bdi code div dl dt dd ul li figure
    table caption thead tbody tr th td svg desc text rect line circle
    ol del ins audio form label select option input button output script
    """.split()  # noqa: SIM905 - fifty quotes would hide the list
)


@dataclass
class Page(HTMLParser):
    """A strict reader: every element is closed where it was opened, and none is unexpected."""

    text: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def read(html: str) -> Page:
    """Read a page, strictly."""
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def told(html: str) -> str:
    """Return the words of a page, spaces folded."""
    return re.sub(r"\s+", " ", "".join(read(html).text))
