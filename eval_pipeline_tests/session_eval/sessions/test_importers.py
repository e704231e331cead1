"""Importers on files as the programs write them, made by hand from their published documentation."""

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.session_eval import session_store
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.session_eval.homes import PROJECT, brought_in, lines

WEATHER = {"location": "Paris"}


def sessions_of(deployment: Deployment, *paths: Path, file_format: str = "auto") -> dict[str, JsonDict]:
    """Bring files in and return what is stored; nothing may be refused."""
    result = brought_in(deployment, *paths, file_format=file_format)
    assert result.bad == []
    stored = session_store.documents(deployment, session_store.each(deployment, PROJECT))
    return {one.session_id: document for one, document in stored}


def said(session: JsonDict) -> list[tuple[Any, ...]]:
    """Return the messages in short: role, text, calls with their arguments, which call is answered."""
    found = []
    for message in session["messages"]:
        content = message.get("content")
        text = (
            content
            if isinstance(content, str) or content is None
            else [part.get("text", part["type"]) for part in content]
        )
        calls = [(call["id"], call["name"], call["arguments"]) for call in message.get("tool_calls", ())]
        found.append(
            (
                message["role"],
                text,
                *([calls] if calls else []),
                *([message["tool_call_id"]] if "tool_call_id" in message else []),
            )
        )
    return found


ASKED = ("user", "Weather in Paris?")
CALLED = ("assistant", None, [("call_1", "get_weather", WEATHER)])
TOLD = ("tool", "rainy, 57°F", "call_1")
ANSWERED = ("assistant", "It rains in Paris.")
CHAT: Sequence[JsonDict] = (
    {"role": "user", "content": "Weather in Paris?"},
    {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "rainy, 57°F"},
    {"role": "assistant", "content": "It rains in Paris."},
)


def test_openai_chat_lines_with_all_that_they_may_hold(deployment: Deployment, tmp_path: Path) -> None:
    legacy = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
        {"role": "assistant", "function_call": {"name": "see", "arguments": '{"broken": '}},
        {"role": "function", "name": "see", "content": "a cat"},
        {"role": "tool", "tool_call_id": "nobody", "content": "late"},
        {"role": "assistant", "content": None, "refusal": "I cannot say.", "reasoning_content": "hm", "weight": 0},
    ]
    tools = [
        {"type": "function", "function": {"name": "see", "description": "Sees.", "parameters": {"type": "object"}}}
    ]
    path = lines(
        tmp_path / "chat.jsonl",
        {"id": "one", "messages": CHAT, "created_at": "2026-01-04 20:00:00", "user": "u1"},
        {"messages": legacy, "tools": tools, "title": "a cat"},
        {
            "custom_id": "b",
            "body": {"model": "gpt", "messages": CHAT[:1]},
            "response": {
                "body": {"choices": [{"message": CHAT[3]}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
            },
        },
    )

    found = sessions_of(deployment, path)

    assert said(found["one"]) == [ASKED, CALLED, TOLD, ANSWERED]
    assert found["one"]["metadata"] == {"user": "u1"}
    assert said(found["chat-2"]) == [
        ("user", ["Look", "image"]),
        ("assistant", None, [("call_1", "see", '{"broken": ')]),
        ("tool", "a cat", "call_1"),
        ("tool", "late", "nobody"),
        ("assistant", "I cannot say."),
    ]
    assert found["chat-2"]["tools"] == [
        {"name": "see", "description": "Sees.", "parameters": {"type": "object"}, "kind": "function"}
    ]
    assert (found["chat-2"]["name"], found["chat-2"]["messages"][-1]["reasoning"]) == ("a cat", "hm")
    assert said(found["b"]) == [ASKED, ANSWERED]
    assert found["b"]["messages"][-1]["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "input_tokens": 7,
        "output_tokens": 3,
    }


def test_a_file_that_is_the_messages_of_one_conversation(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(CHAT, indent=2))

    assert said(sessions_of(deployment, path)["talk-1"]) == [ASKED, CALLED, TOLD, ANSWERED]


def test_messages_in_blocks_are_read_too(deployment: Deployment, tmp_path: Path) -> None:
    blocks = [
        {"role": "user", "content": "Weather in Paris?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "A tool.", "signature": "s"},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": WEATHER},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": [{"type": "text", "text": "rainy, 57°F"}],
                    "is_error": True,
                }
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "It rains in Paris."}]},
    ]

    [session] = sessions_of(deployment, lines(tmp_path / "blocks.jsonl", {"messages": blocks})).values()

    assert said(session) == [ASKED, CALLED, TOLD, ANSWERED]
    assert (session["messages"][1]["reasoning"], session["messages"][2]["error"]) == (
        "A tool.",
        "the tool says that it failed",
    )


