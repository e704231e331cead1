"""The adapters against the stand-in, which Google's own SDK is tested against: clips, transcripts, batches, vectors."""

import asyncio
import io
import wave
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest

from eval_pipeline.core.batches import Phase, ProviderBatch
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.core.ports.file_host import HostedState
from eval_pipeline.core.ports.models import Clip, EmbeddingFailure, EmbeddingReply, TranscriptionRequest
from eval_pipeline.providers.gemini.account import generate_endpoint
from eval_pipeline.providers.gemini.batch_lines import TranscriptionLines, read_generation_line
from eval_pipeline.providers.gemini.batches import GeminiBatches
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.embeddings import GeminiEmbedder
from eval_pipeline.providers.gemini.errors import FILE_UNAVAILABLE
from eval_pipeline.providers.gemini.files import GeminiFiles
from eval_pipeline.providers.gemini.generate import GeminiAnswerer
from eval_pipeline.providers.gemini.transcripts import GeminiTranscriber
from eval_pipeline.standins.gemini.app import GeminiOptions, create_app
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech, SpokenClip

T = TypeVar("T")
KEY = "the-secret-key"
MODEL = "gemini-2.5-flash"
EMBEDDER = "gemini-embedding-001"
WORDS = "यह एक परीक्षा है"


def sound() -> bytes:
    """Return a second of silence, which the stand-in hears as what was recorded for it."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(16_000))
    return buffer.getvalue()


SOUND = sound()
NAME = sha256(SOUND).hexdigest()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    options = GeminiOptions(
        accepted_keys=frozenset({KEY}),
        models=frozenset({MODEL, EMBEDDER}),
        speech=Speech(clips={NAME: SpokenClip(sha256=NAME, reference=WORDS)}),
        recordings=Recordings({(MODEL, "2 + 2?"): "Four."}),
    )
    with serve(create_app(options)) as url:
        yield url


@pytest.fixture
def files(url: str) -> Iterator[GeminiFiles]:
    opened = GeminiFiles(api_key=KEY, base_url=url)
    yield opened
    opened.close()


@pytest.fixture
def batches(url: str) -> Iterator[GeminiBatches]:
    opened = GeminiBatches(api_key=KEY, base_url=url)
    yield opened
    opened.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    stored = tmp_path / "clip"
    stored.write_bytes(SOUND)
    return stored


def connected(url: str, use: Callable[[GeminiConnection], Awaitable[T]], *, key: str = KEY) -> T:
    async def work() -> T:
        async with GeminiConnection(api_key=key, base_url=url, timeout_s=10) as connection:
            return await use(connection)

    return asyncio.run(work())


def asked(path: Path) -> TranscriptionRequest:
    @contextmanager
    def opened() -> Iterator[Path]:
        yield path

    clip = Clip(sha256=NAME, mime_type="audio/wav", size_bytes=len(SOUND), name="clip.wav", open=opened)
    return TranscriptionRequest(clip=clip, model=MODEL, prompt="Transcribe.", language="hi")


def answer(url: str, model: str = MODEL, *, key: str = KEY) -> Attempt:
    body = {"model": model, "input": "2 + 2?", "instructions": "Be brief.", "temperature": 0}
    return connected(url, lambda connection: GeminiAnswerer(connection).ask(body), key=key)


def test_a_question_is_answered(url: str) -> None:
    attempt = answer(url)

    assert (attempt.outcome, attempt.text, attempt.model) == (AttemptOutcome.OK, "Four.", MODEL)
    assert attempt.usage is not None


def test_a_wrong_key_and_a_wrong_model_are_the_accounts(url: str) -> None:
    assert answer(url, key="another").account_fault is AccountFault.AUTH
    assert answer(url, "gemini-9").account_fault is AccountFault.MODEL_NOT_FOUND


@pytest.mark.parametrize("max_inline_bytes", [1_000_000, 10])
def test_a_clip_is_heard_inline_and_as_a_file(url: str, files: GeminiFiles, path: Path, max_inline_bytes: int) -> None:
    attempt = connected(
        url,
        lambda connection: GeminiTranscriber(connection, host=files, max_inline_bytes=max_inline_bytes).ask(
            asked(path)
        ),
    )

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.OK, WORDS)
    assert attempt.usage is not None
    assert attempt.usage.audio_input > 0


def test_texts_are_embedded(url: str) -> None:
    async def embed(connection: GeminiConnection) -> EmbeddingReply | EmbeddingFailure:
        return await GeminiEmbedder(connection, model=EMBEDDER, dimensions=256).embed(["a", "b", "a"])

    reply = connected(url, embed)

    assert isinstance(reply, EmbeddingReply)
    assert reply.problems == [None] * 3
    assert reply.vectors[0] == reply.vectors[2] != reply.vectors[1]
    assert len(reply.vectors[0] or b"") == 256 * 4


def transcribe(batches: GeminiBatches, folder: Path, uris: dict[str, str]) -> ProviderBatch:
    lines = TranscriptionLines()
    requests = folder / "requests.jsonl"
    requests.write_bytes(
        b"".join(
            lines.line(name, prompt="Transcribe.", mime_type="audio/wav", file_uri=uri) for name, uri in uris.items()
        )
    )
    file_id = batches.upload(requests, name="requests.jsonl")
    made = batches.create(file_id, endpoint=generate_endpoint(MODEL), key="7d" * 32, labels={})
    return batches.find(made.id)


def test_clips_are_transcribed_in_a_batch_and_one_that_is_gone_is_a_matter_of_its_file(
    files: GeminiFiles, batches: GeminiBatches, path: Path, tmp_path: Path
) -> None:
    hosted = files.upload(path, name="clip.wav", mime_type="audio/wav")
    while hosted.state is HostedState.PROCESSING:
        hosted = files.look(hosted.name)
    gone = files.upload(path, name="gone.wav", mime_type="audio/wav")
    files.delete(gone.name)

    batch = transcribe(batches, tmp_path, {"s1": hosted.uri, "s2": gone.uri})

    assert hosted.expires_at is not None
    assert batch.phase is Phase.COMPLETED
    assert batch.output_file_id is not None
    batches.download(batch.output_file_id, tmp_path / "output.jsonl")
    lines = map(read_generation_line, (tmp_path / "output.jsonl").read_bytes().splitlines(keepends=True))
    read = {line.custom_id: line.attempt for line in lines}
    assert (read["s1"].outcome, read["s1"].text) == (AttemptOutcome.OK, WORDS)
    assert read["s1"].usage is not None
    assert read["s1"].usage.audio_input > 0
    error = read["s2"].error
    assert error is not None
    assert (error.code, error.transient, read["s2"].account_fault) == (FILE_UNAVAILABLE, True, None)
    files.delete(hosted.name)
    files.delete(hosted.name)
