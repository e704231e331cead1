"""Servers that send us elsewhere: nobody follows, and both hosts are told."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import AccountFault, Attempt
from eval_pipeline.core.ports.models import EmbeddingFailure
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.providers.gemini.batches import GeminiBatches
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.embeddings import GeminiEmbedder
from eval_pipeline.providers.gemini.files import GeminiFiles
from eval_pipeline.providers.gemini.generate import GeminiAnswerer
from eval_pipeline.providers.langfuse.sink import LangfuseSink
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer
from eval_pipeline_tests.providers.langfuse.runs import RUN
from eval_pipeline_tests.providers.script import Script, scripted

KEY = "sk-redirected-0123456789"
BODY = {"model": "m", "input": "a question"}
STATUSES = (301, 302, 303, 307, 308)


def live(openai: bool, url: str, *, vectors: bool) -> Attempt:
    async def ask() -> Attempt:
        connection: Any = (OpenAIConnection if openai else GeminiConnection)(api_key=KEY, base_url=url)
        async with connection:
            if vectors:
                reply = await (OpenAIEmbedder if openai else GeminiEmbedder)(connection, model="m").embed(["a"])
                assert isinstance(reply, EmbeddingFailure)
                return reply.attempt
            return await (OpenAIAnswerer if openai else GeminiAnswerer)(connection).ask(BODY)

    return asyncio.run(ask())


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("vectors", [False, True], ids=["answers", "vectors"])
@pytest.mark.parametrize("openai", [True, False], ids=["openai", "gemini"])
def test_a_live_call_stays_where_it_was_sent(openai: bool, vectors: bool, status: int) -> None:
    with scripted() as elsewhere, scripted() as server:
        elsewhere.say(200, {})
        server.say(status, b"", location=f"{elsewhere.url}/v1/responses?key={KEY}")
        attempt = live(openai, server.url, vectors=vectors)

    assert not elsewhere.asked
    assert attempt.account_fault is AccountFault.NOT_AN_API
    assert attempt.error is not None
    assert attempt.error.code == "redirected"
    assert f"{server.url} redirects to {elsewhere.url}, which is not followed" in attempt.error.message
    assert KEY not in attempt.error.message


def _calls(files: Path) -> list[Callable[[Any], object]]:
    return [
        lambda batches: batches.upload(files, name="requests.jsonl"),
        lambda batches: batches.create("files/f", endpoint="/v1/responses", key="k", labels={}),
        lambda batches: batches.list(since=None, most_calls=1),
        lambda batches: batches.find("batches/b"),
        lambda batches: batches.cancel("batches/b"),
        lambda batches: batches.download("files/f", files.with_name("downloaded")),
        lambda batches: batches.delete_file("files/f"),
    ]


@pytest.mark.parametrize("kind", [OpenAIBatches, GeminiBatches])
def test_calls_about_files_and_batches_stay_where_they_were_sent(
    kind: type[OpenAIBatches] | type[GeminiBatches], tmp_path: Path
) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_bytes(b"{}\n")
    with scripted() as elsewhere, scripted() as server:
        elsewhere.say(200, {})
        server.say(307, b"", location=f"{elsewhere.url}/{KEY}")
        batches = kind(api_key=KEY, base_url=server.url, sleep=lambda _: None)
        for call in _calls(file):
            with pytest.raises(BatchCallError, match=f"{server.url} redirects to {elsewhere.url}") as refused:
                call(batches)
            assert refused.value.fault is CallFault.ACCOUNT
            assert refused.value.__cause__ is None
            assert refused.value.__suppress_context__, "what Dagster stores holds no exception of a vendor"
        batches.close()
        files = GeminiFiles(api_key=KEY, base_url=server.url)
        with pytest.raises(BatchCallError, match="which is not followed"):
            files.upload(file, name="clip.wav", mime_type="audio/wav")
        files.close()
        assert not elsewhere.asked


def test_traces_stay_where_they_were_sent() -> None:
    once = RetryPolicy(max_attempts=2, base_delay_s=0.0)
    with scripted() as elsewhere, scripted() as server:
        elsewhere.say(200, {})
        server.say(307, {"message": "moved"}, location=f"{elsewhere.url}/api")
        sink = LangfuseSink(base_url=server.url, public_key="pk-lf-012345", secret_key="sk-lf-012345", retry=once)
        with pytest.raises(EvalPipelineError, match=f"{server.url} redirects to {elsewhere.url}"), sink.open(RUN):
            pass
        assert not elsewhere.asked


def test_a_path_of_the_same_server_is_another_place(script: Script) -> None:
    script.say(302, b"", location="/login?next=here")

    attempt = live(True, script.url, vectors=False)  # noqa: FBT003 - OpenAI's

    assert attempt.error is not None
    assert f"{script.url} redirects to another path of its own" in attempt.error.message