@pytest.mark.parametrize(
    "messages",
    [
        [
            {"role": "user", "parts": [{"type": "text", "text": "Weather in Paris?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool-call", "toolCallId": "call_1", "toolName": "get_weather", "input": WEATHER},
                    {
                        "type": "tool-result",
                        "toolCallId": "call_1",
                        "toolName": "get_weather",
                        "output": {"type": "text", "value": "rainy, 57°F"},
                    },
                    {"type": "text", "text": "It rains in Paris."},
                ],
            },
        ],
        [
            {"from": "human", "value": "Weather in Paris?"},
            {"from": "gpt", "value": "", "tool_calls": [{"name": "get_weather", "args": WEATHER, "id": "call_1"}]},
            {"from": "tool", "value": "rainy, 57°F"},
            {"from": "gpt", "value": "It rains in Paris."},
        ],
        [
            {"role": "user", "parts": [{"text": "Weather in Paris?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": WEATHER}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": "rainy, 57°F"}}]},
            {"role": "model", "parts": [{"text": "It rains in Paris."}]},
        ],
        [
            {"type": "human", "data": {"content": "Weather in Paris?"}},
            {
                "type": "ai",
                "data": {"content": "", "tool_calls": [{"name": "get_weather", "args": WEATHER, "id": "call_1"}]},
            },
            {"type": "tool", "data": {"content": "rainy, 57°F", "tool_call_id": "call_1"}},
            {"type": "ai", "data": {"content": "It rains in Paris."}},
        ],
    ],
    ids=["AI SDK", "ShareGPT", "Gemini", "LangChain"],
)
def test_what_other_programs_put_into_messages(
    deployment: Deployment, tmp_path: Path, messages: list[JsonDict]
) -> None:
    [session] = sessions_of(deployment, lines(tmp_path / "x.jsonl", {"id": "x", "messages": messages})).values()

    told = [(role, None if text == "" else text, *rest) for role, text, *rest in said(session)]
    assert told == [ASKED, CALLED, TOLD, ANSWERED]


def test_openai_responses_with_their_items(deployment: Deployment, tmp_path: Path) -> None:
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1767556800,
        "model": "gpt-5",
        "instructions": "Be short.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather in Paris?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A tool."}]},
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": '{"location":"Paris"}',
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "rainy, 57°F"},
        ],
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "It rains in Paris.", "annotations": []}],
            }
        ],
        "tools": [{"type": "function", "name": "get_weather", "parameters": {}}, {"type": "web_search"}],
        "usage": {"input_tokens": 9, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 2}},
    }

    [session] = sessions_of(deployment, lines(tmp_path / "r.jsonl", response)).values()

    assert said(session) == [("system", "Be short."), ASKED, CALLED, TOLD, ANSWERED]
    assert session["messages"][2]["reasoning"] == "A tool."
    assert session["created_at"] == "2026-01-04T20:00:00Z"
    assert [(tool["name"], tool["kind"]) for tool in session["tools"]] == [
        ("get_weather", "function"),
        ("web_search", "builtin"),
    ]
    assert session["messages"][-1]["usage"]["output_tokens"] == 4


def attribute(key: str, value: object) -> JsonDict:
    """Write an attribute as OTLP does."""

    def typed(inner: object) -> JsonDict:
        match inner:
            case bool():
                return {"boolValue": inner}
            case int():
                return {"intValue": str(inner)}
            case str():
                return {"stringValue": inner}
            case list():
                return {"arrayValue": {"values": [typed(one) for one in inner]}}
            case dict():
                return {"kvlistValue": {"values": [{"key": name, "value": typed(one)} for name, one in inner.items()]}}
            case _:
                return {}

    return {"key": key, "value": typed(value)}


