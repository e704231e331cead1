"""Untrusted text is shown as it is, with nothing hidden in it."""

import pytest

from eval_pipeline.reporting.text import clip, is_long, one_line, preview, script_tag, visible

ZERO_WIDTH_JOINER = "\u200d"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u2067b\u2069", "a⟦U+2067⟧b⟦U+2069⟧"),
        ("\x00\x1b[31m", "\u2400\u241b[31m"),
        ("\x7f\x85", "\u2421⟦U+0085⟧"),
        ("\ufeffx", "⟦U+FEFF⟧x"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("\ud800", "⟦U+D800⟧"),
    ],
)
def test_controls_and_direction_overrides_get_a_visible_sign(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_all_line_ends_become_line_feeds_and_tabs_stay() -> None:
    assert visible("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd\te"


def test_marks_that_indic_and_arabic_scripts_need_stay() -> None:
    text = f"क्{ZERO_WIDTH_JOINER}ष \u0645\u06cc\u200c\u062e \u200f"

    assert visible(text) == text


def test_one_line_has_no_line_ends_and_a_limit() -> None:
    shown = one_line("a\nb  c " + "x" * 500, limit=20)

    assert shown.startswith("a b c x")
    assert len(shown) <= 22
    assert shown.endswith("…")


def test_a_clipped_text_says_how_long_it_was() -> None:
    assert clip("short", limit=10) == "short"
    assert "12,000 characters in all" in clip("x" * 12_000, limit=100)


@pytest.mark.parametrize(
    ("text", "long"), [("x" * 600, False), ("x" * 601, True), ("a\n" * 13, False), ("a\n" * 14, True)]
)
def test_long_texts_and_tall_texts_are_folded(text: str, long: bool) -> None:
    assert is_long(text) is long


def test_a_preview_ends_between_words() -> None:
    text = "word " * 200

    assert preview(text).removesuffix(" …").endswith("word")
    assert len(preview(text)) < 430


def test_a_preview_of_text_without_spaces_never_splits_a_letter_from_its_marks() -> None:
    shown = preview("कि" * 400).removesuffix(" …")

    assert shown == "कि" * (len(shown) // 2)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("plain", None),
        ("café", None),
        ("नमस्ते दुनिया, hello", "und-Deva"),
        ("القاهرة", "und-Arab"),
        ("پاکستان کا دارالحکومت کیا ہے؟", "ur"),
        ("தமிழ்", "und-Taml"),
        ("ਪੰਜਾਬੀ", "und-Guru"),
        ("", None),
    ],
)
def test_the_script_of_a_text_is_told_for_fonts_and_screen_readers(text: str, tag: str | None) -> None:
    assert script_tag(text) == tag
