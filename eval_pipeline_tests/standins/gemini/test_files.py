"""Files of the Gemini protocol: resumable uploads, states, limits, expiry, pages and downloads."""

import base64
import io
from collections.abc import Mapping
from hashlib import sha256

import httpx
import httpx2
import pytest
from google import genai
from google.genai import errors, types

from eval_pipeline.standins.gemini.uploads import GRANULARITY_BYTES
from eval_pipeline_tests.standins.speaking import CLIPS

WAV = "audio/wav"


def upload(google: genai.Client, data: bytes = CLIPS[0], *, name: str | None = None, title: str = "") -> types.File:
    config = types.UploadFileConfig(mime_type=WAV, name=name, display_name=title or None)
    return google.files.upload(file=io.BytesIO(data), config=config)


def start(api: httpx.Client, *, size: int | None = None, file: Mapping[str, object] | None = None) -> httpx.Response:
    headers = {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-type": WAV,
    }
    if size is not None:
        headers["x-goog-upload-header-content-length"] = str(size)
    return api.post("/upload/v1beta/files", json={"file": dict(file or {})}, headers=headers)


def send(url: str, data: bytes, *, command: str, offset: int) -> httpx.Response:
    headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    return httpx.post(url, content=data, headers=headers)


def status(answer: httpx.Response) -> str | None:
    value: str | None = answer.headers.get("x-goog-upload-status")
    return value


def test_the_sdk_uploads_a_clip_and_finds_all_that_is_known_of_it(google: genai.Client) -> None:
    file = google.files.get(name=upload(google, title="clip 1").name or "")

    assert (file.state, file.source) == (types.FileState.ACTIVE, types.FileSource.UPLOADED)
    assert (file.size_bytes, file.mime_type, file.display_name) == (len(CLIPS[0]), WAV, "clip 1")
    assert base64.b64decode(file.sha256_hash or "") == sha256(CLIPS[0]).hexdigest().encode()
    assert file.expiration_time is not None
    assert file.create_time is not None
    assert (file.expiration_time - file.create_time).total_seconds() == 48 * 3600


def test_an_upload_goes_on_where_it_was_left(gemini_api: httpx.Client) -> None:
    data = bytes(2 * GRANULARITY_BYTES + 10)
    url = start(gemini_api, size=len(data)).headers["x-goog-upload-url"]

    first = send(url, data[:GRANULARITY_BYTES], command="upload", offset=0)
    asked = send(url, b"", command="query", offset=0)
    second = send(url, data[GRANULARITY_BYTES : 2 * GRANULARITY_BYTES], command="upload", offset=GRANULARITY_BYTES)
    last = send(url, data[2 * GRANULARITY_BYTES :], command="upload, finalize", offset=2 * GRANULARITY_BYTES)

    assert url.startswith(str(gemini_api.base_url))
    assert [status(answer) for answer in (first, asked, second, last)] == ["active", "active", "active", "final"]
    assert asked.headers["x-goog-upload-size-received"] == str(GRANULARITY_BYTES)
    assert last.json()["file"]["sizeBytes"] == str(len(data))


def test_an_upload_can_be_finalized_alone_or_cancelled(gemini_api: httpx.Client) -> None:
    url = start(gemini_api).headers["x-goog-upload-url"]
    send(url, bytes(GRANULARITY_BYTES), command="upload", offset=0)
    cancelled = start(gemini_api).headers["x-goog-upload-url"]

    assert status(send(url, b"", command="finalize", offset=GRANULARITY_BYTES)) == "final"
    assert status(send(cancelled, b"", command="cancel", offset=0)) == "cancelled"
    assert send(cancelled, b"x", command="upload, finalize", offset=0).status_code == 404
    assert len(gemini_api.get("/v1/files").json()["files"]) == 1