def span(span_id: str, second: int, *, parent: str = "", trace: str = "t1", lasts: int = 1, **more: Any) -> JsonDict:  # noqa: ANN401 - attributes
    """Write a span as OTLP does; names of attributes have __ for dots."""
    status = more.pop("status", {})
    events = more.pop("events", [])
    begin = 1_767_556_800_000_000_000 + second * 1_000_000_000
    return {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": span_id,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(begin + lasts * 1_000_000_000),
        "attributes": [attribute(key.replace("__", "."), value) for key, value in more.items()],
        "events": events,
        "status": status,
    }


def otlp(*spans: JsonDict) -> JsonDict:
    return {
        "resourceSpans": [
            {"resource": {"attributes": [attribute("service.name", "bot")]}, "scopeSpans": [{"spans": list(spans)}]}
        ]
    }


SEMCONV_ASKED = {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}
SEMCONV_CALLED = {
    "role": "assistant",
    "parts": [
        {"type": "reasoning", "content": "A tool."},
        {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": WEATHER},
    ],
}
SEMCONV_TOLD = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "rainy, 57°F"}]}
SEMCONV_ANSWERED = {
    "role": "assistant",
    "parts": [{"type": "text", "content": "It rains in Paris."}],
    "finish_reason": "stop",
}
TOOLS = [{"type": "function", "name": "get_weather", "description": "Tells.", "parameters": {"type": "object"}}]


@pytest.mark.parametrize("as_text", [True, False], ids=["as a JSON text", "as values"])
def test_opentelemetry_spans_of_an_agent_with_a_tool(deployment: Deployment, tmp_path: Path, *, as_text: bool) -> None:
    def told(value: object) -> object:
        return json.dumps(value) if as_text else value

    chat = {"gen_ai__operation__name": "chat", "gen_ai__conversation__id": "conv_1", "gen_ai__request__model": "gpt-4"}
    first = span(
        "a",
        1,
        parent="root",
        **chat,
        gen_ai__system_instructions=told([{"type": "text", "content": "Be short."}]),
        gen_ai__input__messages=told([SEMCONV_ASKED]),
        gen_ai__output__messages=told([SEMCONV_CALLED]),
        gen_ai__tool__definitions=told(TOOLS),
        gen_ai__usage__input_tokens=10,
        gen_ai__usage__output_tokens=5,
    )
    tool = span(
        "b",
        2,
        parent="root",
        gen_ai__operation__name="execute_tool",
        gen_ai__tool__name="get_weather",
        gen_ai__tool__call__id="call_1",
        status={"code": 2, "message": "slow"},
    )
    last = span(
        "c",
        4,
        parent="root",
        **chat,
        gen_ai__system_instructions=told([{"type": "text", "content": "Be short."}]),
        gen_ai__input__messages=told([SEMCONV_ASKED, SEMCONV_CALLED, SEMCONV_TOLD]),
        gen_ai__output__messages=told([SEMCONV_ANSWERED]),
        gen_ai__usage__input_tokens=20,
        gen_ai__usage__output_tokens=7,
    )
    root = span("root", 0, lasts=6, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="helper")
    path = lines(tmp_path / "spans.jsonl", otlp(last), otlp(tool, root), otlp(first))

    found = sessions_of(deployment, path)

    session = found["conv_1"]
    assert said(session) == [("system", "Be short."), ASKED, CALLED, TOLD, ANSWERED]
    assert session["messages"][2]["reasoning"] == "A tool."
    assert (session["messages"][3]["error"], session["messages"][3]["latency_ms"]) == ("slow", 1_000.0)
    assert (session["created_at"], session["last_active"]) == ("2026-01-04T20:00:00Z", "2026-01-04T20:00:06Z")
    assert (session["profile_id"], session["tools"][0]["name"]) == ("helper", "get_weather")
    facts = session_store.require(deployment, PROJECT, ["conv_1"])[0].facts
    assert (facts.input_tokens, facts.output_tokens, facts.tool_errors, facts.wall_s) == (30, 12, 1, 6.0)


