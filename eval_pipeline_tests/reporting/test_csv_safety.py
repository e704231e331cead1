import doctest
from decimal import Decimal

import pytest

from eval_pipeline.reporting import csv_safety
from eval_pipeline.reporting.csv_safety import Cell, csv_cell

CALCULATOR = "cmd|' /C calc'!A0"


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(csv_safety)

    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("start", list("=+-@＝＋－＠﹦﹢﹣﹫"))  # noqa: RUF001 - the wide forms are the point
@pytest.mark.parametrize("before", ["", " ", "   ", "\u00a0", "\u3000", "\ufeff", "\u200b", " \u200e", "\0", "\x1f"])
def test_a_text_that_a_spreadsheet_would_run_becomes_a_text(start: str, before: str) -> None:
    text = f"{before}{start}{CALCULATOR}"

    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "unseen", ["\u180e", "\u00ad", "\u034f", "\u2800", "\u3164", "\ufe0f", "\u061c", "\U000e0020", "\x80"]
)
def test_what_nobody_sees_before_a_formula_hides_it_not(unseen: str) -> None:
    assert csv_cell(f"{unseen}=1+1") == f"'{unseen}=1+1"
    assert csv_cell(f"{unseen}word") == f"{unseen}word"


@pytest.mark.parametrize(
    "text", ["\tx", "\rx", "\nx", "\n\n=1", "=", "-", "--1", "- a list item", "-1+1", "+1 555", "-٣"]
)
def test_cells_that_begin_as_a_formula_or_with_a_break_are_marked(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "-1.5e3", "+7", "-.5", "-5.", "+1E-9", "-0"])
def test_plain_numbers_stay_numbers(text: str) -> None:
    assert csv_cell(text) == text


@pytest.mark.parametrize("text", ["", " ", "a=b", "1-2", "me@home", "'=1", "(=1)", "हिन्दी", "a\n=1", '"=1"', "x\ty"])
def test_every_other_text_stays_as_it_is(text: str) -> None:
    assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        (-5, "-5"),
        (-1500.0, "-1500.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-9, "1e-09"),
        (Decimal("0.000000000000000001"), "0.000000000000000001"),
        (Decimal("-12.500000000000000000"), "-12.5"),
        (Decimal(100), "100"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_numbers_keep_their_full_precision_and_missing_is_empty(value: Cell, text: str) -> None:
    assert csv_cell(value) == text
