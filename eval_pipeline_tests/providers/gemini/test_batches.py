"""Files and batches over real HTTP: what each failure means, one POST for one call, operations read as they are."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.batches import QUEUE_FULL, BatchCallError, CallFault, LineError, Phase, Refusal, refusal_of
from eval_pipeline.providers.gemini.account import embed_endpoint, generate_endpoint
from eval_pipeline.providers.gemini.batches import (
    GeminiBatches,
    display_name,
    key_in,
)
from eval_pipeline_tests.providers.script import Script

KEY = "AIza-test-7f3a9c1e5b"
ENDPOINT = "models/gemini-2.5-flash:batchGenerateContent"
CREATED = datetime(2026, 11, 26, 18, tzinfo=UTC)
SUBMISSION = "3f" * 32


def operation(name: str = "batches/abc", *, state: str = "BATCH_STATE_PENDING", **metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    known = {"state": state, "createTime": "2026-11-26T18:00:00.5Z", "displayName": f"eval-pipeline {SUBMISSION} a b"}
    return {"name": name, "metadata": {**known, **metadata}}


@pytest.fixture
def batches(script: Script) -> Iterator[GeminiBatches]:
    opened = GeminiBatches(api_key=KEY, base_url=script.url, timeout_s=5, sleep=lambda _: None)
    yield opened
    opened.close()


def create(batches: GeminiBatches) -> BatchCallError:
    with pytest.raises(BatchCallError) as caught:
        batches.create("files/1", endpoint=ENDPOINT, key="the-secret-key", labels={"run": "first"})
    return caught.value


def error(status: int, word: str, message: str = "no", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"error": {"code": status, "message": message, "status": word, **fields}}


@pytest.mark.parametrize(
    ("status", "document", "fault"),
    [
        (400, error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}"), CallFault.ACCOUNT),
        (401, error(401, "UNAUTHENTICATED"), CallFault.ACCOUNT),
        (403, error(403, "PERMISSION_DENIED"), CallFault.ACCOUNT),
        (429, error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), CallFault.ACCOUNT),
        (429, error(429, "RESOURCE_EXHAUSTED"), CallFault.BUSY),
        (429, error(429, "RESOURCE_EXHAUSTED", details=[{"violations": [{"quotaId": "XPerDay"}]}]), CallFault.BUSY),
        (400, error(400, "INVALID_ARGUMENT", "no such field"), CallFault.REFUSED),
        (404, error(404, "NOT_FOUND"), CallFault.GONE),
        (500, error(500, "INTERNAL"), CallFault.AMBIGUOUS),
        (409, error(409, "ABORTED"), CallFault.AMBIGUOUS),
        (503, b"<html>down</html>", CallFault.AMBIGUOUS),
        (200, b"<html>hello</html>", CallFault.AMBIGUOUS),
        (200, b"", CallFault.AMBIGUOUS),
        (200, {}, CallFault.AMBIGUOUS),
    ],
)
def test_a_creation_is_asked_for_once_and_its_failure_says_what_may_have_been_done(
    script: Script,
    batches: GeminiBatches,
    status: int,
    document: Any,  # noqa: ANN401 - JSON or bytes
    fault: CallFault,
) -> None:
    script.say(status, document)

    failure = create(batches)

    assert failure.fault is fault
    assert len(script.asked) == 1, "a second POST could be a second batch"
    assert KEY not in f"{failure.message} {failure.hint} {failure!r}"


def test_a_provider_without_room_says_when_to_come_back(script: Script, batches: GeminiBatches) -> None:
    script.say(429, error(429, "RESOURCE_EXHAUSTED", details=[{"retryDelay": "33s"}]))

    assert create(batches).retry_after_s == 33.0


def test_an_address_where_nobody_listens_has_done_nothing() -> None:
    with socket.socket() as taken:  # bound, and never listening
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        unreachable = GeminiBatches(api_key=KEY, base_url=base_url, timeout_s=2)

        assert create(unreachable).fault is CallFault.UNREACHABLE

    unreachable.close()
    assert KEY not in repr(unreachable)


def test_an_answer_that_was_lost_leaves_open_whether_there_is_a_batch(script: Script, batches: GeminiBatches) -> None:
    script.say(200, operation(), announce="10000")

    assert create(batches).fault is CallFault.AMBIGUOUS
    assert len(script.asked) == 1


def test_a_creation_carries_the_key_in_its_name(script: Script, batches: GeminiBatches) -> None:
    script.say(200, operation())

    made = batches.create("files/1", endpoint=ENDPOINT, key=SUBMISSION, labels={"run": "clips/first"})

    [asked] = script.asked
    assert (asked.method, asked.path) == ("POST", f"/v1/{ENDPOINT}")
    assert json.loads(asked.body) == {
        "batch": {
            "displayName": f"eval-pipeline {SUBMISSION} clips/first",
            "inputConfig": {"fileName": "files/1"},
        }
    }
    assert (made.id, made.key, made.phase) == ("batches/abc", SUBMISSION, Phase.WORKING)
    assert made.created_at == CREATED + timedelta(seconds=0.5)


def test_endpoints_name_the_model() -> None:
    assert generate_endpoint("gemini-2.5-flash") == ENDPOINT
    assert embed_endpoint("models/gemini-embedding-001") == "models/gemini-embedding-001:asyncBatchEmbedContent"


@pytest.mark.parametrize("label", ["", "x", "x" * 500, "a b c", "line\nbreak"])
def test_a_key_is_read_back_whatever_follows_it(label: str) -> None:
    name = display_name(SUBMISSION, {"run": label})

    assert len(name) <= 128
    assert key_in(name) == SUBMISSION


@pytest.mark.parametrize("name", [None, "", "my batch", "eval-pipeline", "eval-pipelines x", f"x {SUBMISSION}"])
def test_batches_of_others_carry_no_key(name: str | None) -> None:
    assert key_in(name) is None


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("BATCH_STATE_PENDING", Phase.WORKING),
        ("BATCH_STATE_RUNNING", Phase.WORKING),
        ("JOB_STATE_QUEUED", Phase.WORKING),
        ("JOB_STATE_CANCELLING", Phase.CANCELLING),
        ("BATCH_STATE_SUCCEEDED", Phase.COMPLETED),
        ("JOB_STATE_SUCCEEDED", Phase.COMPLETED),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", Phase.COMPLETED),
        ("BATCH_STATE_PARTIALLY_SUCCEEDED", Phase.COMPLETED),
        ("BATCH_STATE_FAILED", Phase.FAILED),
        ("BATCH_STATE_CANCELLED", Phase.CANCELLED),
        ("BATCH_STATE_EXPIRED", Phase.EXPIRED),
        ("JOB_STATE_PAUSED", Phase.UNKNOWN),
        ("BATCH_STATE_UNSPECIFIED", Phase.UNKNOWN),
        ("A_WORD_OF_TOMORROW", Phase.UNKNOWN),
    ],
)
def test_a_state_is_read_under_both_of_its_prefixes(
    script: Script, batches: GeminiBatches, state: str, phase: Phase
) -> None:
    script.say(200, {"name": "batches/abc", "metadata": {"state": state}})

    found = batches.find("batches/abc")

    assert (found.phase, found.status) == (phase, state)
    assert (found.total, found.output_file_id, found.created_at, found.errors, found.key) == (
        None,
        None,
        None,
        (),
        None,
    )
    assert script.asked[0].path == "/v1/batches/abc"


@pytest.mark.parametrize(
    "result",
    [
        {"response": {"responsesFile": "files/out"}},
        {"metadata": {"output": {"responsesFile": "files/out"}}},
        {"metadata": {"dest": {"file_name": "files/out"}}},
    ],
)
def test_results_counts_and_input_are_found_where_they_may_be(
    script: Script, batches: GeminiBatches, result: dict[str, Any]
) -> None:
    stats = {"requestCount": "5", "successfulRequestCount": 4, "failedRequestCount": "1"}
    document = operation(state="BATCH_STATE_SUCCEEDED", batchStats=stats, inputConfig={"fileName": "files/in"})
    document["metadata"] |= result.get("metadata", {})
    script.say(200, {**document, "done": True, "response": result.get("response")})

    found = batches.find("batches/abc")

    assert (found.total, found.completed, found.failed) == (5, 4, 1)
    assert (found.input_file_id, found.output_file_id, found.error_file_id) == ("files/in", "files/out", None)


@pytest.mark.parametrize(
    ("given", "expected", "refusal"),
    [
        ({"code": 8, "message": "no room"}, LineError("resource_exhausted", "no room"), Refusal.NO_ROOM),
        ({"code": 3, "message": "bad line 7"}, LineError("invalid_argument", "bad line 7"), Refusal.ALL),
        ({"code": 13, "message": "oops"}, LineError("server_error", "oops"), Refusal.UNEXPLAINED),
    ],
)
def test_a_failed_batch_says_why_although_the_sdk_drops_it(
    script: Script, batches: GeminiBatches, given: dict[str, Any], expected: LineError, refusal: Refusal
) -> None:
    script.say(200, {**operation(state="BATCH_STATE_FAILED"), "done": True, "error": given})

    found = batches.find("batches/abc")

    assert found.errors == (expected,)
    assert refusal_of(found.errors) is refusal
    assert "resource_exhausted" in QUEUE_FULL


def test_an_operation_that_is_done_without_a_state_has_ended(script: Script, batches: GeminiBatches) -> None:
    script.say(200, {"name": "batches/abc", "done": True, "error": {"code": 3, "message": "no"}})
    script.say(200, {"name": "batches/abc", "done": True, "response": {"responsesFile": "files/out"}})

    assert [batches.find("batches/abc").phase for _ in range(2)] == [Phase.FAILED, Phase.COMPLETED]


def listed(number: int, *, hours: float) -> dict[str, Any]:
    moment = CREATED - timedelta(hours=hours)
    return operation(f"batches/{number}", createTime=moment.isoformat().replace("+00:00", "Z"))


def test_a_list_in_order_goes_back_as_far_as_asked_and_no_further(script: Script, batches: GeminiBatches) -> None:
    for start in (0, 2, 4):
        page = [listed(start, hours=start), listed(start + 1, hours=start + 1)]
        script.say(200, {"operations": page, "nextPageToken": f"after{start}&x"})

    reached = batches.list(since=CREATED - timedelta(hours=2.5), most_calls=5)

    assert (len(reached.batches), reached.whole, reached.calls) == (4, True, 2)
    assert reached.provider_now is not None
    assert script.asked[0].path == "/v1/batches?pageSize=100"
    assert script.asked[1].path == "/v1/batches?pageSize=100&pageToken=after0%26x"


def test_a_list_in_any_order_is_read_to_its_end_and_shown_newest_first(script: Script, batches: GeminiBatches) -> None:
    script.say(200, {"operations": [listed(1, hours=30), listed(2, hours=0)], "nextPageToken": "more"})
    script.say(200, {"operations": [listed(3, hours=40)], "nextPageToken": "more"})
    script.say(200, {"operations": [listed(4, hours=1)]})

    whole = batches.list(since=CREATED - timedelta(hours=1), most_calls=5)

    assert [batch.id for batch in whole.batches] == ["batches/2", "batches/4", "batches/1", "batches/3"]
    assert (whole.whole, whole.calls) == (True, 3)


def test_a_list_that_is_broken_off_is_not_called_whole(script: Script, batches: GeminiBatches) -> None:
    script.say(200, {"operations": [listed(1, hours=0)], "nextPageToken": "more"})

    assert not batches.list(since=None, most_calls=2).whole


def test_an_account_without_batches_has_a_whole_list(script: Script, batches: GeminiBatches) -> None:
    script.say(200, {})

    listing = batches.list(since=CREATED, most_calls=5)

    assert (listing.batches, listing.whole) == ((), True)


def test_a_download_that_is_cut_is_begun_again_in_place(script: Script, batches: GeminiBatches, tmp_path: Path) -> None:
    script.say(200, b"one\ntw", announce="8")
    script.say(500, b"oops")
    script.say(200, b"one\ntwo\n")

    batches.download("files/out", tmp_path / "output.jsonl")

    assert (tmp_path / "output.jsonl").read_bytes() == b"one\ntwo\n"
    assert [asked.path for asked in script.asked] == ["/v1/files/out:download?alt=media"] * 3


def test_a_file_that_is_gone_is_said_and_leaves_nothing(script: Script, batches: GeminiBatches, tmp_path: Path) -> None:
    script.say(404, error(404, "NOT_FOUND"))

    with pytest.raises(BatchCallError) as caught:
        batches.download("files/out", tmp_path / "output.jsonl")

    assert caught.value.fault is CallFault.GONE
    assert list(tmp_path.iterdir()) == []
    batches.delete_file("files/out")  # what is gone is deleted


def test_a_batch_is_cancelled_and_then_looked_at(script: Script, batches: GeminiBatches) -> None:
    script.say(200, {})
    script.say(200, operation(state="BATCH_STATE_CANCELLED"))

    assert batches.cancel("batches/abc").phase is Phase.CANCELLED
    assert [asked.path for asked in script.asked] == ["/v1/batches/abc:cancel", "/v1/batches/abc"]


def test_a_batch_that_has_ended_cannot_be_cancelled_and_is_shown_as_it_is(
    script: Script, batches: GeminiBatches
) -> None:
    script.say(400, error(400, "FAILED_PRECONDITION", "the batch has ended"))
    script.say(200, operation(state="BATCH_STATE_EXPIRED"))

    assert batches.cancel("batches/abc").phase is Phase.EXPIRED


def test_a_request_file_is_uploaded_as_jsonl(script: Script, batches: GeminiBatches, tmp_path: Path) -> None:
    script.say(200, {"file": {"name": "files/in"}}, x_goog_upload_url="/u", x_goog_upload_status="final")
    (tmp_path / "requests.jsonl").write_bytes(b"{}\n")

    assert batches.upload(tmp_path / "requests.jsonl", name="run-r00.jsonl") == "files/in"
    assert script.asked[0].headers["x-goog-upload-header-content-type"] == "application/jsonl"
    assert json.loads(script.asked[0].body)["file"]["displayName"] == "run-r00.jsonl"
