"""Batches of the Gemini protocol when all goes well, and what is refused before anything is paid for."""

import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types

from eval_pipeline.standins.gemini.app import GeminiOptions, create_app
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.vectors import embed
from eval_pipeline_tests.standins.gemini.batching import MODEL, Batching, text_line, text_of
from eval_pipeline_tests.standins.speaking import NAMES, clip

CREATE = f"/v1/models/{MODEL}:batchGenerateContent"
EMBEDDER = "gemini-embedding-001"


@pytest.fixture
def batching(gemini_api: httpx.Client, google: genai.Client) -> Batching:
    return Batching(gemini_api, google)


def test_clips_are_transcribed_with_the_planted_errors_and_billed_once(batching: Batching) -> None:
    name = batching.create(batching.clip_lines())

    heard = {line["key"]: text_of(line) for line in batching.results(name)}

    told = batching.api.get("/__standin__/transcripts", params={"model": MODEL}).json()
    assert heard == {f"k{number}": entry["transcript"] for number, entry in enumerate(told)}
    counts = batching.counts()
    assert counts["billed"] == dict.fromkeys(NAMES, 1)
    assert counts["batches"]["billed"] == {f"k{number}|{sha}": 1 for number, sha in enumerate(NAMES)}
    assert counts["batches"]["tokens"]["input_audio"] == 4 * 17


def test_a_batch_goes_through_its_states_look_by_look(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_polls": 1})
    name = batching.create([text_line(0)])

    states = [batching.state(name) for _ in range(5)]

    assert states == ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]


def test_a_batch_can_take_its_time(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_seconds": 1000})
    name = batching.create([text_line(0)])

    states = []
    for ahead_s in (0, 500, 1001):
        batching.api.post("/__standin__/batch_settings", json={"ahead_s": ahead_s})
        states.append(batching.state(name))

    assert states == ["PENDING", "RUNNING", "SUCCEEDED"]


def test_the_operation_tells_what_the_real_one_tells(batching: Batching) -> None:
    name = batching.create([text_line(0), text_line(1)], title="run 7")

    before, after = (batching.api.get("/__standin__/batches").json()[0], batching.look(name))

    assert before["metadata"]["state"] == "BATCH_STATE_PENDING"
    assert "done" not in before
    metadata = after["metadata"]
    assert (after["done"], metadata["displayName"], metadata["model"]) == (True, "run 7", f"models/{MODEL}")
    assert metadata["batchStats"] == {"requestCount": "2", "successfulRequestCount": "2"}
    assert after["response"]["responsesFile"] == metadata["output"]["responsesFile"]
    assert metadata["createTime"] <= metadata["updateTime"] <= metadata["endTime"]


def test_the_sdk_reads_states_names_and_results(batching: Batching) -> None:
    name = batching.create([text_line(0)], title="run 7")

    job = batching.google.batches.get(name=name)

    assert (job.state, job.done, job.display_name) == (types.JobState.JOB_STATE_SUCCEEDED, True, "run 7")
    assert job.dest is not None
    assert (job.dest.file_name or "").startswith("files/batch-")


def test_inline_requests_are_answered_inline_with_their_metadata(batching: Batching) -> None:
    asked: list[Any] = [
        {"contents": text, "metadata": {"key": f"m{text}"}, "config": {"temperature": 0}} for text in "ab"
    ]
    name = batching.google.batches.create(model=MODEL, src=asked, config={"display_name": "inline"}).name or ""

    job = batching.google.batches.get(name=name)

    assert job.dest is not None
    answers = job.dest.inlined_responses or []
    assert [(answer.metadata or {})["key"] for answer in answers] == ["ma", "mb"]
    assert all("You asked:" in (answer.response.text or "") for answer in answers if answer.response)
    assert batching.counts()["batches"]["billed"] == {"ma|a": 1, "mb|b": 1}


def test_texts_are_embedded_in_batches_inline_and_by_file(batching: Batching) -> None:
    source: Any = {"inlined_requests": {"contents": ["a", "b"], "config": {"output_dimensionality": 4}}}
    with warnings.catch_warnings(action="ignore"):  # the SDK calls this experimental
        inline = batching.google.batches.create_embeddings(model=EMBEDDER, src=source).name or ""
        line = {"key": "k", "request": {"content": {"parts": [{"text": "a"}]}, "output_dimensionality": 4}}
        data = httpx.Response(200, json=line).content
        by_file: Any = {"file_name": batching.upload(data).name}
        name = batching.google.batches.create_embeddings(model=EMBEDDER, src=by_file).name or ""

    job = batching.google.batches.get(name=inline)

    assert job.dest is not None
    answers = job.dest.inlined_embed_content_responses or []
    vectors = [answer.response.embedding.values for answer in answers if answer.response and answer.response.embedding]
    assert vectors == embed(["a", "b"], 4).tolist()
    assert batching.results(name)[0]["response"]["embedding"]["values"] == embed(["a"], 4)[0].tolist()
    assert batching.counts()["billed"] == {"a": 2, "b": 1}


def test_batches_are_listed_in_pages_and_can_be_found_by_a_name_that_is_not_unique(batching: Batching) -> None:
    names = [batching.create([text_line(0)], title="same") for _ in range(5)]

    listed = list(batching.google.batches.list(config={"page_size": 2}))

    assert [job.name for job in listed] == names[::-1]
    assert {job.display_name for job in listed} == {"same"}
    assert len(batching.api.get("/v1/batches?pageSize=3").json()["operations"]) == 3
    assert batching.counts()["batches"]["by_display_name"] == {"same": 5}


def test_a_cancelled_batch_ends_without_results_and_bills_nothing(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"batch_polls": 5})
    name = batching.create([text_line(0)])
    batching.google.batches.cancel(name=name)

    found = batching.look(name)

    assert (found["metadata"]["state"], found["done"]) == ("BATCH_STATE_CANCELLED", True)
    assert "output" not in found["metadata"]
    assert batching.counts()["batches"]["executed"] == 0
    with pytest.raises(errors.ClientError, match="FAILED_PRECONDITION"):
        batching.google.batches.cancel(name=name)


