"""The columns of every table stage of the session flow: what is written, what a reader may rely on.

Columns that hold JSON hold it as canonical text: keys in order, no spaces.
"""

import pyarrow as pa

SCHEMA_VERSION = 1
MOMENT = pa.timestamp("us", tz="UTC")

SESSIONS = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("session_fingerprint", pa.string(), nullable=False),
        pa.field("profile_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("created_at", MOMENT),
        pa.field("last_active", MOMENT),
        pa.field("message_count", pa.int64(), nullable=False),
        pa.field("facts", pa.string(), nullable=False),  # JSON of SessionFacts
        pa.field("axes", pa.string(), nullable=False),  # JSON list of the axes that apply
        pa.field("hits", pa.string(), nullable=False),  # JSON list of what is addressed to a judge; [] : nothing
        pa.field("feedback", pa.string()),  # JSON of what judges see of people's opinions; null: nothing
        pa.field("shown_characters", pa.int64(), nullable=False),  # of all that a judge is shown, cuts aside
    ]
)

JUDGEMENTS = pa.schema(
    [
        pa.field("judgement_id", pa.string(), nullable=False),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("session_fingerprint", pa.string(), nullable=False),
        pa.field("expert_id", pa.string(), nullable=False),
        pa.field("sample", pa.int32(), nullable=False),
        pa.field("variant", pa.string(), nullable=False),  # plain | masked | canary:{payload}
        pa.field("status", pa.string(), nullable=False),  # ok | failed | parse_failed | invalid_evidence | refused | …
        pa.field("error_code", pa.string()),
        pa.field("error_message", pa.string()),
        pa.field("panel_version", pa.string(), nullable=False),
        pa.field("rubric_version", pa.string(), nullable=False),
        pa.field("panel_fingerprint", pa.string(), nullable=False),
        pa.field("judge_fingerprint", pa.string(), nullable=False),
        pa.field("endpoint", pa.string(), nullable=False),  # name of the endpoint that the expert is asked at
        pa.field("model", pa.string(), nullable=False),
        pa.field("model_returned", pa.string()),
        pa.field("system_fingerprint", pa.string()),
        pa.field("mode", pa.string(), nullable=False),  # fast | batch
        pa.field("axes", pa.string(), nullable=False),  # JSON: axis to level, score, state, confidence, reasoning, …
        pa.field("user_goal", pa.string()),
        pa.field("outcome_summary", pa.string()),
        pa.field("manipulation_attempt", pa.bool_()),
        pa.field("comment", pa.string()),
        pa.field("rendering", pa.string(), nullable=False),  # JSON: what the judge was shown, and what was left out
        pa.field("hits", pa.string(), nullable=False),  # JSON list of {message_index, rule, text}
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("response_id", pa.string()),
        pa.field("input_tokens", pa.int64()),
        pa.field("cached_input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("reasoning_tokens", pa.int64()),
        pa.field("total_tokens", pa.int64()),
        pa.field("retried_input_tokens", pa.int64(), nullable=False),
        pa.field("retried_output_tokens", pa.int64(), nullable=False),
        pa.field("latency_s", pa.float64()),
        pa.field("cost_usd", pa.decimal128(38, 18)),  # what this run paid for it, all of its requests; null: unknown
        pa.field("taken_from_run", pa.string()),  # the run that paid for it; null: this one
        pa.field("created_at", MOMENT, nullable=False),
    ]
)
"""One row for every session, expert, sample and variant, in the order of sessions, then of the panel."""

SESSION_SCORES = pa.schema(
    [
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("session_fingerprint", pa.string(), nullable=False),
        pa.field("profile_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("last_active", MOMENT),
        pa.field("status", pa.string(), nullable=False),  # evaluated | partial | failed
        pa.field("panel_complete", pa.bool_(), nullable=False),
        pa.field("mean", pa.float64()),  # of the required quality axes' scores that exist; null without the main axis
        pa.field("complexity", pa.float64()),
        pa.field("axes", pa.string(), nullable=False),  # JSON: axis to {mean, reason, n, owners, sd, disagreement}
        pa.field("cells", pa.int32(), nullable=False),
        pa.field("cells_failed", pa.int32(), nullable=False),
        pa.field("cost_usd", pa.decimal128(38, 18)),
        pa.field("likes", pa.int32(), nullable=False),
        pa.field("dislikes", pa.int32(), nullable=False),
        pa.field("outcome", pa.string()),  # JSON; null: none is known
    ]
)
