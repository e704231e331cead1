"""The columns that rows of every paid stage share: why an item failed, what its calls used, took and cost.

What else stands in a row, and in which order, is the flow's own (its ``tables.py``).
"""

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.outcomes import ItemError, ItemRecord
from eval_pipeline.core.tallies import ItemCost

_ERROR = ("code", "type", "message", "transient")


def error_columns(error: ItemError | None) -> JsonDict:
    """Return why an item failed, field by field; nulls where it did not."""
    return {f"error_{name}": None if error is None else getattr(error, name) for name in _ERROR}


def error_in(row: Row) -> JsonDict | None:
    """Read why the item of a row failed; None where it did not."""
    return None if row["error_code"] is None else {name: row[f"error_{name}"] for name in _ERROR}


def call_columns(record: ItemRecord, cost: ItemCost) -> JsonDict:
    """Return what the calls of an item used, took and cost, retries included; null is what nobody told."""
    usage, retried = record.usage, record.retried_usage
    return {
        "response_id": record.response_id,
        "input_tokens": usage.input if usage else None,
        "cached_input_tokens": usage.cached_input if usage else None,
        "output_tokens": usage.output if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "total_tokens": usage.total if usage else None,
        "retried_input_tokens": retried.input,
        "retried_output_tokens": retried.output,
        "latency_s": record.latency_s,
        "attempts": record.attempts,
        "cost_usd": cost.usd,
        "endpoint": record.endpoint,
    }