def test_a_deleted_batch_is_not_found_but_stays_billed(batching: Batching) -> None:
    name = batching.create([text_line(0)])
    batching.look(name)
    batching.google.batches.delete(name=name)

    with pytest.raises(errors.ClientError, match="Requested entity was not found"):
        batching.google.batches.get(name=name)
    assert list(batching.google.batches.list()) == []
    assert batching.counts()["billed"] == {"question 0": 1}


def test_after_48_hours_a_batch_has_expired_without_results(batching: Batching) -> None:
    batching.spoil("stuck")
    name = batching.create([text_line(0)])
    states = [batching.state(name)]
    batching.api.post("/__standin__/batch_settings", json={"ahead_s": 48 * 3600 + 1})

    found = batching.look(name)

    assert (states, found["metadata"]["state"]) == (["RUNNING"], "BATCH_STATE_EXPIRED")
    assert "output" not in found["metadata"]
    assert batching.counts()["billed"] == {}


def test_only_so_many_batches_may_be_under_way(batching: Batching) -> None:
    batching.api.post("/__standin__/batch_settings", json={"max_open_batches": 1})
    first = batching.create([text_line(0)])

    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        batching.create([text_line(1)])
    batching.look(first)
    batching.create([text_line(1)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"{}\n", "line 1 of the input file: field 'request' is required"),
        (b'{"key": "a", "request": {}}\nnonsense\n', "line 2 of the input file: invalid JSON"),
        (b"[]\n", "expected an object"),
        (b'{"custom_id": "a", "request": {}}\n', 'no such field: "customId"'),
        (b'{"key": 5, "request": {}}\n', "'key' must be a string"),
        (b'{"request": {}}\n' * 3, "3 requests, more than the 2"),
        (b'{"request": {"contents": "' + b"x" * 500 + b'"}}\n', "more than the 400"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_batch_and_says_where(batching: Batching, data: bytes, words: str) -> None:
    batching.api.post("/__standin__/batch_settings", json={"max_requests": 2, "max_batch_file_bytes": 400})

    found = batching.look(batching.create(data))

    assert (found["metadata"]["state"], found["error"]["code"]) == ("BATCH_STATE_FAILED", 3)
    assert words in found["error"]["message"]
    assert batching.counts()["billed"] == {}


def test_a_request_that_makes_no_sense_gets_an_error_of_its_own(batching: Batching) -> None:
    gone = batching.upload(clip(3), mime_type="audio/wav")
    lines = [text_line(0), *batching.clip_lines()[:1], {"key": "bad", "request": {"content": []}}]
    lines[1]["request"]["contents"][0]["parts"][1]["file_data"]["file_uri"] = gone.uri
    name = batching.create(lines)
    batching.google.files.delete(name=gone.name or "")

    good, missing, bad = batching.results(name)

    assert text_of(good)
    assert (missing["error"]["code"], missing["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert "it may not exist" in missing["error"]["message"]
    assert (bad["key"], bad["error"]["code"], bad["error"]["status"]) == ("bad", 400, "INVALID_ARGUMENT")
    assert batching.look(name)["metadata"]["batchStats"]["failedRequestCount"] == "2"
    assert batching.counts()["billed"] == {"question 0": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Invalid value at 'batch'"),
        ({"batch": {}}, "Invalid value at 'batch.input_config'"),
        ({"batch": {"inputConfig": {}}}, "required oneof field"),
        ({"batch": {"inputConfig": {"fileName": "nothing"}}}, "must be of the form"),
        ({"batch": {"inputConfig": {"fileName": "files/nothing"}}}, "it may not exist"),
        ({"batch": {"inputConfig": {"requests": {"requests": []}}}}, "at least one request"),
        ({"batch": {"inputConfig": {"requests": {"requests": [{"key": "a"}]}}}}, 'Unknown name "key"'),
        ({"batch": {"inputConfig": {"requests": {"requests": [{}]}}}}, "Invalid value"),
        ({"batch": {"inputConfig": {"fileName": "files/a"}, "metadata": {}}}, 'Unknown name "metadata"'),
        ({"batch": {"inputConfig": {"requests": {"requests": [{"request": {"x": "y" * 300}}]}}}}, "payload size"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(batching: Batching, body: object, words: str) -> None:
    batching.api.post("/__standin__/batch_settings", json={"max_inline_bytes": 300})

    answer = batching.api.post(CREATE, json=body)

    assert answer.status_code in (400, 403)
    assert words in answer.json()["error"]["message"]
    assert batching.api.get("/v1/batches").json() == {}


def test_an_input_file_that_is_gone_before_the_work_begins_fails_the_batch(batching: Batching) -> None:
    name = batching.create([text_line(0)])
    batching.google.files.delete(name=next(iter(batching.google.files.list())).name or "")

    assert batching.look(name)["error"]["code"] == 5


def test_files_batches_and_bills_outlive_a_restart(tmp_path: Path) -> None:
    options = GeminiOptions(state_folder=tmp_path)
    asked = {"batch": {"inputConfig": {"requests": {"requests": [{"request": text_line(0)["request"]}]}}}}
    for first in (True, False):
        with serve(create_app(options)) as url, httpx.Client(base_url=url, params={"key": "k"}) as api:
            if first:
                name = api.post(CREATE, json=asked).json()["name"]
                api.get(f"/v1/{name}")
                continue
            found = api.get(f"/v1/{name}").json()
            billed = api.get("/__standin__/counts", params={"detail": 1}).json()["billed"]

    assert found["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert len(found["response"]["inlinedResponses"]["inlinedResponses"]) == 1
    assert billed == {"question 0": 1}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("batch_faults", [{"scenario": "earthquake"}]),
        ("batch_faults", [{"scenario": "empty_error_file_id"}]),
        ("batch_faults", {}),
        ("batch_settings", {"batch_poll": 1}),
        ("batch_settings", {"batch_polls": -1}),
        ("batches/all", {"state": "SLEEPING"}),
        ("batches/all", {"status": "RUNNING"}),
        ("batches/nobody", {"state": "RUNNING"}),
    ],
)
def test_a_control_request_that_makes_no_sense_is_refused_with_the_reason(
    gemini_api: httpx.Client, path: str, document: object
) -> None:
    answer = gemini_api.post(f"/__standin__/{path}", json=document)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_batch_can_be_put_into_any_state(batching: Batching) -> None:
    name = batching.create([text_line(number) for number in range(3)])

    states = []
    for state, done in (("RUNNING", 0), ("PARTIALLY_SUCCEEDED", 2)):
        batching.api.post(f"/__standin__/{name}", json={"state": state, "done": done})
        states.append(batching.state(name))

    assert states == ["RUNNING", "PARTIALLY_SUCCEEDED"]
    assert len(batching.results(name)) == 2
