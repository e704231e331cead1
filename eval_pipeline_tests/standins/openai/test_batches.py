"""Batches of the OpenAI protocol when all goes well, and what is refused before anything is paid for."""

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.standins.openai.batching import EMBEDDINGS, RESPONSES, Batching, as_jsonl, line, text_of

ORDER = {"endpoint": RESPONSES, "completion_window": "24h"}


@pytest.fixture
def batching(batch_api: httpx.Client, sdk: openai.OpenAI) -> Batching:
    return Batching(batch_api, sdk)


def test_lines_are_answered_as_live_calls_are_and_billed_once(batching: Batching) -> None:
    batch_id = batching.create([line(0), line(1)], metadata={"key": "run 7"})

    answers = {entry["custom_id"]: text_of(entry) for entry in batching.output(batch_id)}

    live = [batching.sdk.responses.create(model="gpt-4o", input=f"question {n}").output_text for n in range(2)]
    assert answers == {"k0": live[0], "k1": live[1]}
    counts = batching.counts()
    assert counts["billed"] == {"k0|question 0": 1, "k1|question 1": 1}
    assert (counts["created"], counts["executed"], counts["by_metadata"]) == (1, 2, {"key": {"run 7": 1}})


def test_the_sdk_reads_status_counts_usage_and_times(batching: Batching) -> None:
    batch_id = batching.create([line(0), line(1)], metadata={"key": "run 7"})

    batch = batching.sdk.batches.retrieve(batch_id)

    assert (batch.status, batch.endpoint, batch.completion_window) == ("completed", RESPONSES, "24h")
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (2, 2, 0)
    assert batch.usage is not None
    assert batch.usage.total_tokens == batching.counts()["tokens"]["total"] > 0
    assert (batch.metadata, batch.error_file_id) == ({"key": "run 7"}, None)
    assert batch.expires_at == batch.created_at + 24 * 3600
    assert batch.created_at <= (batch.in_progress_at or 0) <= (batch.completed_at or 0)


