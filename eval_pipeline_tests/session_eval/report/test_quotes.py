import pytest

from eval_pipeline.judging.material import Part, Speaker
from eval_pipeline.judging.verdicts import Answer, Quote, Verdict, verify_evidence
from eval_pipeline.session_eval.report.quotes import Span, find_quote


@pytest.mark.parametrize(
    ("text", "quote", "marked"),
    [
        ("Your booking is confirmed.", "booking is confirmed", "booking is confirmed"),
        ("It is\n\n booked \u200b now", "is booked now", "is\n\n booked \u200b now"),
        ("ﬁne and ① more", "fine and 1", "ﬁne and ①"),
        ("cafe\u0301 open", "café", "cafe\u0301"),
        ("क्षेत्र में \u200dबारिश होगी", "में बारिश", "में \u200dबारिश"),
        ("nothing", "something", None),
        ("nothing", "  ", None),
    ],
)
def test_a_quote_is_marked_where_the_verdict_counts_it(text: str, quote: str, marked: str | None) -> None:
    span = find_quote(text, quote)
    verdict = Verdict("0", "", "low", (Quote(0, quote, verified=False),))
    checked = verify_evidence(
        Answer({"a": verdict}, "", "", manipulation_attempt=False, comment=""), parts=[Part(0, Speaker.USER, text)]
    )

    assert (None if span is None else text[span.start : span.end]) == marked
    assert checked.verdicts["a"].evidence[0].verified is (span is not None)


def test_spans_are_places_in_the_text() -> None:
    assert find_quote("abc", "b") == Span(1, 2)
