"""What becomes of a frozen model body that was written for the Responses API."""

from typing import Any

import orjson
import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.openai_chat.batch_lines import ChatLines
from eval_pipeline.providers.openai_chat.body import chat_body, check_body
from eval_pipeline.providers.openai_chat.token_limit import TokenLimit

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
LOOK = {"name": "look", "description": "Look up.", "parameters": SCHEMA, "strict": True}
TABLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"temperature": 0, "top_p": 0.5, "seed": 7, "stop": ["\n"]},
        {"temperature": 0, "top_p": 0.5, "seed": 7, "stop": ["\n"]},
    ),
    ({"metadata": {"a": "b"}, "user": "u", "store": False}, {"metadata": {"a": "b"}, "user": "u", "store": False}),
    ({"top_k": 5, "keep_alive": "1h"}, {"top_k": 5, "keep_alive": "1h"}),
    ({"metadata": {}}, {"metadata": {}}),
    ({"temperature": None, "tools": None, "text": None}, {}),
    ({"include": [], "truncation": "disabled", "n": 1, "stream": False, "background": False}, {}),
    ({"max_output_tokens": 64}, {"max_completion_tokens": 64}),
    ({"max_tokens": 64}, {"max_tokens": 64}),
    ({"reasoning": {"effort": "low", "summary": None}}, {"reasoning_effort": "low"}),
    ({"reasoning": {}}, {}),
    ({"reasoning_effort": "none"}, {"reasoning_effort": "none"}),
    ({"reasoning": {"max_tokens": 900, "exclude": True}}, {"reasoning": {"max_tokens": 900, "exclude": True}}),
    ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {"verbosity": "low"}),
    ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}},
    ),
    (
        {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}},
    ),
    ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
    ({"tools": [{"type": "function", **LOOK}]}, {"tools": [{"type": "function", "function": LOOK}]}),
    ({"tools": [{"type": "function", "function": LOOK}]}, {"tools": [{"type": "function", "function": LOOK}]}),
    ({"tool_choice": "none", "parallel_tool_calls": False}, {"tool_choice": "none", "parallel_tool_calls": False}),
    (
        {"tool_choice": {"type": "function", "name": "look"}},
        {"tool_choice": {"type": "function", "function": {"name": "look"}}},
    ),
    (
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]}},
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "look"}}]},
            }
        },
    ),
    ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
]


@pytest.mark.parametrize(("body", "expected"), TABLE)
def test_what_both_protocols_know_is_said_in_the_words_of_chat(body: dict[str, Any], expected: dict[str, Any]) -> None:
    check_body({"model": "m", **body})
    asked = chat_body({"model": "m", **body, "input": "q"}, limit=TokenLimit.MAX_COMPLETION_TOKENS)

    assert asked == {"model": "m", **expected, "messages": [{"role": "user", "content": "q"}]}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"tools": [{"type": "function", "name": "f"}, {"type": "file_search"}]}, "tools[1] of type 'file_search'"),
        ({"tools": [{"type": "web_search"}]}, "tools[0] of type 'web_search'"),
        ({"tools": ["look"]}, "tools[0]"),
        ({"tools": {"type": "function"}}, "tools"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice 'file_search'"),
        ({"tool_choice": {"type": "allowed_tools", "tools": [{"type": "mcp"}]}}, "tool_choice.tools[0]"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"truncation": "auto"}, "truncation"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning.summary"),
        ({"reasoning": "low"}, "reasoning"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type 'grammar'"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"text": {"format": {"type": "json_schema", "schema": SCHEMA, "definition": 1}}}, "text.format.definition"),
        ({"text": {"style": 1}}, "text.style"),
        ({"text": "json"}, "text"),
        ({"messages": []}, "messages"),
        ({"n": 2}, "n,"),
        ({"max_output_tokens": 64, "max_tokens": 64}, "max_output_tokens and max_tokens"),
        ({"max_output_tokens": 64, "max_completion_tokens": 64}, "max_output_tokens and max_completion_tokens"),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "low"}, "reasoning and reasoning_effort"),
        ({"text": {"format": {"type": "json_object"}}, "response_format": {}}, "text and response_format"),
        ({"instructions": ["be brief"]}, "instructions"),
    ],
)
def test_what_chat_does_not_know_is_refused_by_its_name(body: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_body({"model": "m", **body})

    assert refused.value.code == "invalid_config"
    assert named in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("limit", "fields"),
    [
        (TokenLimit.BOTH, {"max_completion_tokens": 9, "max_tokens": 9}),
        (TokenLimit.MAX_COMPLETION_TOKENS, {"max_completion_tokens": 9}),
        (TokenLimit.MAX_TOKENS, {"max_tokens": 9}),
    ],
)
def test_the_limit_goes_by_the_names_that_the_server_knows(limit: TokenLimit, fields: dict[str, int]) -> None:
    asked = chat_body({"model": "m", "max_output_tokens": 9, "input": "q"}, limit=limit)

    assert {name: value for name, value in asked.items() if name.startswith("max_")} == fields


def test_instructions_and_earlier_turns_are_messages_with_their_roles() -> None:
    turns = [
        {"role": "developer", "content": "Answer in Hindi."},
        {"role": "user", "content": [{"type": "input_text", "text": "Which crop?"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Wheat.", "annotations": []}]},
        {"type": "message", "role": "user", "content": "And when?"},
    ]

    asked = chat_body({"model": "m", "instructions": "Be brief.", "input": turns}, limit=TokenLimit.BOTH)

    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Answer in Hindi."},
        {"role": "user", "content": "Which crop?"},
        {"role": "assistant", "content": "Wheat."},
        {"role": "user", "content": "And when?"},
    ]


def test_pictures_and_files_pass_where_they_lie_in_the_request() -> None:
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"},
    ]

    asked = chat_body({"model": "m", "input": [{"role": "user", "content": parts}]}, limit=TokenLimit.BOTH)

    assert asked["messages"][0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}},
    ]


@pytest.mark.parametrize(
    ("turn", "named"),
    [
        ({"type": "function_call_output", "output": "x"}, "input[0] of type 'function_call_output'"),
        ({"role": "judge", "content": "x"}, "input[0] with the role 'judge'"),
        ({"role": "user", "content": None}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0]"),
        ("hello", "input[0]"),
    ],
)
def test_a_turn_that_chat_does_not_know_is_named(turn: object, named: str) -> None:
    with pytest.raises(UsageError) as refused:
        chat_body({"model": "m", "input": [turn]}, limit=TokenLimit.BOTH)

    assert named in refused.value.message


TURNS = [{"role": "user", "content": "Which crop?"}, {"role": "assistant", "content": "Wheat."}]


@pytest.mark.parametrize("said", [{}, {"instructions": "Be “brief”."}], ids=["bare", "instructed"])
@pytest.mark.parametrize(
    "given", ["How high\u2028is it?", [*TURNS, {"role": "user", "content": "When?"}]], ids=["question", "turns"]
)
def test_a_line_of_a_batch_is_the_live_request_of_one_item(said: dict[str, Any], given: Input) -> None:
    body = {"model": "m", "max_output_tokens": 9, "temperature": 0, **said}

    line = ChatLines(body=body).line("q1", given)

    assert (line[-1:], line.count(b"\n")) == (b"\n", 1)
    limit = TokenLimit.MAX_COMPLETION_TOKENS
    assert orjson.loads(line) == {
        "custom_id": "q1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": chat_body({**body, "input": given}, limit=limit),
    }
    assert rb'"content":"cut \ud83d"' in ChatLines(body=body).line("q1", "cut \ud83d")
