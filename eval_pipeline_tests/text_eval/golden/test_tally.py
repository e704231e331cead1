import pytest

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.text_eval.golden.row import Entry, GoldenRow
from eval_pipeline.text_eval.golden.tally import MAX_SKIPPED_KEPT, Tally, no_valid_row


def row(line: int, question: str) -> GoldenRow:
    return GoldenRow(line=line, question=question, answer="a", category=None, metadata={})


def tally_of(*entries: Entry) -> Tally:
    tally = Tally()
    list(tally.usable(entries))
    return tally


def test_usable_rows_pass_and_skipped_ones_are_counted_and_the_first_kept() -> None:
    tally = Tally()
    entries = [row(2, "q"), *(SkippedRow(line, "blank answer") for line in range(3, 503)), row(503, "r")]

    assert list(tally.usable(entries)) == [entries[0], entries[-1]]
    assert (tally.rows, tally.skipped_count) == (2, 500)
    assert [skip.line for skip in tally.skipped] == list(range(3, 3 + MAX_SKIPPED_KEPT))


def test_different_questions_are_nothing_to_warn_about() -> None:
    assert tally_of(row(2, "q"), row(3, "Q"), row(4, "q q")).warnings() == ()
    assert tally_of().warnings() == ()


def test_questions_that_are_asked_twice_are_told_with_their_lines_in_the_order_of_the_file() -> None:
    tally = tally_of(row(2, "z"), row(3, "a"), row(4, "once"), row(7, " z "), row(9, "a"), row(1_200, "z"))

    assert tally.warnings() == ("2 questions occur more than once: lines 2, 7 and 1,200; lines 3 and 9",)


def test_the_warning_stays_short_however_much_is_repeated() -> None:
    tally = tally_of(*(row(2 + number, f"q{number % 1_000}") for number in range(10_000)))
    (warning,) = tally.warnings()

    assert warning.startswith("1,000 questions occur more than once: lines 2, 1,002, 2,002, 3,002, 4,002 and 5 more; ")
    assert warning.endswith("; …")
    assert len(warning) < 700


def test_one_question_on_every_line_is_one_repeated_question() -> None:
    (warning,) = tally_of(row(2, "q"), row(3, "q"), row(4, "q")).warnings()

    assert warning == "1 question occurs more than once: lines 2, 3 and 4"


@pytest.mark.parametrize(
    ("skipped", "problem"),
    [
        (0, "it has a header and no rows"),
        (2, "none of its 2 rows is usable (line 2: blank answer; line 3: blank answer)"),
        (
            7,
            "none of its 7 rows is usable (" + "; ".join(f"line {line}: blank answer" for line in range(2, 7)) + "; …)",
        ),
    ],
)
def test_a_file_without_usable_rows_is_explained_by_its_first_rows(skipped: int, problem: str) -> None:
    error = no_valid_row(tally_of(*(SkippedRow(2 + number, "blank answer") for number in range(skipped))))

    assert error.code == "invalid_dataset"
    assert error.message == f"the golden file cannot be used: {problem}"
