"""A team's own bot: asked by a template, waited for, read by paths, whatever it answers; against real servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, Usage
from eval_pipeline.core.passages import Passage
from eval_pipeline.core.secrets import know_secrets
from eval_pipeline.core.turns import Role, Turn, input_of
from eval_pipeline.providers.http.answers import HttpAnswerer, item_of
from eval_pipeline.providers.http.bot import Bot
from eval_pipeline.providers.http.connection import HttpConnection, redirect
from eval_pipeline.providers.http.entry import HttpEntry
from eval_pipeline.providers.http.template import Filled, RequestTemplate, fill_request
from eval_pipeline.providers.plan import Reach
from eval_pipeline.standins.bot.app import BotOptions, create_app
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.server import serve
from eval_pipeline.wiring.filling import fill

QUESTION = "What is the fee?"


def entry(url: str, **changed: object) -> dict[str, Any]:
    given = {
        "protocol": "http",
        "request": {
            "url": f"{url}/ask",
            "headers": {"Authorization": "Bearer ${BOT_TOKEN}"},
            "json": {"text": "{{ question }}", "user": "{{ item_id }}", "history": "{{ history }}"},
        },
        "answer": "$.data.answer",
        "contexts": "$.data.sources",
        "usage": {"input": "$.usage.in", "output": "$.usage.out"},
    }
    return {**given, **changed}


def read(given: dict[str, Any]) -> HttpEntry:
    return HttpEntry.model_validate_json(json.dumps(given))


def ask(given: dict[str, Any], body: dict[str, Any] | None = None, **reach: float | str) -> Attempt:
    says = read(given).model_dump(mode="json", exclude_unset=True)
    own = fill(says, {"BOT_TOKEN": "planted-token-4711"}, endpoint="bot", file=None)

    async def once() -> Attempt:
        async with HttpConnection(Reach(**{"base_url": "", "api_key": "", "timeout_s": 5.0, **reach})) as connection:
            return await HttpAnswerer(connection, Bot.from_json(own)).ask(body or {"input": QUESTION, "item_id": "q1"})

    return asyncio.run(once())


@contextmanager
def server(*routes: Route) -> Iterator[str]:
    with serve(Starlette(routes=list(routes))) as url:
        yield url


def jobs(url: str, **changed: object) -> dict[str, Any]:
    given = entry(url, wait={"status": "$.status", "done": ["done"], "failed": ["error"], "every_s": 0.02})
    given["request"]["url"] = f"{url}/jobs"
    return {**given, **changed}


def test_a_bot_is_asked_and_read() -> None:
    app = create_app(BotOptions(accepted_keys=frozenset({"planted-token-4711"})))
    with serve(app) as url:
        now = ask(entry(url))
        later = ask(jobs(url))

    for attempt in (now, later):
        assert attempt.outcome is AttemptOutcome.OK
        assert attempt.text.startswith(f"You asked: {QUESTION}")
        assert attempt.usage == Usage(input=4, output=attempt.usage.output, total=4 + attempt.usage.output)
        assert attempt.passages == (Passage(f"What is known of: {QUESTION}", "handbook.pdf", 0.9),)
        assert attempt.latency_s > 0
    assert app.state.standin.counts["jobs.create"].requests == 1
    assert app.state.standin.counts["jobs.retrieve"].requests == 3


@pytest.mark.parametrize(
    ("fault", "outcome", "code", "account_fault"),
    [
        (FaultKind.EMPTY, AttemptOutcome.EMPTY, "empty_output", None),
        (FaultKind.RATE_LIMIT, AttemptOutcome.RETRYABLE, "http_429", None),
        (FaultKind.SERVER_ERROR, AttemptOutcome.RETRYABLE, "http_500", None),
        (FaultKind.BAD_REQUEST, AttemptOutcome.FAILED, "http_400", None),
        (FaultKind.UNAUTHORIZED, AttemptOutcome.FAILED, "http_401", AccountFault.AUTH),
        (FaultKind.NOT_FOUND, AttemptOutcome.FAILED, "http_404", AccountFault.NOT_AN_API),
        (FaultKind.HTML, AttemptOutcome.FAILED, "not_an_api", AccountFault.NOT_AN_API),
        (FaultKind.RESET, AttemptOutcome.RETRYABLE, "connection_lost", None),
        (FaultKind.CUT, AttemptOutcome.RETRYABLE, "connection_lost", None),
        (FaultKind.TRUNCATED_JSON, AttemptOutcome.MALFORMED, "malformed_response", None),
        (FaultKind.MALFORMED, AttemptOutcome.FAILED, "path_found_nothing", None),
    ],
)
def test_what_goes_wrong_is_an_items_error(
    fault: FaultKind, outcome: AttemptOutcome, code: str, account_fault: AccountFault | None
) -> None:
    with serve(create_app(BotOptions(faults=(FaultRule(kind=fault, endpoint="ask"),)))) as url:
        attempt = ask(entry(url))

    assert attempt.error is not None
    assert (attempt.outcome, attempt.error.code, attempt.account_fault) == (outcome, code, account_fault)
    assert attempt.error.transient is (outcome in {AttemptOutcome.RETRYABLE, AttemptOutcome.MALFORMED})


def test_a_job_is_looked_for_through_trouble_and_never_begun_twice() -> None:
    trouble = [
        FaultRule(kind=kind, endpoint="jobs.retrieve", first_n=1) for kind in (FaultKind.RESET, FaultKind.SERVER_ERROR)
    ]
    app = create_app(BotOptions(faults=tuple(trouble)))
    with serve(app) as url:
        assert ask(jobs(url)).outcome is AttemptOutcome.OK
        assert app.state.standin.counts["jobs.create"].requests == 1

    failing = create_app(BotOptions(faults=(FaultRule(kind=FaultKind.STATUS_FAILED, endpoint="jobs.retrieve"),)))
    with serve(failing) as url:
        failed = ask(jobs(url))
        assert (failed.outcome, failed.error.code) == (AttemptOutcome.FAILED, "bot_failed")
        assert "the job failed" in failed.error.message

    with serve(create_app(BotOptions(looks=10_000))) as url:
        late = ask(jobs(url), timeout_s=0.3)
        assert (late.outcome, late.error.code, late.maybe_billed) == (AttemptOutcome.RETRYABLE, "timeout", True)
        assert "still says running" in late.error.message


def answers(document: object, *, status: int = 200) -> Route:
    async def answer(_request: Request) -> Response:
        return JSONResponse(document, status)

    return Route("/ask", answer, methods=["GET", "POST"])


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ({"data": {"reply": "x"}}, "path_found_nothing", "an object with data"),
        ({"data": {"answer": {"text": "x", "html": "y"}}}, "path_found_object", "an object with text, html"),
        ([1, 2], "path_found_nothing", "a list of 2"),
        ("just text", "path_found_nothing", 'which is "just text"'),
        ({"data": {"answer": None}}, "empty_output", "$.data.answer is empty"),
        ({"data": {"answer": ["", " "]}}, "empty_output", "$.data.answer is empty"),
    ],
)
def test_a_path_says_what_it_found_instead(document: object, code: str, words: str) -> None:
    with server(answers(document)) as url:
        attempt = ask(entry(url))

    assert (attempt.error.code, attempt.error.transient) == (code, False)
    assert words in attempt.error.message


def test_paths_join_texts_and_take_numbers() -> None:
    document = {
        "data": {
            "answer": ["one", None, "two", 3, True],
            "sources": ["p", {"content": "q", "title": "t"}, {"n": 1}, ""],
        },
        "usage": {"in": True, "out": 7},
    }
    with server(answers(document)) as url:
        attempt = ask(entry(url))
        one_call = ask(entry(url, usage={}, price_per_call_usd=0.002))
        unknown = ask(entry(url, usage={}, contexts=None))

    assert attempt.text == "one\ntwo\n3\ntrue"
    assert attempt.passages == (Passage("p"), Passage("q", "t"))
    assert attempt.usage == Usage(output=7, total=7)
    assert one_call.usage == Usage()
    assert (unknown.usage, unknown.maybe_billed, unknown.passages) == (None, True, None)
    assert (
        read(entry("http://h", price_per_call_usd=0.002)).prices_of("assistant")["assistant"].to_json()["call"]
        == "0.002"
    )


def test_bodies_without_end_or_content_are_errors_of_one_item() -> None:
    async def nothing(_request: Request) -> Response:
        return Response(status_code=204)

    async def page(_request: Request) -> Response:
        return PlainTextResponse("<h1>Welcome</h1>", media_type="text/html")

    async def endless(request: Request) -> Response:
        async def forever() -> AsyncIterator[bytes]:
            while not await request.is_disconnected():
                yield b" " * 65_536

        return StreamingResponse(forever(), media_type="application/json")

    codes = {}
    with server(*(Route(f"/{one.__name__}", one, methods=["POST"]) for one in (nothing, page, endless))) as url:
        for name in ("nothing", "page", "endless"):
            given = entry(url)
            given["request"]["url"] = f"{url}/{name}"
            codes[name] = ask(given, max_answer_bytes=1_000_000).error.code
    assert codes == {"nothing": "empty_output", "page": "not_an_api", "endless": "answer_too_large"}


def test_a_key_in_the_body_goes_to_no_other_host() -> None:
    know_secrets(["planted-token-4711"])
    asked = Filled("POST", "http://bot.example/ask", {}, {"auth": {"token": "planted-token-4711"}})

    def sent_to(target: str) -> Filled | Attempt:
        return redirect(asked, http_status=308, target=target)

    assert sent_to("/there") == replace(asked, url="http://bot.example/there")
    refused = sent_to("http://other.example/there")
    assert isinstance(refused, Attempt)
    assert refused.error is not None
    assert all(host in refused.error.message for host in ("http://bot.example", "http://other.example"))
    assert redirect(replace(asked, body={}), http_status=308, target="http://other.example/") == Filled(
        "POST", "http://other.example/", {}, {}
    )


def test_redirects_elsewhere_lose_what_the_file_says_and_odd_ones_are_not_followed() -> None:
    heard: list[tuple[str, str | None, bytes]] = []

    async def target(request: Request) -> Response:
        heard.append((request.method, request.headers.get("authorization"), await request.body()))
        return JSONResponse({"data": {"answer": "here"}})

    with server(Route("/there", target, methods=["GET", "POST"])) as other:

        async def away(request: Request) -> Response:
            place = {"same": "/there", "other": f"{other}/there", "file": "file:///etc/passwd", "loop": "/away?to=loop"}
            to = request.query_params["to"]
            return Response(status_code=int(request.query_params.get("status", "307")), headers={"location": place[to]})

        here = Route("/there", target, methods=["GET", "POST"])
        with server(Route("/away", away, methods=["GET", "POST"]), here) as url:
            results = {}
            for to, status in (("same", 307), ("other", 307), ("other", 303), ("file", 302), ("loop", 308)):
                given = entry(url)
                given["request"]["url"] = f"{url}/away?to={to}&status={status}"
                results[to, status] = ask(given)

    assert [(method, token) for method, token, _ in heard] == [
        ("POST", "Bearer planted-token-4711"),
        ("POST", None),
        ("GET", None),
    ]
    assert b"planted" not in heard[1][2]
    assert {key: attempt.outcome for key, attempt in results.items()} == {
        ("same", 307): AttemptOutcome.OK,
        ("other", 307): AttemptOutcome.OK,
        ("other", 303): AttemptOutcome.OK,
        ("file", 302): AttemptOutcome.FAILED,
        ("loop", 308): AttemptOutcome.FAILED,
    }
    assert "a file: address" in results["file", 302].error.message
    assert "more than 5 times" in results["loop", 308].error.message


def test_a_look_at_another_host_goes_without_the_key() -> None:
    heard: list[str | None] = []

    async def done(request: Request) -> Response:
        heard.append(request.headers.get("authorization"))
        return JSONResponse({"status": "done", "data": {"answer": "yes"}})

    with server(Route("/result", done)) as other:

        async def begin(request: Request) -> Response:
            links = {"none": {}, "file": {"self": "file:///etc/passwd"}, "other": {"self": f"{other}/result"}}
            return JSONResponse({"status": "queued", "links": links[request.path_params["kind"]]}, 202)

        with server(Route("/{kind}", begin, methods=["POST"])) as url:
            found = {}
            for kind in ("none", "file", "other"):
                given = jobs(url)
                given["request"]["url"] = f"{url}/{kind}"
                given["wait"]["poll_url"] = "$.links.self"
                found[kind] = ask(given)
    assert [found[kind].error.code for kind in ("none", "file")] == ["no_poll_url", "no_poll_url"]
    assert (found["other"].text, heard) == ("yes", [None])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(), st.text(max_size=20))
def test_whatever_a_question_says_the_request_keeps_its_shape(question: str, language: str) -> None:
    request = RequestTemplate(
        method="POST",
        url="https://bot.example.org/ask?q={{ question }}",
        headers={"X-Lang": "{{ metadata.language }}"},
        body={
            "text": "{{question}}",
            "note": "asked: {{ question }}",
            "history": "{{ history }}",
            "n": 1,
            "x": "{{ metadata.x }}",
        },
    )
    turns = [Turn(Role.USER, "Hello"), Turn(Role.ASSISTANT, "Hi")]
    body = {"input": input_of(question, turns), "item_id": "q1", "metadata": {"language": language}}
    filled = fill_request(request, item_of(body))

    assert filled.body == {
        "text": question,
        "note": f"asked: {question}",
        "history": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}],
        "n": 1,
        "x": None,
    }
    assert filled.url.startswith("https://bot.example.org/ask?q=")
    assert not set(filled.url.removeprefix("https://bot.example.org/ask?q=")) & set("&#/? \n{}")
    assert not set(filled.headers["X-Lang"]) & set("\r\n\0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": "data.answer"}, "a path begins with $"),
        ({"answer": "$.data["}, "no JSONPath"),
        ({"request": {"url": "https://h/ask", "json": {"q": "{{ quesiton }}"}}}, "{{ quesiton }} is no field"),
        ({"request": {"url": "https://h/ask", "json": {"q": "{{ metadata. }}"}}}, "is no field"),
        ({"request": {"url": "file:///etc/passwd"}}, "pattern"),
        ({"request": {"url": "https://h", "method": "GET", "json": {}}}, "a GET request has no json"),
        ({"request": {"url": "https://h", "method": "DELETE"}}, "Input should be"),
        ({"request": {"url": "https://h", "jsn": {}}}, "Extra inputs"),
        ({"wait": {"status": "$.s", "done": []}}, "at least 1"),
        ({"price_per_call_usd": -1}, "greater than or equal to 0"),
    ],
)
def test_an_entry_that_cannot_work_is_told_before_anything_is_sent(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        read(entry("https://h", **change))
    assert words in str(raised.value)
    assert read(entry("https://h/a?x={{ question }}")).address == "https://h/a"


def test_a_socks_proxy_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(UsageError, match="speaks SOCKS"):
        ask(entry("http://bot.example.org"), base_url="http://bot.example.org/ask")
