"""Untrusted text as HTML."""

from datetime import UTC, datetime

from eval_pipeline.reporting.markup import day, inline, prose, timed


def test_markup_in_a_text_is_escaped() -> None:
    assert "<script>" not in inline("<script>alert('x')</script>\"")
    assert prose('</span></style><b a="1">') == (
        '<span class="prose" dir="auto">&lt;/span&gt;&lt;/style&gt;&lt;b a=&#34;1&#34;&gt;</span>'
    )


def test_a_short_text_is_isolated_from_the_direction_of_its_surroundings() -> None:
    assert inline("اردو ہے") == '<bdi lang="ur">اردو ہے</bdi>'


def test_an_empty_text_says_so() -> None:
    assert "(empty)" in prose(" \n")


def test_a_long_text_shows_its_beginning_and_holds_the_whole() -> None:
    text = "word " * 300

    folded = prose(text)

    assert folded.startswith('<details class="fold"><summary>')
    assert "Show all 1,500 characters" in folded
    assert f">{text}</span></details>" in folded


def test_a_language_and_direction_that_are_known_are_set() -> None:
    assert prose("یہ", lang="ur-PK", direction="rtl") == '<span class="prose" dir="rtl" lang="ur-PK">یہ</span>'


def test_every_time_in_utc_can_have_the_readers_own_beside_it() -> None:
    told = timed("collected <b> until 2026-11-28 08:30 UTC, seen at 2026-11-28 09:00:05 UTC; 2026-11-28 is a day")

    assert '<time datetime="2026-11-28T08:30Z">2026-11-28 08:30 UTC</time>' in told
    assert '<time datetime="2026-11-28T09:00:05Z">2026-11-28 09:00:05 UTC</time>; 2026-11-28 is a day' in told
    assert "&lt;b&gt;" in told
    assert timed("no time") == inline("no time")
    assert day(datetime(2026, 11, 28, 20, tzinfo=UTC)) == (
        '<time datetime="2026-11-28T20:00:00+00:00">28 November 2026</time>'
    )