def test_opentelemetry_spans_of_a_sub_agent_stand_where_it_was_called(deployment: Deployment, tmp_path: Path) -> None:
    call = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c9", "name": "ask_maps", "arguments": {}}]}
    task = {"role": "user", "parts": [{"type": "text", "content": "Find Paris."}]}
    report = {"role": "assistant", "parts": [{"type": "text", "content": "Found."}]}
    back = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c9", "response": "Found."}]}
    chat = {"gen_ai__operation__name": "chat"}
    path = lines(
        tmp_path / "s.jsonl",
        otlp(
            span("root", 0, lasts=9, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="helper"),
            span(
                "a", 1, parent="root", **chat, gen_ai__input__messages=[SEMCONV_ASKED], gen_ai__output__messages=[call]
            ),
            span(
                "tool",
                3,
                lasts=3,
                parent="root",
                gen_ai__operation__name="execute_tool",
                gen_ai__tool__name="ask_maps",
                gen_ai__tool__call__id="c9",
            ),
            span("sub", 4, parent="tool", gen_ai__operation__name="invoke_agent", gen_ai__agent__name="maps"),
            span("b", 4, parent="sub", **chat, gen_ai__input__messages=[task], gen_ai__output__messages=[report]),
            span(
                "c",
                7,
                parent="root",
                **chat,
                gen_ai__input__messages=[SEMCONV_ASKED, call, back],
                gen_ai__output__messages=[SEMCONV_ANSWERED],
            ),
        ),
    )

    session = sessions_of(deployment, path)["t1"]

    assert [(message["role"], message.get("agent")) for message in session["messages"]] == [
        ("user", None),
        ("assistant", None),
        ("user", "maps"),
        ("assistant", "maps"),
        ("tool", None),
        ("assistant", None),
    ]
    assert session["tools"] == [{"name": "ask_maps", "kind": "subagent"}]
    assert session_store.require(deployment, PROJECT, ["t1"])[0].facts.subagent_calls == 1


def test_opentelemetry_turns_whose_history_is_kept_elsewhere_are_joined(deployment: Deployment, tmp_path: Path) -> None:
    chat = {"gen_ai__operation__name": "chat", "gen_ai__conversation__id": "conv"}

    def turn(number: int) -> JsonDict:
        asked = {"role": "user", "parts": [{"type": "text", "content": f"question {number}"}]}
        answered = {"role": "assistant", "parts": [{"type": "text", "content": f"answer {number}"}]}
        return span(
            f"s{number}",
            number * 10,
            trace=f"t{number}",
            **chat,
            gen_ai__input__messages=[asked],
            gen_ai__output__messages=[answered],
        )

    path = lines(tmp_path / "s.jsonl", otlp(turn(2)), otlp(turn(1)), otlp(turn(3)))

    assert [text for _, text in said(sessions_of(deployment, path)["conv"])] == [
        f"{who} {number}" for number in (1, 2, 3) for who in ("question", "answer")
    ]


def test_opentelemetry_events_of_before_1_37(deployment: Deployment, tmp_path: Path) -> None:
    def log(name: str, second: int, body: object, span_id: str = "a") -> JsonDict:
        return {
            "timeUnixNano": str(1_767_556_800_000_000_000 + second * 1_000_000_000),
            "traceId": "t1",
            "spanId": span_id,
            "eventName": name,
            "body": attribute("x", body)["value"],
            "attributes": [attribute("gen_ai.system", "openai")],
        }

    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
    }
    logs = {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            log("gen_ai.system.message", 1, {"content": "Be short."}),
                            log("gen_ai.user.message", 1, {"content": "Weather in Paris?"}),
                            log(
                                "gen_ai.choice",
                                2,
                                {"index": 0, "finish_reason": "tool_calls", "message": {"tool_calls": [call]}},
                            ),
                            log("gen_ai.system.message", 3, {"content": "Be short."}, "b"),
                            log("gen_ai.user.message", 3, {"content": "Weather in Paris?"}, "b"),
                            log("gen_ai.assistant.message", 3, {"tool_calls": [call]}, "b"),
                            log("gen_ai.tool.message", 3, {"id": "call_1", "content": "rainy, 57°F"}, "b"),
                            log(
                                "gen_ai.choice",
                                4,
                                {
                                    "index": 0,
                                    "finish_reason": "stop",
                                    "message": {"role": "assistant", "content": "It rains in Paris."},
                                },
                                "b",
                            ),
                        ]
                    }
                ]
            }
        ]
    }
    spans = otlp(
        *(
            span(name, second, gen_ai__operation__name="chat", gen_ai__request__model="gpt-4")
            for name, second in (("a", 1), ("b", 3))
        )
    )

    session = sessions_of(deployment, lines(tmp_path / "spans.jsonl", spans), lines(tmp_path / "logs.jsonl", logs))[
        "t1"
    ]

    assert said(session) == [("system", "Be short."), ASKED, CALLED, TOLD, ANSWERED]
    assert session["messages"][-1]["model"] == "gpt-4"