def test_a_batch_goes_through_its_phases_look_by_look(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_polls": 1})
    batch_id = batching.create([line(n) for n in range(4)])

    looks = [batching.look(batch_id) for _ in range(5)]

    assert [look["status"] for look in looks] == ["validating", "in_progress", "finalizing", "completed", "completed"]
    assert [look["request_counts"]["completed"] for look in looks] == [0, 2, 4, 4, 4]
    assert [bool(look["output_file_id"]) for look in looks] == [False, False, False, True, True]


def test_a_batch_that_takes_its_time_is_not_done_by_looking(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_seconds": 1000})
    batch_id = batching.create([line(0)])

    assert [batching.status(batch_id) for _ in range(3)] == ["validating"] * 3
    assert batching.counts()["executed"] == 0


def test_texts_are_embedded_in_batches(batching: Batching) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 4}
    batch_id = batching.create([line(0, url=EMBEDDINGS, body=body)], url=EMBEDDINGS)

    [entry] = batching.output(batch_id)

    live = batching.api.post(EMBEDDINGS, json=body).json()
    assert entry["response"]["body"] == live
    assert batching.counts()["billed"] == {"k0|a\nb": 1}


def test_a_long_input_is_billed_under_its_beginning_and_a_hash(batching: Batching) -> None:
    long = {"model": "gpt-4o", "input": "x" * 500}
    batch_id = batching.create([line(0, body=long)])

    batching.look(batch_id)

    [key] = batching.counts()["billed"]
    assert key.startswith(f"k0|{'x' * 80}…")
    assert len(key) < 110


def test_a_request_that_makes_no_sense_goes_to_the_error_file_with_status_400(batching: Batching) -> None:
    batch_id = batching.create([line(0), line(1, body={"model": "gpt-4o"})])

    [entry] = batching.errors(batch_id)

    assert (entry["custom_id"], entry["error"], entry["response"]["status_code"]) == ("k1", None, 400)
    assert entry["response"]["body"]["error"]["param"] == "input"
    assert batching.look(batch_id)["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
    assert batching.counts()["billed"] == {"k0|question 0": 1}


@pytest.mark.parametrize(
    ("lines", "code", "place"),
    [
        (b"", "empty_file", None),
        (b"nonsense\n", "invalid_json_line", 1),
        (as_jsonl([line(0)]) + b"[]\n", "invalid_json_line", 2),
        (as_jsonl([{**line(0), "custom_id": None}]), "missing_required_parameter", 1),
        (as_jsonl([{**line(0), "body": None}]), "missing_required_parameter", 1),
        (as_jsonl([line(0, custom_id=5)]), "invalid_type", 1),
        (as_jsonl([line(0, body="x")]), "invalid_type", 1),
        (as_jsonl([line(0), line(0)]), "duplicate_custom_id", 2),
        (as_jsonl([line(0, method="GET")]), "invalid_method", 1),
        (as_jsonl([line(0, url=EMBEDDINGS)]), "mismatched_url", 1),
        (as_jsonl([line(0, url="/v1/nothing")]), "invalid_url", 1),
        (as_jsonl([line(0), line(1, body={"model": "other", "input": "x"})]), "mismatched_model", 2),
        (as_jsonl([line(n) for n in range(4)]), "too_many_requests", None),
        (as_jsonl([line(0, body={"model": "gpt-4o", "input": "x" * 2000})]), "file_too_large", None),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_batch_with_code_and_line(
    batching: Batching, *, lines: bytes, code: str, place: int | None
) -> None:
    batching.api.post("/__standin__/batch_settings", json={"max_requests": 3, "max_file_bytes": 1500})

    found = batching.look(batching.create(lines))

    [problem] = found["errors"]["data"]
    assert (found["status"], problem["code"], problem["line"]) == ("failed", code, place)
    assert (found["output_file_id"], found["error_file_id"]) == (None, None)
    assert batching.counts()["billed"] == {}


def test_too_many_inputs_to_embed_fail_the_batch(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"max_embedding_inputs": 2})
    body = {"model": "text-embedding-3-small", "input": ["a", "b", "c"]}

    found = batching.look(batching.create([line(0, url=EMBEDDINGS, body=body)], url=EMBEDDINGS))

    assert found["errors"]["data"][0]["code"] == "too_many_embedding_inputs"


def test_no_more_than_a_hundred_problems_are_told(batching: Batching) -> None:
    found = batching.look(batching.create(b"nonsense\n" * 150))

    assert len(found["errors"]["data"]) == 100


def test_an_input_file_that_is_gone_before_the_work_begins_fails_the_batch(batching: Batching) -> None:
    batch_id = batching.create([line(0)])
    batching.sdk.files.delete(batching.look_without_counting(batch_id)["input_file_id"])

    assert batching.look(batch_id)["errors"]["data"][0]["code"] == "input_file_not_found"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"input_file_id": None}, "missing_required_parameter"),
        ({"endpoint": "/v1/poems"}, "invalid_value"),
        ({"completion_window": "1h"}, "invalid_value"),
        ({"priority": 1}, "unknown_parameter"),
        ({"metadata": "x"}, "invalid_type"),
        ({"metadata": {"a": 1}}, "invalid_type"),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "object_above_max_properties"),
        ({"metadata": {"k" * 65: "v"}}, "string_above_max_length"),
        ({"metadata": {"k": "v" * 513}}, "string_above_max_length"),
        ({"output_expires_after": {"anchor": "now", "seconds": 3600}}, "invalid_type"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 5}}, "invalid_value"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(batching: Batching, changes: dict[str, Any], code: str) -> None:
    order = {**ORDER, "input_file_id": batching.upload(as_jsonl([line(0)])), **changes}

    answer = batching.api.post("/v1/batches", json=order)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert batching.counts()["created"] == 0


def test_an_order_for_a_file_that_is_not_there_is_refused(batching: Batching) -> None:
    answer = batching.api.post("/v1/batches", json={**ORDER, "input_file_id": "file-nowhere"})

    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "No such File object: file-nowhere")


