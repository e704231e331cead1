"""Answers of Langfuse that never end or unpack to gigabytes: broken off, and told as what they are."""

import gzip

import pytest

from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.providers.langfuse.connection import (
    MOST_ANSWER_BYTES,
    MOST_PACKED_BYTES,
    CallFailedError,
    Connection,
)
from eval_pipeline_tests.providers.script import Script, scripted

ONCE = RetryPolicy(max_attempts=1)


def connection(script: Script) -> Connection:
    return Connection(
        base_url=script.url, public_key="pk-1", secret_key="sk-1", timeout_s=20, retry=ONCE, sleep=lambda _: None
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_answer_that_is_too_large_is_broken_off(packed: bool) -> None:
    """A megabyte of gzip would be a gigabyte in memory."""
    most = MOST_PACKED_BYTES if packed else MOST_ANSWER_BYTES
    body = b" " * (MOST_ANSWER_BYTES + 1_000_000)
    with scripted() as script, connection(script) as langfuse:
        script.say(
            200,
            gzip.compress(body, compresslevel=1) if packed else body,
            **({"content_encoding": "gzip"} if packed else {}),
        )
        with pytest.raises(CallFailedError, match=f"more than {most:,} bytes and was broken off"):
            langfuse.call(lambda: langfuse.export(b"spans"))

    assert script.asked[0].headers["accept-encoding"] == "identity", "what is not packed has its size in it"
