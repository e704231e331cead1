"""Files of the OpenAI protocol: multipart uploads, lists in pages, contents and deletion."""

import json

import httpx
import openai
import pytest

from eval_pipeline_tests.standins.openai.batching import Batching

UPLOAD = "/v1/files"
FORM = "multipart/form-data; boundary=b"


@pytest.fixture
def batching(batch_api: httpx.Client, sdk: openai.OpenAI) -> Batching:
    return Batching(batch_api, sdk)


def test_what_was_uploaded_is_described_and_comes_back_byte_for_byte(batching: Batching) -> None:
    data = bytes(range(256)) * 2000 + b"\r\n--boundary\r\n"
    file_id = batching.upload(data, name="नाम.jsonl")

    found = batching.sdk.files.retrieve(file_id)

    assert (found.bytes, found.filename, found.purpose, found.status) == (len(data), "नाम.jsonl", "batch", "processed")
    assert found.expires_at is None
    assert batching.content(file_id) == data


def test_a_file_can_expire(batching: Batching) -> None:
    after: openai.types.file_create_params.ExpiresAfter = {"anchor": "created_at", "seconds": 3600}

    file = batching.sdk.files.create(file=("a", b"x"), purpose="batch", expires_after=after)

    assert file.expires_at == file.created_at + 3600


def test_files_are_listed_newest_first_in_pages_and_by_purpose(batching: Batching) -> None:
    ids = [batching.upload(b"x") for _ in range(5)]

    listed = [file.id for file in batching.sdk.files.list(limit=2)]
    oldest_first = [file.id for file in batching.sdk.files.list(order="asc")]
    page = batching.api.get(UPLOAD, params={"limit": 2, "after": ids[3]}).json()

    assert listed == ids[::-1]
    assert oldest_first == ids
    assert ([file["id"] for file in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    assert (page["first_id"], page["last_id"]) == (ids[2], ids[1])
    assert list(batching.sdk.files.list(purpose="batch_output")) == []


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"limit": "10001"}, {"after": "file-nowhere"}])
def test_pages_that_do_not_exist_are_refused(batch_api: httpx.Client, query: dict[str, str]) -> None:
    answer = batch_api.get(UPLOAD, params=query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")


def test_a_deleted_file_is_not_found(batching: Batching) -> None:
    file_id = batching.upload(b"x")

    assert batching.sdk.files.delete(file_id).deleted
    for path in (file_id, f"{file_id}/content"):
        answer = batching.api.get(f"{UPLOAD}/{path}")
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, f"No such File object: {file_id}")
    assert batching.api.delete(f"{UPLOAD}/{file_id}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "has_file", "code"),
    [
        ({"purpose": "batch"}, False, "missing_required_parameter"),
        ({}, True, "missing_required_parameter"),
        ({"purpose": "assistants"}, True, "invalid_value"),
        ({"purpose": "batch", "expires_after[seconds]": "60"}, True, "invalid_value"),
        ({"purpose": "batch", "expires_after[seconds]": "soon"}, True, "invalid_value"),
    ],
)
def test_an_upload_that_makes_no_sense_is_refused_and_leaves_nothing(
    batch_api: httpx.Client, *, fields: dict[str, str], has_file: bool, code: str
) -> None:
    parts: dict[str, tuple[str | None, str]] = {name: (None, value) for name, value in fields.items()}
    answer = batch_api.post(UPLOAD, files=parts | ({"file": ("a.jsonl", "x")} if has_file else {"other": (None, "x")}))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert batch_api.get(UPLOAD).json()["data"] == []


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("application/json", b"{}", "Expected multipart/form-data"),
        ("multipart/form-data", b"", "Expected multipart/form-data"),
        (
            FORM,
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx',
            "ends before",
        ),
        (
            FORM,
            b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n",
            "no Content-Disp",
        ),
        (
            FORM,
            b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + b"x" * 70_000 + b"\r\n--b--\r\n",
            "at most 65536 bytes",
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(batch_api: httpx.Client, kind: str, body: bytes, words: str) -> None:
    answer = batch_api.post(UPLOAD, content=body, headers={"content-type": kind})

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_an_upload_that_was_taken_and_whose_reply_is_lost_leaves_a_file(batching: Batching) -> None:
    batching.api.post("/__standin__/faults", json=[{"kind": "accepted_then_reset", "endpoint": "files.create"}])

    with pytest.raises(openai.APIConnectionError):
        batching.upload(b"x")

    assert len(list(batching.sdk.files.list())) == 1


@pytest.mark.parametrize("kind", ["cut", "short", "reset_midway"])
def test_a_download_breaks_off_after_whole_lines_or_anywhere(batching: Batching, kind: str) -> None:
    lines = b"".join(b'{"line":%d}\n' % number for number in range(1000))
    file_id = batching.upload(lines)
    batching.api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "files.content", "times": 1}])
    got = bytearray()

    with batching.api.stream("GET", f"{UPLOAD}/{file_id}/content") as answer:
        assert int(answer.headers["content-length"]) == len(lines)
        with pytest.raises(httpx.TransportError):
            got.extend(b"".join(answer.iter_bytes()))

    assert batching.content(file_id) == lines


def test_a_truncated_download_looks_whole(batching: Batching) -> None:
    file_id = batching.upload(json.dumps(list(range(100))).encode())
    batching.api.post("/__standin__/faults", json=[{"kind": "truncated_json", "endpoint": "files.content"}])

    content = batching.content(file_id)

    with pytest.raises(json.JSONDecodeError):
        json.loads(content)


@pytest.mark.parametrize("endpoint", ["files.list", "files.retrieve", "files.content", "files.delete", "files.create"])
def test_every_endpoint_of_files_can_fail(batching: Batching, endpoint: str) -> None:
    file_id = batching.upload(b"x")
    batching.api.post("/__standin__/faults", json=[{"kind": "unavailable", "endpoint": endpoint}])
    calls = {
        "files.list": batching.sdk.files.list,
        "files.retrieve": lambda: batching.sdk.files.retrieve(file_id),
        "files.content": lambda: batching.sdk.files.content(file_id),
        "files.delete": lambda: batching.sdk.files.delete(file_id),
        "files.create": lambda: batching.upload(b"y"),
    }

    with pytest.raises(openai.InternalServerError):
        calls[endpoint]()

    assert batching.api.get("/__standin__/counts").json()[endpoint]["faults"] == {"unavailable": 1}


def test_a_missing_file_by_fault_is_named_as_a_missing_file_is(batching: Batching) -> None:
    file_id = batching.upload(b"x")
    batching.api.post("/__standin__/faults", json=[{"kind": "not_found", "endpoint": "files.content"}])

    with pytest.raises(openai.NotFoundError, match="No such File object"):
        batching.content(file_id)
