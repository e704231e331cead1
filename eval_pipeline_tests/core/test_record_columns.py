"""What rows of every paid stage say of their calls, read back."""

from decimal import Decimal

from eval_pipeline.core.outcomes import BilledCall, ItemError, ItemRecord, ItemStatus, Usage
from eval_pipeline.core.record_columns import call_columns, error_columns, error_in
from eval_pipeline.core.tallies import ItemCost

DOWN = ItemError("http_500", "server_error", "down", transient=True)


def test_an_error_is_read_back_from_its_columns_and_no_error_is_none() -> None:
    told = {"code": "http_500", "type": "server_error", "message": "down", "transient": True}
    assert error_in(error_columns(DOWN)) == told
    assert error_in(error_columns(None)) is None


def test_calls_that_told_no_tokens_are_no_zeros_and_retries_are_beside() -> None:
    retried = BilledCall(Usage(input=3, output=2, total=5))
    row = call_columns(
        ItemRecord("a", ItemStatus.FAILED, error=DOWN, retried=(retried, retried), attempts=3, endpoint="http://here"),
        ItemCost(Decimal("0.1")),
    )

    assert (row["input_tokens"], row["total_tokens"]) == (None, None)
    assert (row["retried_input_tokens"], row["retried_output_tokens"], row["attempts"]) == (6, 4, 3)
    assert (row["cost_usd"], row["endpoint"]) == (Decimal("0.1"), "http://here")
