import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.judging.material import Speaker
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.session_eval.sessions.checking import InvalidSessionError
from eval_pipeline.session_eval.sessions.facts import SessionFacts, facts_of, last_active_of
from eval_pipeline.session_eval.sessions.material import applicable_axes, material_of
from eval_pipeline.session_eval.sessions.session import read_session, session_fingerprint, session_json
from eval_pipeline.session_eval.sessions.times import has_zone, read_time, time_of_number
from eval_pipeline_tests.session_eval.sessions.samples import native


def test_a_session_is_read_and_written_without_a_loss() -> None:
    given = native(pinned=True, name="to Pune", source={"format": "langfuse", "host": "x"})

    written = session_json(read_session(given))

    assert written.pop("messages") == [{"content": None, **message} for message in given.pop("messages")]
    assert written == given


texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
calls = st.fixed_dictionaries(
    {"id": texts, "name": texts, "arguments": st.none() | texts | st.dictionaries(texts, values, max_size=3)}
)
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "data"])}, optional={"text": texts, "uri": texts, "more": values}
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"])},
    optional={
        "content": st.none() | texts | st.lists(parts, max_size=2),
        "reasoning": st.none() | texts,
        "tool_calls": st.none() | st.lists(calls, max_size=2),
        "usage": st.none() | st.fixed_dictionaries({}, optional={"input_tokens": st.integers(0), "x": values}),
        "latency_ms": st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    },
)


@given(st.lists(messages, min_size=1, max_size=4))
def test_whatever_the_schema_allows_has_one_fingerprint_before_and_after_it_is_written(said: list[JsonDict]) -> None:
    first = read_session({"schema": "eval_pipeline.session/1", "session_id": "x", "messages": said})
    again = read_session(json.loads(json.dumps(session_json(first))))

    assert again == first
    assert session_fingerprint(again) == session_fingerprint(first)
    assert facts_of(again) == facts_of(first)
    assert {part.message for part in material_of(first).parts} == set(range(len(said)))


def test_the_fingerprint_is_of_messages_and_tools_alone() -> None:
    first = session_fingerprint(read_session(native()))
    told = {"feedback": [], "outcome": None, "name": "x", "metadata": {}, "pinned": True, "last_active": None}
    grown = native()
    grown["messages"].append({"role": "user", "content": "thanks"})

    assert session_fingerprint(read_session(native(**told))) == first
    assert session_fingerprint(read_session(grown)) != first
    assert session_fingerprint(read_session(native(tools=[]))) != first
    assert first.startswith("sha256:")


def _with(place: str, value: object) -> JsonDict:
    document = native()
    *path, last = place.split(".")
    at: Any = document
    for step in path:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return document


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("no object", "the session is 'no object'"),
        ({"session_id": "x"}, "schema is missing"),
        (_with("schema", "eval_pipeline.session/9"), "schema is 'eval_pipeline.session/9'"),
        (_with("session_id", ""), "session_id has 0 characters"),
        (_with("session_id", "a\0b"), "control character"),
        (_with("session_id", "x" * 257), "session_id has 257 characters"),
        (_with("messages", []), "messages is empty"),
        (_with("messages.1.role", "moderator"), "messages[1].role is 'moderator' (use system, developer, user"),
        (_with("messages.1.contents", "x"), "messages[1].'contents' is no key that is known there"),
        (_with("messages.1.content", 7), "messages[1].content is '7' (give a text or a list of parts)"),
        (_with("messages.1.created_at", "yesterday"), "messages[1].created_at is 'yesterday', which is no time"),
        (_with("messages.2.tool_calls", [{"id": "a", "name": "b"}]), "messages[2].tool_calls[0].arguments is missing"),
        (_with("messages.2.usage", {"input_tokens": 1.5}), "messages[2].usage.input_tokens is '1.5'"),
        (_with("feedback", [{"message_index": -1, "rating": 1}]), "feedback[0].message_index is '-1'"),
        (_with("feedback", [{"message_index": 0, "rating": 5}]), "feedback[0].rating is '5'"),
        (_with("tools", [{"name": "x", "kind": "magic"}]), "tools[0].kind is 'magic'"),
        (_with("outcome", {"success": "yes"}), "outcome.success is 'yes'"),
        (_with("colour", 1), "'colour' is no key that is known there"),
    ],
)
def test_a_complaint_names_the_place_the_value_and_the_remedy(document: object, says: str) -> None:
    with pytest.raises(InvalidSessionError) as raised:
        read_session(document)

    assert says in str(raised.value)
    assert raised.value.hint


