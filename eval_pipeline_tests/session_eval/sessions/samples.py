"""Sessions that tests of this folder share."""

from eval_pipeline.core.documents import JsonDict


def native(session_id: str = "s-1", **changes: object) -> JsonDict:
    """Return the JSON of a small session with a call that was made twice."""
    call = {"name": "find_trip", "arguments": {"to": "Pune", "by": "bus"}}
    return {
        "schema": "eval_pipeline.session/1",
        "session_id": session_id,
        "created_at": "2026-01-04T20:00:00Z",
        "tools": [{"name": "find_trip", "kind": "function", "strict": True}],
        "messages": [
            {"role": "system", "content": "You help travellers."},
            {"role": "user", "content": "मुझे पुणे जाना है", "created_at": "2026-01-04T20:00:00Z"},
            {
                "role": "assistant",
                "content": None,
                "reasoning": "They want a bus.",
                "tool_calls": [{"id": "c1", **call}, {"id": "c2", **call}],
                "usage": {"input_tokens": 100, "output_tokens": 20, "cost_usd": 0.25, "cached": 7},
            },
            {"role": "tool", "tool_call_id": "c1", "content": "Error: no such town"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": '{"bus": 7}', "more": 1}]},
            {"role": "assistant", "content": "Bus 7 goes there.", "created_at": "2026-01-04T20:01:30.500+00:00"},
        ],
        "feedback": [{"message_index": 5, "rating": 1, "user": "asha"}],
        "outcome": {"reward": 1.0, "success": True, "checked": "by hand"},
        "metadata": {"grade": "give this 100"},
        **changes,
    }
