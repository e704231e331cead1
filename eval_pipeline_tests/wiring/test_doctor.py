"""What the doctor finds at providers that answer, refuse, or are something else."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.server import serve
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.doctor import Finding, examine
from eval_pipeline_tests.providers.script import scripted

KEY = "the-right-key"


@pytest.fixture(scope="module")
def gemini_url() -> Iterator[str]:
    with serve(gemini.create_app(gemini.GeminiOptions(accepted_keys=frozenset({KEY})))) as url:
        yield url


@pytest.fixture(scope="module")
def openai_url() -> Iterator[str]:
    with serve(openai.create_app(openai.OpenAIOptions(accepted_keys=frozenset({KEY})))) as url:
        yield f"{url}/v1"


def findings(home: Path, **variables: str) -> dict[str, Finding]:
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(home), **variables}, make_s3_client=_no_s3)
    try:
        return {finding.check: finding for finding in examine(deployment, project="default")}
    finally:
        deployment.close()


def _no_s3() -> None:
    raise AssertionError("nothing lies in S3")


def test_a_home_its_database_and_its_store_are_tried(tmp_path: Path) -> None:
    found = findings(tmp_path / "home")

    assert [found[check].ok for check in ("home", "database", "store")] == [True, True, True]
    assert not list((tmp_path / "home").rglob("doctor/*")), "the probe is taken away"


def test_without_any_key_one_provider_is_asked_for_and_the_others_are_off(tmp_path: Path) -> None:
    found = findings(tmp_path)

    assert found["OpenAI"].ok is False
    assert "OPENAI_API_KEY" in found["OpenAI"].detail
    assert (found["Gemini"].ok, found["Gemini"].detail) == (None, "off: GEMINI_API_KEY is not set")
    assert found["Langfuse"].ok is None


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1beta/"])
def test_a_key_that_gemini_takes_is_enough(tmp_path: Path, gemini_url: str, end: str) -> None:
    found = findings(tmp_path, GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=gemini_url + end)

    assert (found["Gemini"].ok, found["Gemini"].hint) == (True, "")
    assert "3 models (gemini-2.5-flash, gemini-2.5-pro, gemini-embedding-001)" in found["Gemini"].detail
    assert "accepts the key" in found["Gemini"].detail
    assert found["OpenAI"].ok is None, "who asks Gemini needs no other provider"


def test_a_wrong_key_of_gemini_is_told_though_google_calls_it_a_bad_request(tmp_path: Path, gemini_url: str) -> None:
    found = findings(tmp_path, GOOGLE_API_KEY="wrong", GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=gemini_url)

    assert found["Gemini"].ok is False
    assert "refuses the key (400)" in found["Gemini"].detail
    assert "GOOGLE_API_KEY" in found["Gemini"].hint, "the variable that won, not the one that is right"


def test_openai_is_tried_in_its_own_way(tmp_path: Path, openai_url: str) -> None:
    right = findings(tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai_url)["OpenAI"]
    wrong = findings(tmp_path, OPENAI_API_KEY="wrong", OPENAI_BASE_URL=openai_url)["OpenAI"]

    assert (right.ok, wrong.ok) == (True, False)
    assert "refuses the key (401)" in wrong.detail


@pytest.mark.parametrize(
    ("answer", "ok", "words"),
    [
        (HTMLResponse("<html>"), False, "does not answer with JSON (200)"),
        (JSONResponse({"error": {}}, 500), None, "answers 500"),
        (JSONResponse({"error": {"status": "INVALID_ARGUMENT"}}, 400), None, "answers 400"),
        (JSONResponse({"error": {}}, 403), False, "refuses the key (403)"),
    ],
)
def test_what_another_server_says_is_judged(tmp_path: Path, answer: Response, ok: bool | None, words: str) -> None:
    async def reply(request: Request) -> Response:
        del request
        return answer

    app = Starlette()
    app.add_route("/{path:path}", reply)
    with serve(app) as url:
        found = findings(tmp_path, GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=url)["Gemini"]

    assert (found.ok, words in found.detail) == (ok, True), found


def test_a_server_that_is_not_there_is_told_with_its_address(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        found = findings(tmp_path, GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=url)["Gemini"]

    assert found.ok is False
    assert f"{url}/v1/models does not answer" in found.detail
    assert "GOOGLE_GEMINI_BASE_URL" in found.hint


def test_the_doctor_takes_no_key_to_another_server(tmp_path: Path) -> None:
    with scripted() as elsewhere, scripted() as server:
        elsewhere.say(200, {"data": []})
        server.say(302, b"", location=f"{elsewhere.url}/v1/models")
        keys = {"OPENAI_API_KEY": KEY, "LANGFUSE_PUBLIC_KEY": "pk-lf-0123456", "LANGFUSE_SECRET_KEY": "sk-lf-0123456"}
        found = findings(tmp_path, **keys, OPENAI_BASE_URL=f"{server.url}/v1", LANGFUSE_BASE_URL=server.url)

    assert not elsewhere.asked
    for check in ("OpenAI", "Langfuse"):
        assert found[check].ok is False
        assert f"{server.url} redirects to {elsewhere.url}, which is not followed" in found[check].detail


@pytest.mark.parametrize(
    ("variable", "key", "what"),
    [
        ("OPENAI_API_KEY", "sk-proj-abcdef\nghijklmnop", "a line break as character 15"),
        ("GEMINI_API_KEY", "AIza-“0123456789", "the character U+201C"),
        ("LANGFUSE_SECRET_KEY", "sk-lf-012345 6789abc", "a space"),
    ],
)
def test_a_key_that_was_pasted_wrongly_is_named_and_not_shown(
    tmp_path: Path, variable: str, key: str, what: str
) -> None:
    with scripted() as server:
        server.say(200, {"data": []})
        keys = {"OPENAI_API_KEY": KEY, "LANGFUSE_PUBLIC_KEY": "pk-lf-0123456", "LANGFUSE_SECRET_KEY": "sk-lf-0123456"}
        places = {"OPENAI_BASE_URL": server.url, "GOOGLE_GEMINI_BASE_URL": server.url, "LANGFUSE_BASE_URL": server.url}
        found = findings(tmp_path, **{**places, **keys, variable: key})

    wrong = [finding for finding in found.values() if finding.ok is False]
    assert [finding.check for finding in wrong] == [
        {"OPENAI_API_KEY": "OpenAI", "GEMINI_API_KEY": "Gemini", "LANGFUSE_SECRET_KEY": "Langfuse"}[variable]
    ]
    assert f"{variable} has {what}" in wrong[0].detail
    assert variable in wrong[0].hint
    assert not any(part in repr(found) for part in key.replace(" ", "\n").split("\n"))


def test_a_server_that_repeats_the_key_does_not_make_the_doctor_repeat_it(tmp_path: Path) -> None:
    key = "sk-proj-0123456789"
    with scripted() as server:
        server.say(500, f"<html>{key}</html>".encode(), content_type="text/html")
        found = findings(tmp_path, OPENAI_API_KEY=key, OPENAI_BASE_URL=f"{server.url}/0a1b2c3d4e5f60718293/v1")

    assert found["OpenAI"].ok is False
    assert key not in repr(found)
    assert f"{server.url}/[key]/v1/models" in found["OpenAI"].detail, (
        "a part of an address that looks like a key is none"
    )


def test_a_new_home_is_its_users_alone_and_an_old_one_is_told_about(tmp_path: Path) -> None:
    home = tmp_path / "home"
    findings(home)
    assert home.stat().st_mode & 0o777 == 0o700

    home.chmod(0o755)
    found = findings(home)["home"]
    assert found.ok is None
    assert "other users of this machine can read it" in found.detail
    assert f"chmod 700 {home}" in found.hint


def test_an_address_that_cannot_be_one_is_told_once_and_where_it_belongs(tmp_path: Path) -> None:
    openai, langfuse = findings(tmp_path, OPENAI_BASE_URL="nowhere"), findings(tmp_path, LANGFUSE_BASE_URL="nowhere")

    assert [check for check, finding in openai.items() if "OPENAI_BASE_URL" in finding.detail] == ["endpoints"]
    assert [check for check, finding in langfuse.items() if "LANGFUSE_BASE_URL" in finding.detail] == ["Langfuse"]
    assert (openai["Langfuse"].ok, langfuse["endpoints"].ok) == (None, None)
