"""Live transcription by a Gemini model: the clip inside the request, or through the Files API when it is too large."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import orjson
import pybase64

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.ports.file_host import FileHost, HostedFile, HostedState
from eval_pipeline.core.ports.models import Clip, TranscriptionRequest
from eval_pipeline.providers.gemini.account import model_path
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.errors import FILE_UNAVAILABLE
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.json_text import json_text
from eval_pipeline.providers.reading import read_answer
from eval_pipeline.providers.transport import RawReply

MAX_INLINE_BYTES: Final = 14_000_000
"""Of a clip: as base64 it takes a third more, and a whole request may have 20 MB."""
_LOOKS: Final = 60
_LOOK_EVERY_S: Final = 1.0
_FAULTS: Final = {CallFault.ACCOUNT: AccountFault.AUTH, CallFault.UNREACHABLE: AccountFault.UNREACHABLE}


class GeminiTranscriber:
    """A model behind ``generateContent`` that hears.

    Args:
        connection: the open connection.
        host: where clips go that are too large to be sent inline; None: such clips fail.
        generation_config: what else the model is told, in the API's words; ``temperature`` is 0 when it says nothing.
        max_inline_bytes: of a clip.
        sleep: waits so many seconds between looks at a file that is not ready.
    """

    def __init__(
        self,
        connection: GeminiConnection,
        *,
        host: FileHost | None = None,
        generation_config: Json | None = None,
        max_inline_bytes: int = MAX_INLINE_BYTES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._host = host
        self._config = transcription_config(generation_config)
        self._max_inline_bytes = max_inline_bytes
        self._sleep = sleep

    async def ask(self, request: TranscriptionRequest) -> Attempt:
        """Transcribe one clip."""
        with ExitStack() as held:
            path = await asyncio.to_thread(held.enter_context, request.clip.open())
            if request.clip.size_bytes <= self._max_inline_bytes:
                return await self._generate(request, await asyncio.to_thread(_inline_part, path, request.clip))
            if self._host is None:
                return _too_large(request.clip, limit=self._max_inline_bytes)
            return await self._by_file(request, path, host=self._host)

    async def _by_file(self, request: TranscriptionRequest, path: Path, *, host: FileHost) -> Attempt:
        clip = request.clip
        try:
            file = await asyncio.to_thread(host.upload, path, name=clip.name, mime_type=clip.mime_type)
            try:
                file = await self._wait_for(file, host=host)
                if file.state is not HostedState.ACTIVE:
                    return _not_ready(file)
                part = {"file_data": {"mime_type": clip.mime_type, "file_uri": file.uri}}
                return await self._generate(request, orjson.dumps(part))
            finally:
                await asyncio.to_thread(host.delete, file.name)
        except BatchCallError as error:
            return _unhosted(error)

    async def _wait_for(self, file: HostedFile, *, host: FileHost) -> HostedFile:
        for _ in range(_LOOKS):
            if file.state is not HostedState.PROCESSING:
                break
            await self._sleep(_LOOK_EVERY_S)
            file = await asyncio.to_thread(host.look, file.name)
        return file

    async def _generate(self, request: TranscriptionRequest, part: bytes) -> Attempt:
        body = b'{"contents":[{"parts":[{"text":%b},%b],"role":"user"}],"generationConfig":%b}' % (
            json_text(request.prompt),
            part,
            self._config,
        )
        reply = await self._connection.post(f"{model_path(request.model)}:generateContent", body)
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_generation, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def transcription_config(given: Json | None) -> bytes:
    """Return the generation config of transcriptions as JSON: what was heard is no matter of chance."""
    return orjson.dumps({"temperature": 0, **(given or {})})


def _inline_part(path: Path, clip: Clip) -> bytes:
    """Write a clip as a part; built by hand, so that its bytes are copied once."""
    data = pybase64.b64encode(path.read_bytes())
    return b'{"inline_data":{"mime_type":%b,"data":"%b"}}' % (orjson.dumps(clip.mime_type), data)


def _too_large(clip: Clip, *, limit: int) -> Attempt:
    words = f"clip '{clip.name}' has {clip.size_bytes:,} bytes; without a file host at most {limit:,} can be sent"
    error = ItemError(code="clip_too_large", type="clip", message=words, transient=False)
    return Attempt(outcome=AttemptOutcome.FAILED, error=error)


def _not_ready(file: HostedFile) -> Attempt:
    failed = file.state is HostedState.FAILED
    words = (
        f"the uploaded clip cannot be used: {file.problem or 'no reason given'}"
        if failed
        else "the uploaded clip stays unprocessed"
    )
    error = ItemError(code=FILE_UNAVAILABLE, type="clip", message=words, transient=not failed)
    return Attempt(outcome=AttemptOutcome.FAILED if failed else AttemptOutcome.RETRYABLE, error=error)


def _unhosted(error: BatchCallError) -> Attempt:
    """Say what it means for the item that its clip could not be uploaded or looked at."""
    transient = error.fault not in {CallFault.ACCOUNT, CallFault.REFUSED}
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE if transient else AttemptOutcome.FAILED,
        error=ItemError(code=error.code, type="clip", message=error.message, transient=transient),
        retry_after_s=error.retry_after_s,
        throttled=error.fault is CallFault.BUSY,
        account_fault=_FAULTS.get(error.fault),
    )
