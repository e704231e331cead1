"""Answers that never end or unpack to gigabytes: broken off, at the cost of one item."""

import asyncio
import gzip
from typing import Any

import pytest

from eval_pipeline.core.batches import BatchCallError
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.providers.gemini.batches import GeminiBatches
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.generate import GeminiAnswerer
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer
from eval_pipeline_tests.providers.script import Script

LIMIT = 100_000
KEY = "sk-capped-0123456789"


def ask(openai: bool, url: str) -> Attempt:
    async def work() -> Attempt:
        kind: Any = OpenAIConnection if openai else GeminiConnection
        async with kind(api_key=KEY, base_url=url, max_answer_bytes=LIMIT) as connection:
            return await (OpenAIAnswerer if openai else GeminiAnswerer)(connection).ask({"model": "m", "input": "x"})

    return asyncio.run(work())


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("openai", [True, False], ids=["openai", "gemini"])
def test_a_live_answer_that_is_too_large_fails_alone_and_is_not_asked_again(
    openai: bool, packed: bool, script: Script
) -> None:
    body = b" " * 5_000_000
    headers = {"content_encoding": "gzip"} if packed else {}
    script.say(200, gzip.compress(body) if packed else body, **headers)
    attempt = ask(openai, script.url)

    assert attempt.outcome is AttemptOutcome.MALFORMED
    assert attempt.error is not None
    assert (attempt.error.code, attempt.transient, attempt.maybe_billed) == ("answer_too_large", False, True)
    assert "more than 100,000 bytes (EVAL_MAX_ANSWER_BYTES)" in attempt.error.message


def test_a_pack_of_vectors_may_be_as_large_as_its_texts_need(script: Script) -> None:
    texts = [f"text {number}" for number in range(8)]
    script.say(200, {"data": [{"index": row, "embedding": [0.12345678] * 3_072} for row in range(len(texts))]})

    async def work() -> object:
        async with OpenAIConnection(api_key=KEY, base_url=script.url, max_answer_bytes=LIMIT) as connection:
            return await OpenAIEmbedder(connection, model="m").embed(texts)

    reply = asyncio.run(work())
    assert isinstance(reply, EmbeddingReply)
    assert None not in reply.vectors


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("kind", [OpenAIBatches, GeminiBatches])
def test_a_document_about_batches_that_is_too_large_is_broken_off(
    kind: type[OpenAIBatches] | type[GeminiBatches], status: int, packed: bool, script: Script
) -> None:
    body = b" " * 40_000_000
    if packed:  # 400 kB that would unpack to 400 MB
        body = gzip.compress(b" " * 4_000_000) * 100
    script.say(status, body, **({"content_encoding": "gzip"} if packed else {}))
    batches = kind(api_key=KEY, base_url=script.url)

    with pytest.raises(BatchCallError, match="EVAL_MAX_ANSWER_BYTES"):
        batches.find("batches/b")
    batches.close()
