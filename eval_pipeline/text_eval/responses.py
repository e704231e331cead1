"""What is asked of the model under test, and how the answers are stored; the same in both modes."""

from typing import Any

from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.text_eval.spec import TextSpec


def request_body(spec: TextSpec, question: str) -> dict[str, Any]:
    """Return the body of one Responses API request: the frozen model body as given, and the question as input."""
    return {**spec.model_body, "input": question}


def response_row(record: ItemRecord, cost: ItemCost) -> dict[str, Any]:
    """Return the row of ``tables.RESPONSES``."""
    error, usage, retried = record.error, record.usage, record.retried_usage
    return {
        "item_id": record.item_id,
        "status": str(record.status),
        "answer": record.answer,
        "partial_answer": record.partial_answer,
        "error_code": error.code if error else None,
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "error_transient": error.transient if error else None,
        "response_id": record.response_id,
        "model": record.model,
        "input_tokens": usage.input if usage else None,
        "cached_input_tokens": usage.cached_input if usage else None,
        "output_tokens": usage.output if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "total_tokens": usage.total if usage else None,
        "retried_input_tokens": retried.input,
        "retried_cached_input_tokens": retried.cached_input,
        "retried_output_tokens": retried.output,
        "latency_s": record.latency_s,
        "attempts": record.attempts,
        "cost_usd": cost.usd,
        "endpoint": record.endpoint,
    }
