"""What every host of clips must do: Gemini's against the stand-in over real HTTP, and the fake of the tests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.ports.file_host import FileHost, HostedState
from eval_pipeline.providers.gemini.files import GeminiFiles
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.dispatch.fake_file_host import FakeFileHost
from eval_pipeline_tests.stt_eval.recordings import encoded

KEY = "the-right-key"


@contextmanager
def gemini_host(*, processing_looks: int = 0) -> Iterator[FileHost]:
    with serve(gemini.create_app(gemini.GeminiOptions(accepted_keys=frozenset({KEY})))) as url:
        httpx.post(f"{url}/__standin__/batch_settings", json={"processing_looks": processing_looks})
        host = GeminiFiles(api_key=KEY, base_url=url, timeout_s=5)
        yield host
        host.close()


@contextmanager
def fake_host(*, processing_looks: int = 0) -> Iterator[FileHost]:
    yield FakeFileHost(looks_processing=processing_looks, keeps_until=datetime.now(UTC) + timedelta(hours=48))


HOSTS = {"gemini": gemini_host, "fake": fake_host}


@pytest.fixture(params=HOSTS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(encoded("WAV", seconds=0.1))
    return path


def test_a_file_can_be_used_named_and_looked_up(kind: str, clip: Path) -> None:
    with HOSTS[kind]() as host:
        hosted = host.upload(clip, name="clip.wav", mime_type="audio/wav")

        assert hosted.state is HostedState.ACTIVE
        assert hosted.uri.startswith("http")
        assert hosted.expires_at is not None
        assert hosted.expires_at > datetime.now(UTC) + timedelta(hours=36)
        assert host.look(hosted.name) == hosted


def test_a_file_that_is_looked_through_is_not_ready_at_once(kind: str, clip: Path) -> None:
    with HOSTS[kind](processing_looks=2) as host:
        hosted = host.upload(clip, name="clip.wav", mime_type="audio/wav")
        states = [hosted.state, *(host.look(hosted.name).state for _ in range(3))]

    assert states[0] is HostedState.PROCESSING
    assert states[-1] is HostedState.ACTIVE
    assert sorted(set(states)) == [HostedState.ACTIVE, HostedState.PROCESSING]


def test_the_same_clip_twice_is_two_files(kind: str, clip: Path) -> None:
    with HOSTS[kind]() as host, ThreadPoolExecutor(4) as pool:
        names = set(pool.map(lambda _: host.upload(clip, name="a.wav", mime_type="audio/wav").name, range(8)))

        assert len(names) == 8


def test_a_file_that_was_deleted_is_gone_and_may_be_deleted_again(kind: str, clip: Path) -> None:
    with HOSTS[kind]() as host:
        hosted = host.upload(clip, name="clip.wav", mime_type="audio/wav")
        host.delete(hosted.name)
        host.delete(hosted.name)

        with pytest.raises(BatchCallError) as caught:
            host.look(hosted.name)

    assert caught.value.fault is CallFault.GONE


def test_an_account_has_one_name(kind: str) -> None:
    with HOSTS[kind]() as host:
        assert host.account == host.account != ""


def test_a_wrong_key_is_the_accounts_fault(clip: Path) -> None:
    with serve(gemini.create_app(gemini.GeminiOptions(accepted_keys=frozenset({KEY})))) as url:
        host = GeminiFiles(api_key="wrong", base_url=url, timeout_s=5)
        with pytest.raises(BatchCallError) as caught:
            host.upload(clip, name="clip.wav", mime_type="audio/wav")
        host.close()

    assert caught.value.fault is CallFault.ACCOUNT
    assert "wrong" not in str(caught.value)