def test_opentelemetry_spans_as_the_python_sdk_prints_them(deployment: Deployment, tmp_path: Path) -> None:
    printed = {
        "name": "chat gpt-4",
        "context": {"trace_id": "0xabc", "span_id": "0x1", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": None,
        "start_time": "2026-01-04T20:00:00.000000Z",
        "end_time": "2026-01-04T20:00:02.000000Z",
        "status": {"status_code": "UNSET"},
        "attributes": {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"},
        "events": [
            {
                "name": "gen_ai.content.prompt",
                "timestamp": "2026-01-04T20:00:00Z",
                "attributes": {"gen_ai.prompt": json.dumps(CHAT[:3])},
            },
            {
                "name": "gen_ai.content.completion",
                "timestamp": "2026-01-04T20:00:02Z",
                "attributes": {"gen_ai.completion": json.dumps([CHAT[3]])},
            },
        ],
        "links": [],
        "resource": {"attributes": {"service.name": "bot"}},
    }
    path = tmp_path / "console.json"
    path.write_text(
        json.dumps(printed, indent=4)
        + "\n"
        + json.dumps({**printed, "context": {"trace_id": "0xdef", "span_id": "0x2"}}, indent=4)
        + "\n"
    )

    found = sessions_of(deployment, path)

    assert said(found["abc"]) == said(found["def"]) == [ASKED, CALLED, TOLD, ANSWERED]


def flattened(prefix: str, messages: Sequence[JsonDict]) -> JsonDict:
    """Write messages as OpenInference flattens them."""
    flat: JsonDict = {}
    for place, message in enumerate(messages):
        name = f"{prefix}.{place}.message"
        for key in ("role", "content", "tool_call_id"):
            if message.get(key) is not None:
                flat[f"{name}.{key}"] = message[key]
        for number, call in enumerate(message.get("tool_calls", ())):
            flat[f"{name}.tool_calls.{number}.tool_call.id"] = call["id"]
            flat[f"{name}.tool_calls.{number}.tool_call.function.name"] = call["function"]["name"]
            flat[f"{name}.tool_calls.{number}.tool_call.function.arguments"] = call["function"]["arguments"]
    return flat


@pytest.mark.parametrize("form", ["otlp", "phoenix", "nested"])
def test_openinference_spans_flattened_and_nested(deployment: Deployment, tmp_path: Path, form: str) -> None:
    chat = {
        "openinference.span.kind": "LLM",
        "session.id": "s-9",
        "llm.model_name": "gpt-4",
        "llm.token_count.prompt": 11,
    }
    tools = {"llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": {"name": "get_weather"}})}
    first = {
        **chat,
        **tools,
        **flattened("llm.input_messages", CHAT[:1]),
        **flattened("llm.output_messages", CHAT[1:2]),
    }
    last = {**chat, **flattened("llm.input_messages", CHAT[:3]), **flattened("llm.output_messages", CHAT[3:])}
    tool = {
        "openinference.span.kind": "TOOL",
        "tool.name": "get_weather",
        "input.value": '{"location": "Paris"}',
        "output.value": "rainy, 57°F",
    }
    rows = [("b", 3, last), ("t", 2, tool), ("a", 1, first)]

    def written(name: str, second: int, attributes: JsonDict) -> JsonDict:
        if form == "otlp":
            return otlp(span(name, second, **{key.replace(".", "__"): value for key, value in attributes.items()}))
        about = {
            "name": name,
            "parent_id": None,
            "start_time": f"2026-01-04T20:00:0{second}Z",
            "end_time": f"2026-01-04T20:00:0{second + 1}Z",
            "status_code": "OK",
        }
        if form == "phoenix":
            columns = {f"attributes.{key}": value for key, value in attributes.items()}
            return {**about, "context.trace_id": "t1", "context.span_id": name, **columns}
        return {
            **about,
            "context": {"trace_id": "t1", "span_id": name},
            "span_kind": attributes["openinference.span.kind"],
            "attributes": nested(attributes),
        }

    [(name, session)] = sessions_of(deployment, lines(tmp_path / "s.jsonl", *(written(*row) for row in rows))).items()

    assert name == "s-9"
    assert said(session) == [ASKED, CALLED, TOLD, ANSWERED]
    assert [tool["name"] for tool in session["tools"]] == ["get_weather"]
    assert session["messages"][1]["usage"] == {"input_tokens": 11}


