"""Live transcription by ``POST /audio/transcriptions``: OpenAI, vLLM, a Whisper of one's own.

These models take no instructions: their ``prompt`` is text that would stand before the transcript, and one of
instructions turns up in transcripts. So a run's prompt stays at home; only the language goes along.
"""

import asyncio
from contextlib import ExitStack
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.ports.models import Clip, TranscriptionRequest
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import read_json
from eval_pipeline.providers.openai.client import FormFile, OpenAIConnection
from eval_pipeline.providers.openai.errors import parse_error, parse_error_object
from eval_pipeline.providers.openai.usage import read_usage
from eval_pipeline.providers.reading import read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import malformed, unreadable

MAX_BYTES: Final = 26_214_400
"""Of a clip at OpenAI; a server of one's own may take more."""
_ERRORS_FROM = 300
_MAX_EXCERPT = 200


class OpenAITranscriber:
    """A speech model behind ``POST /audio/transcriptions``.

    Args:
        connection: the open connection.
        max_bytes: of a clip; larger ones fail before they are sent.
    """

    def __init__(self, connection: OpenAIConnection, *, max_bytes: int = MAX_BYTES) -> None:
        self._connection = connection
        self._max_bytes = max_bytes

    async def ask(self, request: TranscriptionRequest) -> Attempt:
        """Transcribe one clip."""
        clip = request.clip
        if clip.size_bytes > self._max_bytes:
            return _too_large(clip, limit=self._max_bytes)
        with ExitStack() as held:
            path = await asyncio.to_thread(held.enter_context, clip.open())
            file = FormFile(path, name=clip.name, mime_type=clip.mime_type)
            reply = await self._connection.post_form("/audio/transcriptions", _fields(request), file=file)
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_transcription, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def _fields(request: TranscriptionRequest) -> dict[str, str]:
    fields = {"model": request.model, "response_format": "json"}
    return fields | ({"language": primary_language(request.language)} if request.language else {})


def primary_language(tag: str) -> str:
    """Return the language of a BCP-47 tag alone, as the API wants it (ISO 639-1 where there is one).

    >>> primary_language("hi-IN"), primary_language("sr_Latn"), primary_language("KOK")
    ('hi', 'sr', 'kok')
    """
    return tag.replace("_", "-").partition("-")[0].lower()


def parse_transcription(http_status: int, body: bytes, headers: Headers) -> Attempt:
    """Translate one answer."""
    if http_status >= _ERRORS_FROM:
        return parse_error(http_status, body, headers)
    try:
        document = read_json(body)
    except ValueError:
        return unreadable(http_status, body, headers)
    if not isinstance(document, dict):
        return malformed(f"a JSON {type(document).__name__} instead of a transcription")
    if document.get("error") is not None:
        return _failed(document["error"])
    text = document.get("text")
    if not isinstance(text, str):
        return malformed(f"a JSON object that is no transcription: {excerpt(str(document), most=_MAX_EXCERPT)}")
    return _heard(document, text)


def _heard(document: Json, text: str) -> Attempt:
    """Return the transcript; whether nothing is what was to be heard, the scores tell."""
    usage = read_usage(document.get("usage"))  # None for models that are billed by the second
    silent = not text.strip()
    nothing = ItemError(code="empty_output", type="transcription", message="the transcript is empty", transient=False)
    return Attempt(
        outcome=AttemptOutcome.EMPTY if silent else AttemptOutcome.OK,
        text=text or None,
        error=nothing if silent else None,
        usage=usage,
        maybe_billed=usage is None,
    )


def _failed(error: object) -> Attempt:
    read = parse_error_object(error, default_code="transcription_failed")
    outcome = AttemptOutcome.RETRYABLE if read.transient else AttemptOutcome.FAILED
    return Attempt(outcome=outcome, error=read, throttled=read.code == "rate_limit_exceeded", maybe_billed=True)


def _too_large(clip: Clip, *, limit: int) -> Attempt:
    words = f"clip '{clip.name}' has {clip.size_bytes:,} bytes, the transcription API takes {limit:,}"
    error = ItemError(code="clip_too_large", type="clip", message=words, transient=False)
    return Attempt(outcome=AttemptOutcome.FAILED, error=error)
