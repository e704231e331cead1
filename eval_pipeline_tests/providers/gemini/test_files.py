"""The Files API over real HTTP: the resumable protocol, from several threads at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.ports.file_host import HostedState
from eval_pipeline.providers.gemini.files import GeminiFiles, read_moment
from eval_pipeline_tests.providers.script import Script

KEY = "AIza-test-7f3a9c1e5b"
FILE = {
    "name": "files/abc",
    "uri": "https://host/v1/files/abc",
    "state": "ACTIVE",
    "expirationTime": "2026-11-28T18:00:00Z",
}
FORBIDDEN = {
    "error": {
        "code": 403,
        "status": "PERMISSION_DENIED",
        "message": "You do not have permission to access the File abc or it may not exist.",
    }
}


@pytest.fixture
def files(script: Script) -> Iterator[GeminiFiles]:
    opened = GeminiFiles(api_key=KEY, base_url=script.url, timeout_s=5)
    yield opened
    opened.close()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip"
    path.write_bytes(b"sound" * 200_000)
    return path


def test_a_file_is_announced_and_then_sent_as_one_stream(script: Script, files: GeminiFiles, clip: Path) -> None:
    script.say(200, {}, x_goog_upload_url="https://elsewhere.invalid/upload/v1/files?upload_id=7")
    script.say(200, {"file": FILE}, x_goog_upload_status="final")

    hosted = files.upload(clip, name="q1.ogg", mime_type="audio/ogg")

    announced, sent = script.asked
    assert (announced.method, announced.path) == ("POST", "/upload/v1/files")
    assert announced.headers["x-goog-upload-protocol"] == "resumable"
    assert announced.headers["x-goog-upload-header-content-length"] == "1000000"
    assert announced.headers["x-goog-upload-header-content-type"] == "audio/ogg"
    assert sent.path == "/upload/v1/files?upload_id=7", "sent to the host that we were told, not to another"
    assert sent.headers["x-goog-upload-command"] == "upload, finalize"
    assert sent.body == clip.read_bytes()
    assert (hosted.name, hosted.uri, hosted.state) == ("files/abc", FILE["uri"], HostedState.ACTIVE)
    assert hosted.expires_at == datetime(2026, 11, 28, 18, tzinfo=UTC)


def test_threads_share_one_client(script: Script, files: GeminiFiles, clip: Path) -> None:
    script.say(200, {"file": FILE}, x_goog_upload_url="/upload/v1/files?upload_id=7", x_goog_upload_status="final")

    with ThreadPoolExecutor(8) as pool:
        hosted = list(pool.map(lambda n: files.upload(clip, name=f"{n}", mime_type="audio/ogg"), range(24)))

    assert len(hosted) == 24
    assert len(script.asked) == 48
    assert all(asked.body == clip.read_bytes() for asked in script.asked if "upload_id" in asked.path)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("PROCESSING", HostedState.PROCESSING),
        ("ACTIVE", HostedState.ACTIVE),
        ("FAILED", HostedState.FAILED),
        ("A_STATE_OF_TOMORROW", HostedState.PROCESSING),
        (None, HostedState.ACTIVE),
    ],
)
def test_a_state_is_read_and_an_unknown_one_is_waited_for(
    script: Script, files: GeminiFiles, state: str | None, expected: HostedState
) -> None:
    script.say(200, {"name": "files/abc", "state": state, "error": {"message": "no audio"}})

    seen = files.look("files/abc")

    assert (seen.state, seen.problem, seen.expires_at) == (expected, "no audio", None)
    assert seen.uri == f"{script.url}/v1/files/abc"


@pytest.mark.parametrize(("status", "document"), [(404, {"error": {"code": 404, "message": "gone"}}), (403, FORBIDDEN)])
def test_a_file_that_is_gone_is_said_to_be_and_is_deleted(
    script: Script, files: GeminiFiles, status: int, document: object
) -> None:
    script.say(status, document)

    with pytest.raises(BatchCallError) as caught:
        files.look("files/abc")

    assert caught.value.fault is CallFault.GONE
    files.delete("files/abc")


@pytest.mark.parametrize(
    ("answer", "headers"),
    [({}, {}), ({"file": {}}, {"x_goog_upload_url": "/u"}), (b"<html>", {"x_goog_upload_url": "/u"})],
)
def test_an_upload_that_nobody_confirmed_is_not_taken_for_done(
    script: Script, files: GeminiFiles, clip: Path, answer: object, headers: dict[str, str]
) -> None:
    script.say(200, answer, **headers)

    with pytest.raises(BatchCallError) as caught:
        files.upload(clip, name="x", mime_type="audio/ogg")

    assert caught.value.fault is CallFault.AMBIGUOUS


def test_half_an_upload_is_no_upload(script: Script, files: GeminiFiles, clip: Path) -> None:
    script.say(200, {"file": FILE}, x_goog_upload_url="/u", x_goog_upload_status="active")

    with pytest.raises(BatchCallError, match="only part of the file"):
        files.upload(clip, name="x", mime_type="audio/ogg")


def test_two_keys_are_two_accounts_and_no_key_shows(script: Script, files: GeminiFiles) -> None:
    other = GeminiFiles(api_key="another", base_url=script.url)

    assert files.account != other.account
    assert KEY not in f"{files!r}{files.account}"


def test_times_are_read_up_to_the_nanosecond() -> None:
    assert read_moment("2026-11-28T18:00:00.123456789Z") == datetime(2026, 11, 28, 18, 0, 0, 123456, tzinfo=UTC)
    assert [read_moment(text) for text in (None, "", "soon", "2026-11-28T18:00:00")] == [None] * 4
