"""A session's messages as a page shows them: shortened where nobody points, judges' quotes marked where they stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from eval_pipeline.judging.material import Part, Speaker, message_label
from eval_pipeline.reporting.markup import lang_attribute, prose
from eval_pipeline.reporting.text import script_tag, visible
from eval_pipeline.session_eval.report.data import SaidOfMessage, ShownQuote, ShownSession
from eval_pipeline.session_eval.report.quotes import Span, find_quote, merged

HEAD_CHARACTERS: Final = 1_000
"""Of a part, from its beginning; what is around a quote is shown wherever it stands."""
TAIL_CHARACTERS: Final = 300
AROUND_CHARACTERS: Final = 200
FIRST_MESSAGES: Final = 8
LAST_MESSAGES: Final = 10
MOST_MESSAGES: Final = 60
"""Of one session: the first, the last, and those that somebody quotes or liked or disliked."""
_GAP = Markup('<span class="gap">[… {} characters left out …]</span>')
_MARK = Markup('<mark title="{}">{}</mark>')
_REFERENCE = Markup('<sup><a href="#{}">[{}]</a></sup>')


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One thing that was said, called, answered or failed."""

    speaker: Speaker
    html: Markup


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message with what people said of it; ``left_out`` counts the messages that are not shown before it."""

    label: str
    parts: tuple[ShownPart, ...]
    said: tuple[SaidOfMessage, ...]
    left_out: int = 0

    @property
    def speaker(self) -> Speaker:
        """Who begins."""
        return self.parts[0].speaker


@dataclass(frozen=True, slots=True)
class ShownTranscript:
    """The messages that are shown, and how many of the others stand behind the last of them."""

    messages: tuple[ShownMessage, ...]
    left_out: int
    total: int


def show_transcript(session: ShownSession, *, experts: Mapping[int, str]) -> ShownTranscript | None:
    """Return a session's messages for the page.

    Args:
        session: with its transcript and verdicts.
        experts: who gives which quote, by the quote's number, in words.
    """
    if session.transcript is None:
        return None
    by_message: dict[int, list[Part]] = {}
    for part in session.transcript.parts:
        by_message.setdefault(part.message, []).append(part)
    quotes = [quote for verdict in session.verdicts for quote in verdict.quotes if quote.verified]
    said = session.transcript.feedback
    chosen = choose_messages(
        list(by_message),
        pointed_at={quote.message for quote in quotes} | {entry.message for entry in said},
    )
    shown, left_out = [], 0
    for message, parts in by_message.items():
        if message not in chosen:
            left_out += 1
            continue
        own = [quote for quote in quotes if quote.message == message]
        shown.append(
            ShownMessage(
                label=message_label(message),
                parts=tuple(
                    ShownPart(part.speaker, show_part(part, own, place=session.number, experts=experts))
                    for part in parts
                ),
                said=tuple(entry for entry in said if entry.message == message),
                left_out=left_out,
            )
        )
        left_out = 0
    return ShownTranscript(tuple(shown), left_out=left_out, total=len(by_message))


def choose_messages(messages: Sequence[int], *, pointed_at: set[int | None]) -> set[int]:
    """Choose what is shown of a long session: the first and the last messages, and those that somebody points at."""
    if len(messages) <= MOST_MESSAGES:
        return set(messages)
    first, last = messages[:FIRST_MESSAGES], messages[-LAST_MESSAGES:]
    others = [message for message in messages if message in pointed_at and message not in {*first, *last}]
    return {*first, *last, *others[: MOST_MESSAGES - FIRST_MESSAGES - LAST_MESSAGES]}


def show_part(part: Part, quotes: Sequence[ShownQuote], *, place: int, experts: Mapping[int, str]) -> Markup:
    """Return one part as HTML, with every quote that stands in it marked and numbered."""
    text = part.head + part.text
    found = [(span, quote) for quote in quotes if (span := find_quote(text, quote.text)) is not None]
    if not found and part.speaker is Speaker.SYSTEM:
        return prose(_shortened(text))
    kept = _kept(text, [span for span, _ in found])
    pieces = Markup().join(_pieces(text, kept, found, place=place, experts=experts))
    language = lang_attribute(script_tag(visible(text[:HEAD_CHARACTERS])))
    return Markup('<span class="prose" dir="auto"{}>{}</span>').format(language, pieces)


def _shortened(text: str) -> str:
    if len(text) <= HEAD_CHARACTERS * 4:
        return text
    return f"{text[: HEAD_CHARACTERS * 4]}\n[… {len(text) - HEAD_CHARACTERS * 4:,} characters left out …]"


def _kept(text: str, quotes: Sequence[Span]) -> list[Span]:
    """Return what is shown of a text: all of a short one; of a long one its ends and what is around quotes."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return [Span(0, len(text))]
    around = [
        Span(max(0, span.start - AROUND_CHARACTERS), min(len(text), span.end + AROUND_CHARACTERS)) for span in quotes
    ]
    return merged([Span(0, HEAD_CHARACTERS), Span(len(text) - TAIL_CHARACTERS, len(text)), *around])


def _pieces(
    text: str,
    kept: Sequence[Span],
    found: Sequence[tuple[Span, ShownQuote]],
    *,
    place: int,
    experts: Mapping[int, str],
) -> Iterator[Markup]:
    """Yield what is shown piece by piece; where quotes overlap, a piece belongs to several."""
    reached = 0
    for span in kept:
        if span.start > reached:
            yield _GAP.format(f"{span.start - reached:,}")
        cuts = sorted(
            {span.start, span.end}
            | {cut for quoted, _ in found for cut in (quoted.start, quoted.end) if span.start < cut < span.end}
        )
        for start, end in pairwise(cuts):
            inside = [quote for quoted, quote in found if quoted.start <= start and end <= quoted.end]
            shown = visible(text[start:end])
            names = "; ".join(dict.fromkeys(experts.get(quote.number, "") for quote in inside))
            yield _MARK.format(visible(names), shown) if inside else Markup("{}").format(shown)
            for quoted, quote in found:
                if quoted.end == end:
                    yield _REFERENCE.format(quote_anchor(place, quote.number), quote.number)
        reached = span.end


def quote_anchor(place: int, number: int) -> str:
    """Return the name under which a quote of a session stands among its verdicts.

    >>> quote_anchor(3, 2)
    's3q2'
    """
    return f"s{place}q{number}"