def nested(attributes: JsonDict) -> JsonDict:
    """Write attributes as Phoenix' interface gives them: objects, and lists of messages."""
    from eval_pipeline.session_eval.sessions.importers.spans import tree_of  # noqa: PLC0415 - the inverse of what is tested

    found: JsonDict = tree_of(attributes)
    return found


def observation(observation_id: str, kind: str, second: int, **more: Any) -> JsonDict:  # noqa: ANN401 - fields
    """Write an observation as Langfuse' interface does."""
    return {
        "id": observation_id,
        "traceId": "lf-1",
        "type": kind,
        "startTime": f"2026-01-04T20:00:0{second}.000Z",
        "endTime": f"2026-01-04T20:00:0{second + 1}.000Z",
        "parentObservationId": None,
        "level": "DEFAULT",
        **more,
    }


GENERATIONS: Sequence[JsonDict] = (
    observation(
        "g1",
        "GENERATION",
        1,
        input=list(CHAT[:1]),
        output=CHAT[1],
        model="gpt-4",
        usageDetails={"input": 5, "output": 2},
    ),
    observation("o1", "TOOL", 2, name="get_weather", input=WEATHER, output="rainy, 57°F"),
    observation("g2", "GENERATION", 3, input={"messages": list(CHAT[:3])}, output=CHAT[3], totalCost=0.25),
)
SCORES: Sequence[JsonDict] = (
    {
        "id": "s1",
        "traceId": "lf-1",
        "name": "helpful",
        "value": 0.8,
        "source": "ANNOTATION",
        "authorUserId": "asha",
        "timestamp": "2026-01-05T00:00:00.000Z",
        "comment": "good",
        "dataType": "NUMERIC",
    },
    {
        "id": "s2",
        "traceId": "lf-1",
        "name": "auto",
        "value": 1,
        "source": "EVAL",
        "dataType": "NUMERIC",
        "timestamp": "2026-01-05T00:00:00.000Z",
    },
)


def _trace_file(folder: Path) -> list[Path]:
    trace = {
        "id": "lf-1",
        "timestamp": "2026-01-04T20:00:00.000Z",
        "name": "chat",
        "sessionId": "sess",
        "userId": "u",
        "htmlPath": "/x",
        "observations": list(GENERATIONS),
        "scores": list(SCORES),
    }
    path = folder / "trace-lf-1.json"
    path.write_text(json.dumps(trace, indent=2))
    return [path]


def _session_file(folder: Path) -> list[Path]:
    trace = {
        "id": "lf-1",
        "timestamp": "2026-01-04T20:00:00.000Z",
        "name": "chat",
        "userId": "u",
        "observations": list(GENERATIONS),
        "scores": list(SCORES),
    }
    path = folder / "session.json"
    path.write_text(
        json.dumps({"id": "sess", "createdAt": "2026-01-04T20:00:00Z", "projectId": "p", "traces": [trace]}, indent=2)
    )
    return [path]


