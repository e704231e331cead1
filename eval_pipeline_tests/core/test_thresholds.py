import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.reasons import Reason
from eval_pipeline.core.thresholds import Threshold

KEY = RunKey(project="default", run="first")


@pytest.mark.parametrize(
    ("value", "failed", "total", "breached"),
    [
        (0.5, 5, 10, False),
        (0.5, 6, 10, True),
        (0.0, 0, 10, False),
        (0.0, 1, 1_000_000, True),
        (1.0, 10, 10, False),
        (0.1, 1, 10, False),
        (0.3, 3, 10, False),
        (1.0, 0, 0, True),
    ],
)
def test_more_failures_than_allowed_is_a_breach_strictly(
    value: float, failed: int, total: int, *, breached: bool
) -> None:
    assert Threshold(value=value, failed=failed, total=total).breached is breached


def test_zero_items_have_no_share_of_failures() -> None:
    assert Threshold(value=0.5, failed=0, total=0).observed is None
    assert "0 of 0 items failed," in str(Threshold(value=0.5, failed=0, total=0).error(KEY))


def test_a_verdict_comes_back_from_json() -> None:
    verdict = Threshold(value=0.25, failed=1, total=3)

    assert Threshold.from_json(verdict.to_json()) == verdict
    assert verdict.to_json() == {"value": 0.25, "observed": 1 / 3, "breached": True, "failed": 1, "total": 3}


def test_the_error_tells_both_numbers() -> None:
    error = Threshold(value=0.25, failed=1_319, total=2_638).error(KEY)

    assert error.code == "failure_threshold_breached"
    assert error.exit_code == 100
    assert error.message == "run first failed its threshold: 1,319 of 2,638 items failed (50.0%), 25.0% are allowed"
    assert "run retry first" in error.hint


def test_the_error_tells_why_most_items_failed() -> None:
    reason = Reason("unsupported_parameter", "Unsupported parameter: 'temperature'", count=300)
    verdict = Threshold(value=0.5, failed=300, total=300, reasons=(reason,))

    assert Threshold.from_json(verdict.to_json()) == verdict
    assert "300 of them with unsupported_parameter: Unsupported parameter: 'temperature'" in verdict.error(KEY).message
