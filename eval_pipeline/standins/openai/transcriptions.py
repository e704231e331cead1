"""``POST /v1/audio/transcriptions``: what a valid request is, and the transcript that answers it.

``whisper-1`` and ``verbose_json`` are billed by duration, everything else by tokens: ten for a second of audio, one
for four bytes of prompt and transcript.
"""

import asyncio
import math
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.audio import Clip, audio_tokens, read_clip_file
from eval_pipeline.standins.breakage import Answer, spoiled
from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.openai.bodies import InvalidBodyError, missing, refuse_unknown, require_text
from eval_pipeline.standins.openai.multipart import Form, receive_form
from eval_pipeline.standins.serving import Headers, json_answer
from eval_pipeline.standins.speech import Speech
from eval_pipeline.standins.spoilt_texts import TEXT_FAULTS, spoilt_text
from eval_pipeline.standins.tokens import count_tokens

TRANSCRIPTION_FAULTS = (
    TRANSPORT_FAULTS
    | TEXT_FAULTS
    | {FaultKind.INSUFFICIENT_QUOTA, FaultKind.MALFORMED, FaultKind.NO_USAGE, FaultKind.EMPTY}
)
MAX_BYTES = 25 * 1024 * 1024
TOKENS_PER_SECOND = 10
FORMATS = ("json", "text", "verbose_json")
_FIELDS = frozenset(
    {
        "chunking_strategy",
        "include[]",
        "keywords[]",
        "language",
        "languages[]",
        "model",
        "prompt",
        "response_format",
        "stream",
        "temperature",
        "timestamp_granularities[]",
    }
)
_JSON_ONLY = "gpt-4o"
_BY_DURATION = "whisper-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """A valid request."""

    model: str
    clip: Clip
    format: str
    prompt: str
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The text that answers a request, and what it costs."""

    text: str
    seconds: float
    language: str
    usage: Json
    tokens: Mapping[str, int]


async def receive_transcription(request: Request) -> Transcription | InvalidBodyError:
    """Receive a form with its clip, and judge both."""
    with tempfile.TemporaryDirectory(prefix="standin-clip-") as folder:
        path = Path(folder, "clip")
        try:
            file = await asyncio.to_thread(path.open, "wb")
            with file:
                form = await receive_form(request, file)
            return read_transcription(form, read_clip_file(path))
        except InvalidBodyError as error:
            return error


def read_transcription(form: Form, clip: Clip) -> Transcription:
    """Read a form and its file, or refuse it as the real API does."""
    if form.filename is None:
        raise missing("file")
    fields = form.fields
    model = require_text(fields, "model")
    refuse_unknown(fields, known=_FIELDS)
    _check_clip(clip)
    return Transcription(
        model=model,
        clip=clip,
        format=_read_format(fields, model),
        prompt=fields.get("prompt", ""),
        language=_read_language(fields),
    )


def _check_clip(clip: Clip) -> None:
    if clip.size_bytes > MAX_BYTES:
        message = f"Maximum content size limit ({MAX_BYTES}) exceeded ({clip.size_bytes} bytes read)"
        raise InvalidBodyError(message, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if not clip.size_bytes:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise InvalidBodyError(message, param="file", code="audio_too_short")
    if clip.kind is None:
        message = (
            "Invalid file format. Supported formats: "
            "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"
        )
        raise InvalidBodyError(message, param="file")


def _read_format(fields: Mapping[str, str], model: str) -> str:
    wanted = fields.get("response_format", "json")
    known = ("json",) if model.startswith(_JSON_ONLY) else FORMATS
    if wanted not in known:
        message = (
            f"response_format '{wanted}' is not compatible with model '{model}'. Use one of {list(known)} instead."
        )
        raise InvalidBodyError(message, param="response_format", code="unsupported_value")
    temperature = fields.get("temperature", "0")
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", temperature):
        message = f"Invalid 'temperature': expected a value between 0 and 1, but got {temperature} instead."
        raise InvalidBodyError(message, param="temperature", code="invalid_value")
    if fields.get("stream", "false").lower() == "true":
        raise InvalidBodyError("The stand-in does not stream.", param="stream")
    return wanted


def _read_language(fields: Mapping[str, str]) -> str | None:
    language = fields.get("language")
    if language is not None and not re.fullmatch("[a-z]{2,3}", language):
        message = f"Invalid language '{language}'. Language parameter must be specified in ISO-639-1 format."
        raise InvalidBodyError(message, param="language", code="invalid_language_format")
    return language


def transcribe(request: Transcription, speech: Speech, rule: FaultRule | None) -> Transcript:
    """Return the transcript of a clip, spoiled as the rule says."""
    fault = None if rule is None else rule.kind
    heard = speech.hear(request.model, request.clip)
    text = "" if fault is FaultKind.EMPTY else spoilt_text(heard, fault)
    seconds = speech.seconds(request.clip)
    usage, tokens = _usage(request, text, seconds)
    return Transcript(
        text=text,
        seconds=seconds,
        language=request.language or speech.language(request.clip),
        usage={} if fault is FaultKind.NO_USAGE else usage,
        tokens=tokens,
    )


def _usage(request: Transcription, text: str, seconds: float) -> tuple[JsonDict, dict[str, int]]:
    if request.model == _BY_DURATION or request.format == "verbose_json":
        whole = math.ceil(seconds)
        return {"type": "duration", "seconds": whole}, {"seconds": whole}
    audio = audio_tokens(seconds, per_second=TOKENS_PER_SECOND)
    prompt = count_tokens(request.prompt) if request.prompt else 0
    output = count_tokens(text) if text else 0
    usage = {
        "type": "tokens",
        "input_tokens": audio + prompt,
        "input_token_details": {"audio_tokens": audio, "text_tokens": prompt},
        "output_tokens": output,
        "total_tokens": audio + prompt + output,
    }
    return usage, {"input": audio + prompt, "input_audio": audio, "output": output, "total": audio + prompt + output}


def transcription_answer(request: Transcription, made: Transcript, rule: FaultRule | None, headers: Headers) -> Answer:
    """Return the answer in the format that was asked for."""
    if request.format == "text":
        whole = Response(f"{made.text}\n", headers=headers, media_type="text/plain")
        return whole if rule is None else spoiled(rule, whole)
    document: JsonDict = {"text": made.text}
    if request.format == "verbose_json":
        document = {"task": "transcribe", "language": made.language, "duration": made.seconds, **document}
        document["segments"] = [_segment(made)] if made.text else []
    if made.usage:
        document["usage"] = made.usage
    return json_answer(orjson.dumps(document), headers, rule)


def _segment(made: Transcript) -> JsonDict:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": made.seconds,
        "text": made.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": -0.1,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }
