from datetime import UTC, datetime

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback import (
    UNTOUCHED,
    Change,
    ErrorTag,
    FeedbackEntry,
    Mark,
    Verdict,
    by_item,
    contradicted,
    difference,
    standing,
)
from eval_pipeline.core.feedback_words import (
    MAX_COMMENT_CHARACTERS,
    checked_comment,
    checked_reviewer,
    checked_tags,
)
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow

CORRECT, WRONG, CLEARED = Change(is_correct=True), Change(is_correct=False), Change(is_correct=None)
NAME = Change(tags=(ErrorTag.NAME,))


def said(change: Change, *, of: str = "now", item: str = "a", by: str = "meera") -> FeedbackEntry:
    return FeedbackEntry(
        flow=Flow.STT,
        key=RunKey(project="default", run="r"),
        item_id=item,
        text_sha256=of,
        change=change,
        reviewer=by,
        judged_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


def stands(*changes: Change) -> Verdict:
    return standing([said(change) for change in changes], text_sha256="now")


def test_what_nobody_judged_is_unset_and_what_was_taken_back_is_cleared() -> None:
    assert (stands().mark, stands().is_correct, stands().history) == (Mark.UNSET, None, ())
    assert (stands(WRONG, CLEARED).mark, stands(WRONG, CLEARED).is_correct) == (Mark.CLEARED, None)
    assert stands(Change(comment="hm")).mark is Mark.UNSET


@pytest.mark.parametrize(
    ("changes", "mark"),
    [((CORRECT,), Mark.CORRECT), ((CORRECT, WRONG), Mark.WRONG), ((WRONG, CLEARED, CORRECT), Mark.CORRECT)],
)
def test_the_last_word_stands_and_all_words_are_kept(changes: tuple[Change, ...], mark: Mark) -> None:
    verdict = stands(*changes)

    assert verdict.mark is mark
    assert [entry.change for entry in verdict.history] == list(changes)


def test_two_people_who_speak_of_different_things_at_once_both_stand() -> None:
    verdict = stands(WRONG, Change(comment="the village is missing"), NAME)

    assert (verdict.mark, verdict.comment, verdict.tags) == (Mark.WRONG, "the village is missing", (ErrorTag.NAME,))


def test_comment_and_tags_can_be_removed_without_touching_the_mark() -> None:
    verdict = stands(Change(is_correct=False, comment="x", tags=(ErrorTag.NAME,)), Change(comment=None, tags=()))

    assert (verdict.mark, verdict.comment, verdict.tags) == (Mark.WRONG, None, ())


def test_a_verdict_on_an_earlier_text_is_stale_and_does_not_count() -> None:
    verdict = standing([said(CORRECT, of="before")], text_sha256="now")

    assert (verdict.mark, verdict.stale, verdict.counts) == (Mark.CORRECT, True, False)
    assert standing([said(CORRECT, of="before")], text_sha256=None).stale
    assert stands(CORRECT).counts


def test_the_first_word_on_a_new_text_leaves_those_on_the_old_one_behind() -> None:
    history = [said(Change(is_correct=False, comment="cut", tags=(ErrorTag.MISSING,)), of="before"), said(CORRECT)]

    verdict = standing(history, text_sha256="now")

    assert (verdict.mark, verdict.comment, verdict.tags, verdict.stale) == (Mark.CORRECT, None, (), False)
    assert len(verdict.history) == 2


def test_a_text_that_comes_back_has_its_verdict_back() -> None:
    assert standing([said(WRONG, of="before"), said(CORRECT)], text_sha256="before").counts


@pytest.mark.parametrize(
    ("change", "before", "left"),
    [
        (Change(), (), None),
        (CLEARED, (), None),
        (CORRECT, (CORRECT,), None),
        (CLEARED, (WRONG, CLEARED), None),
        (Change(comment=None, tags=()), (CORRECT,), None),
        (CLEARED, (WRONG,), CLEARED),
        (Change(is_correct=True, comment="new"), (CORRECT,), Change(comment="new")),
        (Change(is_correct=True, tags=(ErrorTag.NAME,)), (NAME,), CORRECT),
    ],
)
def test_only_what_differs_from_what_stands_is_a_change(
    change: Change, before: tuple[Change, ...], left: Change | None
) -> None:
    assert difference(change, stands(*before)) == left


def test_saying_of_a_new_text_what_was_said_of_the_old_one_is_a_change() -> None:
    assert difference(WRONG, standing([said(WRONG, of="before")], text_sha256="now")) == WRONG


def test_entries_are_sorted_by_item_in_the_order_of_recording() -> None:
    first, other, second = said(CORRECT), said(WRONG, item="b"), said(CLEARED)

    assert by_item([first, other, second]) == {"a": (first, second), "b": (other,)}


def test_a_change_names_what_it_touches() -> None:
    assert dict(Change(is_correct=None, comment=None).parts) == {"is_correct": None, "comment": None}
    assert Change().comment is UNTOUCHED


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" e\u0301t\u00e9 ", "\u00e9t\u00e9"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("नाम\u200dगलत\tहै", "नाम\u200dगलत\tहै"),
        (" \r\n ", None),
        ("", None),
    ],
)
def test_comments_are_kept_in_one_form_and_blank_ones_are_none(typed: str, kept: str | None) -> None:
    assert checked_comment(typed) == kept


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("x" * (MAX_COMMENT_CHARACTERS + 1), r"the comment has 5,001 characters"),
        ("x" + "\u0301" * 10_000_000, r"the comment has 10,000,001 characters"),
        ("a\x1b[31mb", r"U\+001B: 'a\\x1b\[31mb'"),
        ("a\0b", r"U\+0000"),
        ("a\ud800b", r"U\+D800"),
    ],
)
def test_a_comment_that_cannot_be_kept_is_refused_with_the_reason(comment: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        checked_comment(comment)

    assert caught.value.code == "invalid_verdict"
    assert len(caught.value.message) < 400


def test_the_longest_comment_is_kept_whole() -> None:
    assert checked_comment("x" * MAX_COMMENT_CHARACTERS) == "x" * MAX_COMMENT_CHARACTERS


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "tab\there", "evil\u202eeman"])
def test_a_name_that_would_not_show_as_itself_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_reviewer(name)

    assert caught.value.code == "invalid_verdict"


def test_names_of_any_script_are_kept() -> None:
    assert checked_reviewer(" मीरा <meera@example.org> ") == "मीरा <meera@example.org>"


def test_tags_are_read_in_their_order_each_once() -> None:
    assert checked_tags(["Wrong language", "name", "NAME"]) == (ErrorTag.NAME, ErrorTag.WRONG_LANGUAGE)


def test_an_unknown_tag_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no error tag 'nmae'") as caught:
        checked_tags(["nmae"])

    assert "name, number, missing, extra, wrong_language, hallucination" in caught.value.hint


def test_what_stands_names_its_author_part_by_part_and_what_each_person_said() -> None:
    entries = [said(Change(is_correct=False, tags=(ErrorTag.NAME,))), said(Change(comment="hm"), by="ravi")]
    verdict = standing([*entries, said(CORRECT, by="ravi")], text_sha256="now")

    assert {part: entry.reviewer for part, entry in verdict.authors.items()} == {
        "is_correct": "ravi",
        "comment": "ravi",
        "tags": "meera",
    }
    assert {name: own.is_correct for name, own in verdict.reviewers.items()} == {"meera": False, "ravi": True}


def test_the_same_verdict_of_a_second_person_is_new_and_of_the_same_person_is_not() -> None:
    verdict = stands(WRONG)

    assert difference(WRONG, verdict, reviewer="ravi") == WRONG
    assert difference(WRONG, verdict, reviewer="meera") is None
    assert difference(WRONG, verdict) is None
    assert difference(Change(comment=None, tags=()), verdict, reviewer="ravi") is None


def test_only_another_word_about_the_same_part_contradicts() -> None:
    wrong, comment = said(WRONG), said(Change(comment="hm"))

    assert contradicted(CORRECT, [comment, wrong]) is wrong
    assert contradicted(CORRECT, [wrong, said(CORRECT)]) is None
    assert contradicted(CORRECT, [comment]) is None
