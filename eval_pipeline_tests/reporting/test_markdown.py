"""Untrusted words in Markdown."""

import pytest

from eval_pipeline.reporting.markdown import code_span, image_markdown


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("plain", "`plain`"),
        ("<script>", "`<script>`"),
        ("a `b` c", "`` a `b` c ``"),
        ("``", "``` `` ```"),
        ("x | y", "`x \\| y`"),
        ("line\n# heading", "`line # heading`"),
        ("\u202e", "`⟦U+202E⟧`"),
        ("", "` `"),
    ],
)
def test_words_of_others_cannot_leave_their_code_span(words: str, span: str) -> None:
    assert code_span(words) == span


def test_long_words_are_cut() -> None:
    assert len(code_span("x" * 10_000)) < 220


def test_an_image_carries_its_own_bytes() -> None:
    assert image_markdown("<svg/>", alternative="plot") == "![plot](data:image/svg+xml;base64,PHN2Zy8+)"