def _blob_files(folder: Path) -> list[Path]:
    def row(one: JsonDict) -> JsonDict:
        names = {
            "traceId": "trace_id",
            "startTime": "start_time",
            "endTime": "end_time",
            "parentObservationId": "parent_observation_id",
            "usageDetails": "usage_details",
            "model": "provided_model_name",
            "totalCost": "total_cost",
            "authorUserId": "author_user_id",
            "dataType": "data_type",
        }
        renamed = {names.get(key, key): item for key, item in one.items()}
        for key in ("input", "output"):
            if key in renamed and not isinstance(renamed[key], str):
                renamed[key] = json.dumps(renamed[key])
        for key in ("start_time", "end_time"):
            if key in renamed:
                renamed[key] = renamed[key].replace("T", " ").replace("Z", "000")
        return renamed

    observations = [{**row(one), "session_id": "sess", "trace_name": "chat", "user_id": "u"} for one in GENERATIONS]
    return [lines(folder / "observations_v2.jsonl", *observations), lines(folder / "scores.jsonl", *map(row, SCORES))]


@pytest.mark.parametrize("write", [_trace_file, _session_file, _blob_files])
def test_langfuse_exports_in_every_form(
    deployment: Deployment, tmp_path: Path, write: Callable[[Path], list[Path]]
) -> None:
    session = sessions_of(deployment, *write(tmp_path))["sess"]

    assert said(session) == [ASKED, CALLED, TOLD, ANSWERED]
    [rating] = session["metadata"]["human_ratings"]
    assert (rating["name"], rating["value"], rating["author"]) == ("helpful", 0.8, "asha")
    assert session["name"] == "chat"
    assert session["metadata"]["users"] == ["u"]
    facts = session_store.require(deployment, PROJECT, ["sess"])[0].facts
    assert (facts.input_tokens, facts.cost_usd, facts.tool_calls) == (5, 0.25, 1)


SAMPLE: JsonDict = {
    "id": 7,
    "epoch": 2,
    "input": "Weather in Paris?",
    "target": "rain",
    "messages": [
        {"id": "m1", "content": "attachment://abc", "source": "input", "role": "user"},
        {
            "id": "m2",
            "content": [{"type": "reasoning", "reasoning": "A tool."}, {"type": "text", "text": ""}],
            "role": "assistant",
            "model": "openai/gpt-4",
            "tool_calls": [{"id": "call_1", "function": "get_weather", "arguments": WEATHER, "type": "function"}],
        },
        {
            "id": "m3",
            "content": "rainy, 57°F",
            "role": "tool",
            "tool_call_id": "call_1",
            "function": "get_weather",
            "error": {"type": "timeout", "message": "slow"},
        },
        {"id": "m4", "content": "It rains in Paris.", "role": "assistant", "source": "generate"},
    ],
    "scores": {"match": {"value": "C", "answer": "rain", "explanation": "says so"}},
    "attachments": {"abc": "Weather in Paris?"},
    "model_usage": {"openai/gpt-4": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}},
}
EVAL = {"run_id": "run12345678", "task": "weather", "model": "openai/gpt-4", "created": "2026-01-04T20:00:00+00:00"}


@pytest.mark.parametrize("packed", [True, False], ids=[".eval", ".json"])
def test_inspect_logs(deployment: Deployment, tmp_path: Path, *, packed: bool) -> None:
    log = {"version": 2, "status": "success", "eval": EVAL, "plan": {}}
    path = tmp_path / ("weather.eval" if packed else "weather.json")
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", json.dumps(log))
            archive.writestr("samples/7_epoch_2.json", json.dumps(SAMPLE))
            archive.writestr("summaries.json", "[]")
    else:
        path.write_text(json.dumps({**log, "samples": [SAMPLE]}, indent=2))

    [(name, session)] = sessions_of(deployment, path).items()

    assert name == "weather-run12345-7-epoch-2"
    assert [one[0] for one in said(session)] == ["user", "assistant", "tool", "assistant"]
    assert session["messages"][0]["content"] == "Weather in Paris?"
    assert (session["messages"][1]["reasoning"], session["messages"][2]["error"]) == ("A tool.", "timeout: slow")
    assert session["messages"][2]["name"] == "get_weather"
    assert (session["outcome"]["reward"], session["outcome"]["success"]) == (1.0, True)
    assert session_store.require(deployment, PROJECT, [name])[0].facts.input_tokens == 9


