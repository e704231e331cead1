"""Diffs show what was counted, in the words that were written, in every script."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.reporting.text import visible
from eval_pipeline.stt_eval.language.normalisation import Level, normalise
from eval_pipeline.stt_eval.report.diff import SHOWN_TOKENS, diff_html, text_direction, text_language
from eval_pipeline_tests.reporting.html_pages import read

TEXTS = st.text(alphabet="aB .,ñकी।़१ے日本ยิ5<&'\u202e\u200d[", max_size=12)


def shown(reference: str, transcript: str, language: str | None) -> str:
    """Return the diff without the words for screen readers."""
    html = str(diff_html(reference, transcript, language=language))
    return "".join(read(re.sub(r'<span class="aloud".*?</span>', "", html)).text)


@pytest.mark.parametrize(
    ("reference", "transcript", "language", "expected"),
    [
        ("Yes, the Doctor came.", "yes Docter came home", "en", "yes [-the-] [Doctor→Docter] came {+home+}"),
        ("a b c", "c", "en", "[-a b-] c"),
        ("{ doctor / डॉक्टर } साहब", "डॉक्टर साब", "hi", "डॉक्टर [साहब→साब]"),
        ("don't go", "don go", "en", "don [-'t-] go"),
        ("یہ پانی صاف", "یہ دودھ صاف", "ur", "یہ [پانی←دودھ] صاف"),
        (
            "明日の朝、東京で会いましょう。",
            "明日朝、京都で会いましょうね",
            "ja",
            "明日[-の-]朝、[-東-]京{+都+}で会いましょう{+ね+}",
        ),
        ("東京", "大阪", "zh", "[東京→大阪]"),
        ("ยินดี", "ยนดี", "th", "[ยิ→ย]นดี"),
        ("你好 123,456", "你好123456", "zh", "你好123456"),
        ("a", "", "en", "[-a-]"),
        ("", "a b", "en", "{+a b+}"),
        ("—", "…", "en", "…"),
        ("a", "a \u202eb", "en", "a {+⟦U+202E⟧b+}"),
    ],
)
def test_errors_are_marked_in_the_text(reference: str, transcript: str, language: str, expected: str) -> None:
    assert shown(reference, transcript, language) == expected.replace("[-", "[\u2212").replace("-]", "\u2212]")


@given(TEXTS, TEXTS, st.sampled_from(["hi", "ja", "ur", None]))
def test_every_word_that_was_heard_is_shown(reference: str, transcript: str, language: str | None) -> None:
    drawn = shown(reference.replace("{", ""), transcript, language)

    written = visible(normalise(transcript, Level.VERBATIM))
    assert [letter for letter in written if letter not in drawn and not letter.isspace()] == []


def test_a_transcript_that_loops_is_cut_with_a_word_on_the_rest() -> None:
    html = diff_html("a", "b " * (SHOWN_TOKENS + 500), language="en")

    assert "… 500 more, in report.csv" in html
    assert len(html) < 10_000


def test_screen_readers_are_told_what_the_signs_mean() -> None:
    words = "".join(read(str(diff_html("a b c", "a d x c", language="en"))).text)

    assert " said [b→ heard x]" in words
    assert " added: {+d+}" in words


def test_a_text_runs_as_it_is_written_and_not_as_it_should_be() -> None:
    assert text_direction("123 یہ", language="hi") == "rtl"
    assert text_direction("...", language="ur") == "rtl"
    assert text_direction("...", language=None) == "auto"
    assert text_language("یہ پانی صاف نہیں", language="hi") == "ur"
    assert text_language("पानी", language="hi-IN") == "hi-IN"
