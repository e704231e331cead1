"""Numbers as people read them."""

from decimal import Decimal

import pytest

from eval_pipeline.reporting.amounts import count, decimals_for, number, percent, usd


@pytest.mark.parametrize(
    ("share", "decimals", "shown"),
    [
        (0.0, 1, "0%"),
        (1.0, 1, "100%"),
        (0.7, 1, "70%"),
        (458 / 1319, 1, "34.7%"),
        (1318 / 1319, 1, "99.9%"),
        (0.99999, 1, "> 99.9%"),
        (0.00001, 1, "< 0.1%"),
        (0.999, 0, "> 99%"),
        (2 / 3, 0, "67%"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, decimals: int, shown: str) -> None:
    assert percent(share, decimals=decimals) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "price unknown"),
        (0, "$0.00"),
        (Decimal("1234.5"), "$1,234.50"),
        (0.25, "$0.2500"),
        ("0.000423", "$0.00042"),
    ],
)
def test_an_unknown_price_is_never_zero_and_small_amounts_stay_visible(
    amount: Decimal | float | str | None, shown: str
) -> None:
    assert usd(amount) == shown


def test_rounding_leaves_no_minus_zero() -> None:
    assert number(-0.0001) == "0.00"
    assert number(-0.01) == "-0.01"


def test_counts_have_separators() -> None:
    assert count(1_319_000) == "1,319,000"


@pytest.mark.parametrize(("high", "decimals"), [(0.9, 2), (0.81, 3), (0.801, 4), (None, 2)])
def test_narrow_intervals_get_more_decimals(high: float | None, decimals: int) -> None:
    assert decimals_for(0.8, high) == decimals
