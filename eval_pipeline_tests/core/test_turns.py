"""A question behind earlier turns, as every protocol gets it."""

import orjson

from eval_pipeline.core.turns import Role, Turn, input_of, turns_of
from eval_pipeline.providers.gemini.batch_lines import GeminiLines
from eval_pipeline.providers.gemini.requests import request_of
from eval_pipeline.providers.openai.batch_lines import OpenAILines

TURNS = (Turn(Role.SYSTEM, "Be brief."), Turn(Role.USER, "Capital of India?"), Turn(Role.ASSISTANT, "New Delhi"))
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Capital of India?"},
    {"role": "assistant", "content": "New Delhi"},
    {"role": "user", "content": "And Japan?"},
]


def test_a_question_alone_is_a_text_and_behind_turns_the_last_of_the_messages() -> None:
    assert input_of("And Japan?", ()) == "And Japan?"
    assert input_of("And Japan?", TURNS) == MESSAGES
    assert turns_of(MESSAGES) == (*TURNS, Turn(Role.USER, "And Japan?"))
    assert turns_of("And Japan?") == (Turn(Role.USER, "And Japan?"),)


def test_gemini_gets_roles_of_its_own_and_what_the_system_says_as_instruction_live_and_in_a_batch() -> None:
    body = {"model": "m", "instructions": "You teach.", "temperature": 0}
    request = request_of({**body, "input": input_of("And Japan?", TURNS)})

    assert request == {
        "contents": [
            {"parts": [{"text": "Capital of India?"}], "role": "user"},
            {"parts": [{"text": "New Delhi"}], "role": "model"},
            {"parts": [{"text": "And Japan?"}], "role": "user"},
        ],
        "systemInstruction": {"parts": [{"text": "You teach."}, {"text": "Be brief."}]},
        "generationConfig": {"temperature": 0},
    }
    line = orjson.loads(GeminiLines(body=body).line("q1#1", input_of("And Japan?", TURNS)))
    assert line == {"key": "q1#1", "request": request}
    bare = orjson.loads(GeminiLines(body=body).line("q1#1", "And Japan?"))
    assert bare["request"] == request_of({**body, "input": "And Japan?"})


def test_a_line_of_an_openai_batch_holds_the_messages_as_a_live_call_does() -> None:
    line = OpenAILines(endpoint="/v1/responses", body={"model": "m"}).line("q1#1", input_of("And Japan?", TURNS))

    assert line.endswith(b"\n")
    assert orjson.loads(line)["body"] == {"model": "m", "input": MESSAGES}