@pytest.mark.parametrize(
    ("size", "command", "offset", "words"),
    [
        (10, "upload", 0, "multiple of"),
        (10, "upload, finalize", 5, "does not match the 0 bytes"),
        (9, "upload, finalize", 0, "10 were announced"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(
    gemini_api: httpx.Client, *, size: int, command: str, offset: int, words: str
) -> None:
    url = start(gemini_api, size=10).headers["x-goog-upload-url"]

    answer = send(url, bytes(size), command=command, offset=offset)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "file",
    [{"name": "files/UPPER"}, {"name": "files/-dash"}, {"name": "a" * 41}, {"display_name": "x" * 513}, {"size": 1}],
)
def test_names_that_are_not_allowed_are_refused(gemini_api: httpx.Client, file: dict[str, object]) -> None:
    assert start(gemini_api, file=file).json()["error"]["status"] == "INVALID_ARGUMENT"


def test_other_protocols_and_uploads_without_a_kind_are_refused(gemini_api: httpx.Client) -> None:
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}

    assert gemini_api.post("/upload/v1/files", content=b"data").status_code == 400
    assert "MIME" in gemini_api.post("/upload/v1/files", headers=headers).json()["error"]["message"]


def test_a_name_of_ones_own_is_taken_once_but_display_names_may_repeat(google: genai.Client) -> None:
    first, second = upload(google, name="my-clip", title="same"), upload(google, title="same")

    assert (first.name, first.display_name) == ("files/my-clip", second.display_name)
    with pytest.raises(errors.ClientError, match="ALREADY_EXISTS"):
        upload(google, name="my-clip")


def test_files_and_projects_have_limits(gemini_api: httpx.Client, google: genai.Client) -> None:
    gemini_api.post("/__standin__/batch_settings", json={"max_file_bytes": 10_000, "max_project_bytes": 20_000})

    upload(google)
    upload(google)
    with pytest.raises(errors.ClientError, match="exceeds the limit of 10000 bytes"):
        upload(google, bytes(10_001))
    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        upload(google)
    google.files.delete(name=next(iter(google.files.list())).name or "")
    upload(google)


def test_a_file_is_processed_for_as_many_looks_as_are_set(gemini_api: httpx.Client, google: genai.Client) -> None:
    gemini_api.post("/__standin__/batch_settings", json={"processing_looks": 2})
    file = upload(google)

    with pytest.raises(errors.ClientError, match="FAILED_PRECONDITION"):
        google.models.generate_content(model="m", contents=[file])
    states = [google.files.get(name=file.name or "").state for _ in range(3)]

    assert [file.state, *states] == ["PROCESSING", "PROCESSING", "ACTIVE", "ACTIVE"]


def test_processing_can_fail(gemini_api: httpx.Client, google: genai.Client) -> None:
    gemini_api.post("/__standin__/faults", json=[{"kind": "processing_failed", "match": "bad"}])
    good, bad = upload(google, title="good"), upload(google, title="bad")

    found = google.files.get(name=bad.name or "")

    assert (good.state, bad.state, found.state) == ("ACTIVE", "PROCESSING", "FAILED")
    assert found.error is not None


def test_lists_come_in_pages_newest_first(gemini_api: httpx.Client, google: genai.Client) -> None:
    names = [upload(google).name for _ in range(5)]

    pages = gemini_api.get("/v1/files", params={"pageSize": 2}).json()
    listed = [file.name for file in google.files.list(config={"page_size": 2})]

    assert listed == names[::-1]
    assert len(pages["files"]) == 2
    assert gemini_api.get("/v1/files", params={"pageToken": "nonsense"}).status_code == 400
    assert gemini_api.delete("/__standin__/batches").json() == []
    assert gemini_api.get("/v1/files").json() == {}


def test_a_deleted_and_an_expired_file_are_refused_alike(gemini_api: httpx.Client, google: genai.Client) -> None:
    deleted, expired = upload(google), upload(google)
    google.files.delete(name=deleted.name or "")
    gemini_api.post("/__standin__/batch_settings", json={"ahead_s": 48 * 3600})

    for file in (deleted, expired):
        with pytest.raises(errors.ClientError, match="do not have permission to access the File"):
            google.models.generate_content(model="m", contents=[file])
        with pytest.raises(errors.ClientError, match="it may not exist"):
            google.files.get(name=file.name or "")


def test_what_was_uploaded_cannot_be_downloaded(gemini_api: httpx.Client, google: genai.Client) -> None:
    file = upload(google)

    answer = gemini_api.get(f"/v1/{file.name}:download", params={"alt": "media"})

    assert "only generated files" in answer.json()["error"]["message"]


def test_an_upload_that_was_taken_and_whose_reply_is_lost_leaves_a_file(
    gemini_api: httpx.Client, google: genai.Client
) -> None:
    gemini_api.post("/__standin__/faults", json=[{"kind": "accepted_then_reset", "endpoint": "files.upload"}])

    with pytest.raises(httpx2.TransportError):
        upload(google)

    assert len(list(google.files.list())) == 1


def test_the_sdk_sends_a_piece_again_that_was_answered_without_a_status(
    gemini_api: httpx.Client, google: genai.Client
) -> None:
    gemini_api.post("/__standin__/faults", json=[{"kind": "no_upload_status", "times": 1}])

    assert upload(google).state == "ACTIVE"
    assert gemini_api.get("/__standin__/counts").json()["files.upload"]["requests"] == 2


@pytest.mark.parametrize("endpoint", ["files.start", "files.get", "files.list", "files.delete"])
def test_every_endpoint_of_files_can_fail(gemini_api: httpx.Client, google: genai.Client, endpoint: str) -> None:
    name = upload(google).name or ""
    gemini_api.post("/__standin__/faults", json=[{"kind": "unavailable", "endpoint": endpoint}])
    calls = {
        "files.start": lambda: upload(google),
        "files.get": lambda: google.files.get(name=name),
        "files.list": lambda: list(google.files.list()),
        "files.delete": lambda: google.files.delete(name=name),
    }

    with pytest.raises(errors.ServerError, match="UNAVAILABLE"):
        calls[endpoint]()