def test_facts_are_counted_by_code() -> None:
    facts = facts_of(read_session(native()))

    texts = ("You help travellers.", "मुझे पुणे जाना है", "Error: no such town", '{"bus": 7}', "Bus 7 goes there.")
    assert facts == SessionFacts(
        messages=6,
        user_turns=1,
        tool_calls=2,
        distinct_tools=1,
        tool_errors=1,
        repeated_calls=1,
        longest_repeat=2,
        subagent_calls=0,
        extension_events=0,
        input_tokens=100,
        output_tokens=20,
        cost_usd=0.25,
        wall_s=90.5,
        characters=sum(map(len, texts)),
        offers_tools=True,
        offers_subagents=False,
    )
    assert SessionFacts.from_json(facts.to_json()) == facts


@pytest.mark.parametrize(
    ("result", "is_error"),
    [
        ("Error: payment amount does not add up", True),
        ("Traceback (most recent call last):", True),
        ('{"error": "not found"}', True),
        ('{"ok": 1, "is_error": true}', True),
        ('{"error": null, "rows": []}', False),
        ("No errors were found.", False),
        ("The error rate is 4 %.", False),
    ],
)
def test_a_result_that_says_it_is_an_error_counts_as_one(result: str, *, is_error: bool) -> None:
    session = read_session(native(messages=[{"role": "tool", "content": result}]))

    assert facts_of(session).tool_errors == int(is_error)


def test_sub_agents_are_seen_by_their_tools_or_by_who_speaks() -> None:
    spoke = [{"role": "user", "content": "x"}, *({"role": "assistant", "agent": "maps", "content": "y"},) * 2]
    called = [{"role": "assistant", "tool_calls": [{"id": "1", "name": "ask", "arguments": None}]}]

    assert facts_of(read_session(native(messages=spoke, tools=[]))).subagent_calls == 1
    offered = native(messages=called, tools=[{"name": "ask", "kind": "subagent"}])
    assert facts_of(read_session(offered)).subagent_calls == 1
    assert facts_of(
        read_session(native(messages=spoke[:1], tools=[{"name": "ask", "kind": "subagent"}]))
    ).offers_subagents


def test_a_judge_is_shown_messages_and_counts_and_nothing_that_people_said() -> None:
    material = material_of(read_session(native()))

    told = json.dumps([dict(material.facts), [[part.text, part.head] for part in material.parts]])
    assert not [word for word in ("asha", "by hand", "give this 100", "reward") if word in told]
    assert [(part.message, part.speaker, part.head) for part in material.parts] == [
        (0, Speaker.SYSTEM, ""),
        (1, Speaker.USER, ""),
        (2, Speaker.REASONING, ""),
        (2, Speaker.CALL, "find_trip "),
        (2, Speaker.CALL, "find_trip "),
        (3, Speaker.TOOL, "find_trip: "),
        (4, Speaker.TOOL, "find_trip: "),
        (5, Speaker.ASSISTANT, ""),
    ]
    assert material.facts["tools_offered"] == "find_trip"
    assert material.facts["repeated_calls"] == 1


def test_axes_apply_where_the_facts_let_them() -> None:
    rubric = built_in_panel("sessions").rubric
    plain = native(messages=[{"role": "user", "content": "x"}], tools=[])
    extended = native(tools=[{"name": "find_trip", "kind": "extension"}, {"name": "ask", "kind": "subagent"}])

    everywhere = ["task_complexity", "goal_completion", "efficiency", "communication"]
    assert _names(plain) == [name for name in rubric.axes if name in everywhere]
    assert _names(native()) == [name for name in rubric.axes if name in {*everywhere, "tool_usage_quality"}]
    assert _names(extended) == list(rubric.axes)


def _names(document: JsonDict) -> list[str]:
    facts = facts_of(read_session(document))
    return [axis.name for axis in applicable_axes(facts, built_in_panel("sessions").rubric)]


def test_a_time_without_a_zone_is_utc() -> None:
    assert read_time("2026-01-04 20:00:00") == datetime(2026, 1, 4, 20, tzinfo=UTC)
    assert not has_zone("2026-01-04 20:00:00")
    assert time_of_number(1_767_556_800_123) == "2026-01-04T20:00:00.123000Z"
    assert last_active_of(native()) == datetime(2026, 1, 4, 20, 1, 30, 500_000, tzinfo=UTC)
