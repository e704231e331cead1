"""Quantiles of Student's t, against scipy and published tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.core.student_t import student_t_quantile


@pytest.mark.parametrize("probability", [0.6, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995])
@pytest.mark.parametrize(
    "degrees_of_freedom", [*range(1, 40), 99, 100, 257, 998, 999, 1000, 1001, 1318, 10_000, 1_000_000]
)
def test_quantiles_agree_with_scipy_to_ten_digits(probability: float, degrees_of_freedom: int) -> None:
    expected = stats.t.ppf(probability, degrees_of_freedom)

    assert student_t_quantile(probability, degrees_of_freedom=degrees_of_freedom) == pytest.approx(expected, rel=1e-10)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(0.51, 0.9995), st.integers(1, 1_000_000))
def test_any_quantile_agrees_with_scipy_to_ten_digits(probability: float, degrees_of_freedom: int) -> None:
    expected = stats.t.ppf(probability, degrees_of_freedom)

    assert student_t_quantile(probability, degrees_of_freedom=degrees_of_freedom) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("degrees_of_freedom", "printed"), [(1, 12.706), (2, 4.303), (5, 2.571), (30, 2.042)])
def test_quantiles_are_those_of_the_printed_table(degrees_of_freedom: int, printed: float) -> None:
    assert round(student_t_quantile(0.975, degrees_of_freedom=degrees_of_freedom), 3) == printed


def test_the_median_is_zero() -> None:
    assert student_t_quantile(0.5, degrees_of_freedom=7) == 0


@pytest.mark.parametrize(("probability", "degrees_of_freedom"), [(0.975, 0), (0.4, 3), (0.99999, 3), (float("nan"), 3)])
def test_what_cannot_be_computed_exactly_is_refused(probability: float, degrees_of_freedom: int) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        student_t_quantile(probability, degrees_of_freedom=degrees_of_freedom)