def test_atif_trajectories_with_a_sub_agent(deployment: Deployment, tmp_path: Path) -> None:
    sub = {
        "schema_version": "ATIF-v1.7",
        "session_id": "sub-1",
        "agent": {"name": "maps", "version": "1"},
        "steps": [
            {"step_id": 1, "source": "user", "message": "Find Paris."},
            {"step_id": 2, "source": "agent", "message": "Found."},
        ],
    }
    trajectory = {
        "schema_version": "ATIF-v1.7",
        "session_id": "run-1",
        "agent": {
            "name": "terminus",
            "version": "2",
            "model_name": "gpt-4",
            "tool_definitions": [{"type": "function", "function": {"name": "get_weather"}}],
        },
        "steps": [
            {"step_id": 1, "timestamp": "2026-01-04T20:00:00Z", "source": "user", "message": "Weather in Paris?"},
            {
                "step_id": 2,
                "timestamp": "2026-01-04T20:00:01Z",
                "source": "agent",
                "model_name": "gpt-4",
                "message": "",
                "reasoning_content": "A tool.",
                "tool_calls": [
                    {"tool_call_id": "call_1", "function_name": "get_weather", "arguments": WEATHER},
                    {"tool_call_id": "call_2", "function_name": "ask_maps", "arguments": {}},
                ],
                "observation": {
                    "results": [
                        {"source_call_id": "call_1", "content": "rainy, 57°F"},
                        {
                            "source_call_id": "call_2",
                            "content": None,
                            "subagent_trajectory_ref": [{"session_id": "sub-1"}],
                        },
                    ]
                },
                "metrics": {"prompt_tokens": 8, "completion_tokens": 2, "cost_usd": 0.5},
            },
            {"step_id": 3, "source": "agent", "message": [{"type": "text", "text": "It rains in Paris."}]},
        ],
        "final_metrics": {"total_prompt_tokens": 8},
        "subagent_trajectories": [sub],
    }
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(trajectory, indent=2))

    session = sessions_of(deployment, path)["run-1"]

    assert [(message["role"], message.get("agent")) for message in session["messages"]] == [
        ("user", None),
        ("assistant", None),
        ("tool", None),
        ("user", "maps"),
        ("assistant", "maps"),
        ("tool", None),
        ("assistant", None),
    ]
    assert said(session)[2] == TOLD
    facts = session_store.require(deployment, PROJECT, ["run-1"])[0].facts
    assert (facts.tool_calls, facts.subagent_calls, facts.cost_usd, facts.user_turns) == (2, 1, 0.5, 1)
    assert session["profile_id"] == "terminus"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"messages": [{"role": "moderator", "content": "x"}]}, "messages[0].role is 'moderator'"),
        ({"messages": []}, "messages is empty"),
        ({"task_id": 1, "traj": []}, "messages is empty"),
        (
            {"schema_version": "ATIF-v1.4", "agent": {"name": "x"}, "steps": [{"source": "robot", "message": "x"}]},
            "messages[0].role is 'robot'",
        ),
        ({"id": 1, "epoch": 1, "messages": []}, "sample 1 has no messages"),
        (otlp(span("a", 1, gen_ai__operation__name="chat")), "carry neither input nor output"),
        ({"version": 2, "status": "error", "eval": {"task": "x"}, "samples": None}, "the log has no samples"),
    ],
)
def test_what_makes_no_session_is_told(deployment: Deployment, tmp_path: Path, value: JsonDict, reason: str) -> None:
    result = brought_in(deployment, lines(tmp_path / "x.jsonl", value))

    assert result.sessions == 0
    assert [reason in bad.reason for bad in result.bad] == [True]
    assert result.bad[0].number == 1


def test_times_without_a_zone_are_utc_and_told(deployment: Deployment, tmp_path: Path) -> None:
    said_when = [
        {"role": "user", "content": "x", "timestamp": "2026-01-04 20:00"},
        {"role": "user", "content": "y", "timestamp": "noon"},
    ]

    result = brought_in(deployment, lines(tmp_path / "x.jsonl", {"id": "x", "messages": said_when}))

    [stored] = session_store.require(deployment, PROJECT, ["x"])
    assert stored.last_active is not None
    assert stored.last_active.isoformat() == "2026-01-04T20:00:00+00:00"
    assert set(result.notes) == {"times without a zone were taken as UTC", "times that cannot be read were left out"}
