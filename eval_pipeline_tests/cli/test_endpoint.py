"""Whom models can be asked, one question to one of them, and the line that mends a wrong protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from eval_pipeline.standins.server import serve
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

KEY = "sk-test-0123456789abcdef"
GOLDEN = "question,answer\nCapital of France?,Paris\n"


def _chat_only() -> Starlette:
    """Make a server that has chat completions, and answers 404 to all else."""

    async def complete(request: Request) -> Response:
        body = await request.json()
        if "messages" not in body:
            return JSONResponse({"error": {"message": "messages is required"}}, 400)
        text = '{"answer": "Paris"}' if "response_format" in body else f"Paris, says {KEY}"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        return JSONResponse({"id": "c1", "model": body["model"], "choices": [choice], "usage": usage})

    async def models(request: Request) -> Response:
        del request
        return JSONResponse({"data": [{"id": "gemma3"}]})

    app = Starlette()
    app.add_route("/v1/chat/completions", complete, methods=["POST"])
    app.add_route("/v1/models", models)
    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(_chat_only()) as running:
        yield f"{running}/v1"


def commands_with(folder: Path, file: str, **variables: str) -> Commands:
    """Return the command line with this endpoints file."""
    path = folder / "endpoints.yaml"
    path.write_text(file, encoding="utf-8")
    made = Commands(folder, EVAL_ENDPOINTS_FILE=str(path), **variables)
    furnish(made.home)
    return made


@pytest.fixture
def commands(tmp_path: Path, url: str) -> Commands:
    text = f"""
endpoints:
  local: {{protocol: openai_chat, base_url: "{url}", key: ${{LOCAL_KEY}}, concurrency: 2}}
  wrong: {{protocol: openai_responses, base_url: "{url}", key: none}}
prices:
  local/gemma3: {{input: 100, output: 0}}
"""
    return commands_with(tmp_path, text, LOCAL_KEY=KEY)


def test_endpoints_are_listed_without_their_keys(commands: Commands) -> None:
    listed = commands.json("endpoint", "list")
    shown = commands("endpoint", "list")

    assert [one["name"] for one in listed["endpoints"]] == ["openai", "gemini", "local", "wrong"]
    local = listed["endpoints"][2]
    assert (local["protocol"], local["key"], local["has_key"], local["concurrency"]) == (
        "openai_chat",
        "set: LOCAL_KEY",
        True,
        2,
    )
    assert (local["batches"], listed["endpoints"][0]["key"]) == (False, "not set: OPENAI_API_KEY")
    assert "local" in shown.out
    assert KEY not in f"{listed}{shown}"


def test_one_question_shows_request_answer_and_what_was_found_without_secrets(commands: Commands, url: str) -> None:
    tried = commands("endpoint", "try", "local/gemma3", "--question", "Capital?", "--json")
    shown = commands("endpoint", "try", "local", "--question", "Capital?")
    structured = commands.json("endpoint", "try", "local/gemma3", "--structured")

    assert tried.code == 0, tried
    told = tried.document
    assert told["request"]["url"] == f"{url}/chat/completions"
    assert told["request"]["headers"] == {"Authorization": "…"}
    assert told["request"]["body"]["messages"] == [{"role": "user", "content": "Capital?"}]
    assert (told["answer"], told["cost_usd"], told["structured"]) == ("Paris, says [key]", 0.001, None)
    assert (shown.code, "answer: Paris" in shown.out) == (0, True), "the first model of its list is asked"
    assert structured["structured"] is True
    assert KEY not in f"{tried}{shown}{structured}"


def test_a_server_without_responses_is_told_with_the_line_that_mends_it(commands: Commands, url: str) -> None:
    commands.add("golden", GOLDEN)
    run = ("--dataset", "golden", "--mode", "fast", "--scorer", "exact_match", "--json")

    tried = commands("endpoint", "try", "wrong/gemma3", "--json")
    written = commands("text", "run", "first", *run, "--model", "wrong/gemma3")
    built_in = commands("text", "run", "second", *run, "--model", "gemma3", OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY)
    examined = {one["check"]: one for one in commands("doctor", "--ask", "--json").document["checks"]}

    line = f"write protocol: openai_chat for endpoint wrong in {commands.folder / 'endpoints.yaml'}"
    assert (tried.code, line in tried.document["hint"]) == (1, True)
    assert written.document["error"]["code"] == "provider_other_protocol"
    assert line in written.document["error"]["hint"]
    entry = f'NAME: {{protocol: openai_chat, base_url: "{url}", key: ${{OPENAI_API_KEY}}}}'
    assert entry in built_in.document["error"]["hint"]
    wrong, local = examined["endpoint wrong"], examined["endpoint local"]
    assert (wrong["ok"], line in wrong["hint"]) == (False, True)
    assert local["ok"] is True
    assert local["found"] == {
        "models": ["gemma3"],
        "asked": {"gemma3": {"answers": True, "structured": True}},
        "has": {"/responses": False, "/chat/completions": True, "/embeddings": False, "/batches": False},
    }


def test_what_cannot_be_tried_says_why(commands: Commands) -> None:
    refused = {
        name: commands("endpoint", "try", name, "--json").document["error"]["code"]
        for name in ("nobody/m", "openai/gpt-4o")
    }
    assert refused == {"nobody/m": "endpoint_not_configured", "openai/gpt-4o": "missing_api_key"}
