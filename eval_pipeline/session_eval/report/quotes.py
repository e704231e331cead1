"""Where a judge's quote stands in a text, so that it can be marked there.

Verdicts count a quote as verified after compatibility normalisation and with white space folded. The same text may be
longer or shorter than what is shown, so places are kept letter by letter.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval_pipeline.judging.material import strip_invisible


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in a text."""

    start: int
    end: int


def find_quote(text: str, quote: str) -> Span | None:
    r"""Return where a quote stands first, or None where it cannot be placed.

    >>> find_quote("It is  ①\nbooked.", "is 1 booked")
    Span(start=3, end=15)
    """
    exact = text.find(quote)
    if exact >= 0 and quote.strip():
        return Span(exact, exact + len(quote))
    wanted = "".join(letter for letter, _ in _folded(quote)).strip()
    letters = list(_folded(text))
    place = "".join(letter for letter, _ in letters).find(wanted)
    if place < 0 or not wanted:
        return None
    return Span(letters[place][1], letters[place + len(wanted) - 1][1] + 1)


def _folded(text: str) -> Iterator[tuple[str, int]]:
    """Yield the letters of a text as they are compared, each with the place that it comes from."""
    is_blank = False
    for start, end in _clusters(text):
        for letter in unicodedata.normalize("NFKC", strip_invisible(text[start:end]).text):
            if letter.isspace():
                if not is_blank:
                    yield " ", start
            else:
                yield letter, end - 1 if end - start > 1 else start
            is_blank = letter.isspace()


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield letters together with the marks behind them: those become one letter in normal form."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not unicodedata.combining(text[place]):
            yield start, place
            start = place


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that touch as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
