"""Finds the clip that a part of a request means: inline, an uploaded file, or a signed URL that is fetched."""

import base64
import binascii
import re
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from eval_pipeline.standins.audio import Clip, read_clip
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.gemini.bodies import refuse_unknown, require_object, require_text
from eval_pipeline.standins.gemini.errors import invalid

AUDIO_TYPES = frozenset(
    {
        "audio/aac",
        "audio/aiff",
        "audio/flac",
        "audio/m4a",
        "audio/mp3",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "audio/x-wav",
    }
)
MAX_FETCHED_BYTES = 100_000_000
_OWN_URI = re.compile(r"(?:^|/v1(?:beta)?/)files/([^/:?]+)$")
_FETCH_TIMEOUT_S = 10


class UploadedClips(Protocol):
    """Where uploaded clips are found."""

    def clip(self, file_id: str) -> Clip:
        """Return a clip that is ACTIVE, or refuse."""


def read_media(part: Json, place: str, *, uploads: UploadedClips) -> Clip:
    """Return the clip of a part, or refuse it as the real API does."""
    if "inlineData" in part:
        given = require_object(part["inlineData"], f"{place}.inline_data")
        refuse_unknown(given, known=frozenset({"mimeType", "data", "displayName"}), place=f"{place}.inline_data")
        clip = read_clip(_decode(given.get("data"), f"{place}.inline_data.data"))
    else:
        given = require_object(part["fileData"], f"{place}.file_data")
        refuse_unknown(given, known=frozenset({"mimeType", "fileUri", "displayName"}), place=f"{place}.file_data")
        clip = _referred(require_text(given.get("fileUri"), f"{place}.file_data.file_uri"), uploads)
    mime_type = given.get("mimeType")
    if mime_type is not None and mime_type not in AUDIO_TYPES:
        raise invalid(f"Unsupported MIME type: {mime_type}")
    if clip.kind is None:
        raise invalid("Request contains an invalid argument.")
    return clip


def _decode(data: object, place: str) -> bytes:
    text = require_text(data, place)
    try:
        return base64.b64decode(text, altchars=b"-_" if {"-", "_"} & set(text[:4096]) else None, validate=True)
    except binascii.Error as error:
        raise invalid(f"Invalid value at '{place}' (TYPE_BYTES), Base64 decoding failed") from error


def _referred(uri: str, uploads: UploadedClips) -> Clip:
    if own := _OWN_URI.search(urlsplit(uri).path):
        return uploads.clip(own[1])
    try:
        fetched = httpx.get(uri, timeout=_FETCH_TIMEOUT_S, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise invalid("Cannot fetch content from the provided URL. Please ensure the URL is valid.") from error
    if fetched.status_code != HTTPStatus.OK or len(fetched.content) > MAX_FETCHED_BYTES:
        raise invalid("Cannot fetch content from the provided URL. Please ensure the URL is accessible.")
    return read_clip(fetched.content)
