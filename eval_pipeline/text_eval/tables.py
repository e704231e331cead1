"""The columns of every table stage, in one place: what is written, what a reader may rely on.

Rows of ``dataset``, ``responses`` and ``embeddings`` stand in the same order, one per item, so that stages are joined
by walking them side by side (the ids are compared, never assumed). ``scores`` has one row per item and scorer, item by
item.
"""

import pyarrow as pa

SCHEMA_VERSION = 1

DATASET = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("question_id", pa.string(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("golden_answer", pa.string(), nullable=False),
        pa.field("category", pa.string()),
        pa.field("metadata", pa.string(), nullable=False),  # JSON object of the other columns
        pa.field("line", pa.int64(), nullable=False),
        pa.field("golden_alternatives", pa.string()),  # JSON list of further accepted answers
        pa.field("turns", pa.string()),  # JSON list of messages before the question
        pa.field("contexts", pa.string()),  # JSON list of passages that the golden file has beside the question
    ]
)

OPTIONAL_OF_DATASET = ("golden_alternatives", "turns", "contexts")
"""Columns that most datasets have nothing in; how many rows have, is a fact of the stage."""

RESPONSES = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("answer", pa.string()),
        pa.field("partial_answer", pa.string()),
        pa.field("error_code", pa.string()),
        pa.field("error_type", pa.string()),
        pa.field("error_message", pa.string()),
        pa.field("error_transient", pa.bool_()),
        pa.field("response_id", pa.string()),
        pa.field("model", pa.string()),
        pa.field("input_tokens", pa.int64()),
        pa.field("cached_input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("reasoning_tokens", pa.int64()),
        pa.field("total_tokens", pa.int64()),
        pa.field("retried_input_tokens", pa.int64(), nullable=False),
        pa.field("retried_cached_input_tokens", pa.int64(), nullable=False),
        pa.field("retried_output_tokens", pa.int64(), nullable=False),
        pa.field("latency_s", pa.float64()),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("cost_usd", pa.decimal128(38, 18)),  # this item with its retries; null: no published price
        pa.field("endpoint", pa.string()),  # the address that answered; null: nobody did, or an earlier version asked
        pa.field("thinking", pa.string()),  # what the model said beside its answer: reasoning, commentary
        pa.field("service_tier", pa.string()),  # the provider's name of the tier that answered, if not the usual one
        pa.field("passages", pa.string()),  # JSON list of what was retrieved; null: nobody told, [] : nothing
    ]
)

EMBEDDINGS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("answer_vector", pa.binary()),  # little-endian float32, null where there is none
        pa.field("golden_vector", pa.binary()),
        pa.field("problem", pa.string()),  # why a vector of this item is missing
        pa.field("alternative_vectors", pa.list_(pa.binary())),  # of further golden answers; null where there are none
    ]
)

SCORES = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("question_id", pa.string(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("category", pa.string()),
        pa.field("name", pa.string(), nullable=False),
        pa.field("data_type", pa.string(), nullable=False),  # NUMERIC | BOOLEAN
        pa.field("value", pa.float64()),  # null: unscoreable
        pa.field("unscoreable_reason", pa.string()),
        pa.field("comment", pa.string()),
    ]
)

TRACES = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("trace_id", pa.string(), nullable=False),
        pa.field("url", pa.string()),
    ]
)
