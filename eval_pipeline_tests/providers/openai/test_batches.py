"""Files and batches over real HTTP: what each failure means, one POST for one call, downloads whole or not at all."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault, Phase
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline_tests.providers.script import Script

KEY = "sk-test-7f3a9c1e5b"
BATCH = {"id": "batch_1", "object": "batch", "status": "in_progress", "created_at": 1_772_000_000}


@pytest.fixture
def batches(script: Script) -> Iterator[OpenAIBatches]:
    opened = OpenAIBatches(api_key=KEY, base_url=f"{script.url}/v1", timeout_s=5, sleep=lambda _: None)
    yield opened
    opened.close()


def create(batches: OpenAIBatches) -> BatchCallError:
    with pytest.raises(BatchCallError) as caught:
        batches.create("file-1", endpoint="/v1/responses", key="the-key", labels={"run": "first"})
    return caught.value


@pytest.mark.parametrize(
    ("status", "document", "fault"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, CallFault.ACCOUNT),
        (403, {"error": {"message": "no"}}, CallFault.ACCOUNT),
        (429, {"error": {"message": "no credit", "code": "insufficient_quota"}}, CallFault.ACCOUNT),
        (429, {"error": {"message": "slow down"}}, CallFault.BUSY),
        (400, {"error": {"message": "full", "code": "token_limit_exceeded"}}, CallFault.BUSY),
        (400, {"error": {"message": "no such model"}}, CallFault.REFUSED),
        (404, {"error": {"message": "no such file"}}, CallFault.GONE),
        (500, {"error": {"message": "oops"}}, CallFault.AMBIGUOUS),
        (503, b"<html>down</html>", CallFault.AMBIGUOUS),
        (200, b"<html>hello</html>", CallFault.AMBIGUOUS),
        (200, b"", CallFault.AMBIGUOUS),
    ],
)
def test_a_creation_is_asked_for_once_and_its_failure_says_what_may_have_been_done(
    script: Script,
    batches: OpenAIBatches,
    status: int,
    document: Any,  # noqa: ANN401 - JSON or bytes
    fault: CallFault,
) -> None:
    script.say(status, document)

    error = create(batches)

    assert error.fault is fault
    assert len(script.asked) == 1, "a second POST could be a second batch"
    assert KEY not in f"{error.message} {error.hint} {error!r}"


def test_an_address_where_nobody_listens_has_done_nothing() -> None:
    with socket.socket() as taken:  # bound, and never listening
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        unreachable = OpenAIBatches(api_key=KEY, base_url=base_url, timeout_s=2)

        assert create(unreachable).fault is CallFault.UNREACHABLE

    assert KEY not in repr(unreachable)


def test_a_creation_carries_the_key_and_says_what_it_belongs_to(script: Script, batches: OpenAIBatches) -> None:
    script.say(200, {**BATCH, "metadata": {"eval_pipeline_key": "the-key"}})

    made = batches.create("file-1", endpoint="/v1/responses", key="the-key", labels={"run": "x" * 600})

    [asked] = script.asked
    sent = json.loads(asked.body)
    assert (asked.method, asked.path) == ("POST", "/v1/batches")
    assert sent["metadata"] == {"eval_pipeline_key": "the-key", "run": "x" * 512}
    assert (sent["input_file_id"], sent["completion_window"]) == ("file-1", "24h")
    assert (made.id, made.key, made.created_at) == ("batch_1", "the-key", datetime.fromtimestamp(1_772_000_000, UTC))


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("validating", Phase.WORKING),
        ("finalizing", Phase.FINALIZING),
        ("cancelling", Phase.CANCELLING),
        ("expired", Phase.EXPIRED),
        ("a_word_of_tomorrow", Phase.UNKNOWN),
    ],
)
def test_a_batch_is_read_leniently(script: Script, batches: OpenAIBatches, status: str, phase: Phase) -> None:
    script.say(200, {"id": "batch_1", "status": status, "request_counts": None, "error_file_id": "", "errors": None})

    found = batches.find("batch_1")

    assert (found.phase, found.status) == (phase, status)
    assert (found.total, found.error_file_id, found.created_at, found.errors) == (None, None, None, ())


def test_a_list_goes_back_as_far_as_asked_and_no_further(script: Script, batches: OpenAIBatches) -> None:
    for number in range(3):
        entry = {**BATCH, "id": f"batch_{number}", "created_at": 1_772_000_000 - number * 3_600}
        script.say(200, {"object": "list", "data": [entry], "has_more": True})

    reached = batches.list(since=datetime.fromtimestamp(1_772_000_000 - 1_800, UTC), most_calls=5)
    bounded = batches.list(since=None, most_calls=2)

    assert (len(reached.batches), reached.whole, reached.calls) == (2, True, 2)
    assert (bounded.calls, bounded.whole) == (2, False)
    assert reached.provider_now is not None
    assert "after=batch_0" in script.asked[1].path


def test_a_download_that_is_cut_is_begun_again_in_place(script: Script, batches: OpenAIBatches, tmp_path: Path) -> None:
    script.say(200, b"one\ntw", announce="8", content_type="application/octet-stream")
    script.say(500, b"oops")
    script.say(200, b"one\ntwo\n", content_type="application/octet-stream")

    batches.download("file-2", tmp_path / "output.jsonl")

    assert (tmp_path / "output.jsonl").read_bytes() == b"one\ntwo\n"
    assert len(script.asked) == 3


def test_a_file_that_is_gone_is_said_and_leaves_nothing(script: Script, batches: OpenAIBatches, tmp_path: Path) -> None:
    script.say(404, {"error": {"message": "No such File object"}})

    with pytest.raises(BatchCallError) as caught:
        batches.download("file-2", tmp_path / "output.jsonl")

    assert caught.value.fault is CallFault.GONE
    assert not (tmp_path / "output.jsonl").exists()
    batches.delete_file("file-2")  # what is gone is deleted


def test_a_batch_that_has_ended_cannot_be_cancelled_and_is_shown_as_it_is(
    script: Script, batches: OpenAIBatches
) -> None:
    script.say(409, {"error": {"message": "Cannot cancel a batch with status 'expired'."}})
    script.say(200, {**BATCH, "status": "expired"})

    assert batches.cancel("batch_1").phase is Phase.EXPIRED


def test_an_address_that_says_so_with_status_200_has_no_batches_and_the_way_that_works_is_named(
    script: Script, batches: OpenAIBatches, tmp_path: Path
) -> None:
    """LM Studio answers 200 wherever there is nothing."""
    (tmp_path / "requests.jsonl").write_bytes(b"{}\n")
    script.say(200, {"error": "Unexpected endpoint or method. (POST /v1/files)"})

    with pytest.raises(BatchCallError) as caught:
        batches.upload(tmp_path / "requests.jsonl", name="requests.jsonl")

    assert caught.value.fault is CallFault.UNSUPPORTED
    assert "--mode fast" in caught.value.hint


@pytest.mark.parametrize("page", [b"<html><title>Welcome</title></html>", b""])
def test_a_page_where_files_are_taken_is_tried_again_and_names_the_way_without_batches(
    script: Script, batches: OpenAIBatches, tmp_path: Path, page: bytes
) -> None:
    """A proxy shows such a page for a while, a web site for ever."""
    (tmp_path / "requests.jsonl").write_bytes(b"{}\n")
    script.say(200, page)

    with pytest.raises(BatchCallError) as caught:
        batches.upload(tmp_path / "requests.jsonl", name="requests.jsonl")

    assert caught.value.fault is CallFault.AMBIGUOUS
    assert "--mode fast" in caught.value.message


def test_batches_of_chat_completions_alone_name_the_protocol(script: Script, batches: OpenAIBatches) -> None:
    words = "Invalid value: '/v1/responses'. Supported values are: '/v1/chat/completions', '/v1/embeddings'."
    script.say(400, {"error": {"message": words, "code": "invalid_value"}})

    refused = create(batches)

    assert refused.fault is CallFault.REFUSED
    assert "openai_chat" in refused.hint


@pytest.mark.parametrize(("key", "sent"), [("", False), (KEY, True)])
def test_a_server_that_wants_no_key_is_sent_none(script: Script, key: str, sent: bool) -> None:
    script.say(200, {"object": "list", "data": []})
    opened = OpenAIBatches(api_key=key, base_url=f"{script.url}/v1", timeout_s=5, is_own=True)

    opened.list(since=None, most_calls=1)
    opened.close()

    assert ("authorization" in script.asked[0].headers) == sent