def test_results_expire_when_that_was_ordered(batching: Batching) -> None:
    expiry = {"anchor": "created_at", "seconds": 3600}
    order = {**ORDER, "input_file_id": batching.upload(as_jsonl([line(0)])), "output_expires_after": expiry}
    batch_id = batching.api.post("/v1/batches", json=order).json()["id"]

    file = batching.sdk.files.retrieve(batching.look(batch_id)["output_file_id"])

    assert (file.purpose, file.expires_at) == ("batch_output", file.created_at + 3600)


def test_batches_are_listed_newest_first_in_pages(batching: Batching) -> None:
    ids = [batching.create([line(0)]) for _ in range(5)]

    listed = [batch.id for batch in batching.sdk.batches.list(limit=2)]

    assert listed == ids[::-1]
    assert batching.api.get("/v1/batches", params={"limit": 101}).status_code == 400
    assert batching.api.get("/v1/batches", params={"after": "batch_nowhere"}).status_code == 400


def test_a_cancelled_batch_says_so_at_the_next_look_and_keeps_what_was_done(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_polls": 1})
    batch_id = batching.create([line(n) for n in range(4)])
    for _ in range(2):
        batching.look(batch_id)

    at_once = batching.sdk.batches.cancel(batch_id).status
    after = batching.look(batch_id)

    assert (at_once, after["status"]) == ("cancelling", "cancelled")
    assert [entry["custom_id"] for entry in batching.output(batch_id)] == ["k0", "k1"]
    undone = {entry["custom_id"]: entry["error"]["code"] for entry in batching.errors(batch_id)}
    assert undone == {"k2": "batch_cancelled", "k3": "batch_cancelled"}
    assert batching.counts()["executed"] == 2


def test_a_batch_that_has_ended_cannot_be_cancelled(batching: Batching) -> None:
    batch_id = batching.create([line(0)])
    batching.look(batch_id)

    with pytest.raises(openai.ConflictError, match="Cannot cancel a batch with status 'completed'"):
        batching.sdk.batches.cancel(batch_id)


def test_a_batch_that_does_not_exist_is_not_found(batching: Batching) -> None:
    with pytest.raises(openai.NotFoundError, match="No batch found"):
        batching.sdk.batches.retrieve("batch_nowhere")


def test_files_batches_and_bills_outlive_a_restart(tmp_path: Path) -> None:
    options, found, billed = OpenAIOptions(state_folder=tmp_path), [], []
    for _ in range(2):
        with serve(create_app(options)) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test") as sdk:
            batching = Batching(httpx.Client(base_url=url, headers={"authorization": "Bearer sk-test"}), sdk)
            batch_id = found[0] if found else batching.create([line(0)])
            assert batching.output(batch_id)[0]["custom_id"] == "k0"
            found.append(batch_id)
            billed.append(batching.counts()["billed"])
            batching.api.close()

    assert billed == [{"k0|question 0": 1}] * 2


def test_a_batch_can_be_put_into_any_status(batching: Batching) -> None:
    batch_id = batching.create([line(n) for n in range(4)])

    statuses = []
    for status, done in (("in_progress", 0), ("finalizing", 0), ("expired", 3)):
        batching.api.post(f"/__standin__/batches/{batch_id}", json={"status": status, "done": done})
        statuses.append(batching.status(batch_id))

    assert statuses == ["in_progress", "finalizing", "expired"]
    assert (len(batching.output(batch_id)), len(batching.errors(batch_id))) == (3, 1)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("batch_faults", [{"scenario": "earthquake"}]),
        ("batch_faults", [{"scenario": "rpc_errors"}]),
        ("batch_faults", [{"scenario": "stuck", "dome": 2}]),
        ("batch_faults", [{"scenario": "stuck", "done": "two"}]),
        ("batch_faults", ["stuck"]),
        ("batch_faults", {}),
        ("batch_settings", {"batch_poll": 1}),
        ("batch_settings", {"batch_polls": -1}),
        ("batches/all", {"status": "sleeping"}),
        ("batches/all", {"state": "completed"}),
        ("batches/batch_nowhere", {"status": "completed"}),
    ],
)
def test_a_control_request_that_makes_no_sense_is_refused_with_the_reason(
    batch_api: httpx.Client, path: str, document: object
) -> None:
    answer = batch_api.post(f"/__standin__/{path}", json=document)

    assert answer.status_code == 400
    assert answer.json()["error"]
