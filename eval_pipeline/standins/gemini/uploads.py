"""``POST /upload/v1/files``: Google's resumable uploads, from ``start`` over any number of pieces to ``finalize``.

The upload URL that ``start`` answers with is permission enough: what is sent there carries no key.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.breakage import Answer, spoiled
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.gemini.bodies import read_object, refuse_unknown, require_object
from eval_pipeline.standins.gemini.errors import HTTP_FAULTS, NOT_FOUND, GeminiError, GeminiRefusedError, invalid
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.serving import Headers, Reception, Work

UPLOAD_FAULTS = {
    "files.start": TRANSPORT_FAULTS | HTTP_FAULTS,
    "files.upload": TRANSPORT_FAULTS
    | HTTP_FAULTS
    | {
        FaultKind.ACCEPTED_THEN_RESET,
        FaultKind.NO_UPLOAD_STATUS,
        FaultKind.PROCESSING_FAILED,
        FaultKind.PROCESSING_SLOWLY,
    },
}
GRANULARITY_BYTES = 256 * 1024
_FIELDS = frozenset({"name", "displayName", "mimeType", "sizeBytes"})
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MAX_DISPLAY_CHARACTERS = 512
_STATUS = "x-goog-upload-status"
_SLOW_LOOKS = 12
"""For so many looks a file that is processed slowly is not ready."""


@dataclass(slots=True, kw_only=True)
class FileLimits:
    """How much may be stored, and for how many looks a new file is being processed."""

    file_bytes: int = 2_000_000_000
    project_bytes: int = 20_000_000_000
    processing_looks: int = 0


@dataclass(slots=True, kw_only=True)
class _Upload:
    """One upload on its way."""

    path: Path
    mime_type: str
    name: str | None
    display_name: str | None
    announced_bytes: int | None
    received_bytes: int = 0


class Uploads:
    """The two ends of an upload: where it starts, and where its pieces go."""

    def __init__(self, desk: Reception, store: GeminiFileStore, limits: FileLimits) -> None:
        self._desk = desk
        self._store = store
        self._limits = limits
        self._open: dict[str, _Upload] = {}

    async def receive(self, request: Request) -> Answer:
        """Take the start of an upload or a piece of it."""
        raw = await request.body()
        if "upload_id" in request.query_params:
            return await self._desk.serve(request, lambda: self._piece_work(request, raw), keyless=True)
        return await self._desk.serve(request, lambda: self._start_work(request, raw))

    def _start_work(self, request: Request, raw: bytes) -> Work:
        headers = request.headers
        if headers.get("x-goog-upload-protocol") != "resumable" or headers.get("x-goog-upload-command") != "start":
            raise invalid("The stand-in takes resumable uploads: X-Goog-Upload-Protocol: resumable, Command: start.")
        upload = self._read_start(read_object(raw), headers)

        async def answer(rule: FaultRule | None, told: Headers) -> Answer:
            upload_id = secrets.token_urlsafe(24)
            self._open[upload_id] = upload
            url = (
                f"{str(request.base_url).rstrip('/')}{request.url.path}?upload_id={upload_id}&upload_protocol=resumable"
            )
            whole = Response(headers={**told, **_active(0), "x-goog-upload-url": url})
            return whole if rule is None else spoiled(rule, whole)

        return Work(endpoint="files.start", texts=[upload.display_name or ""], answer=answer)

    def _read_start(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> _Upload:
        given = require_object(body.get("file") or {}, "file")
        refuse_unknown(given, known=_FIELDS, place="file")
        mime_type = headers.get("x-goog-upload-header-content-type") or given.get("mimeType")
        if not mime_type:
            raise invalid("Unsupported MIME type: ")
        name, display_name = given.get("name"), given.get("displayName")
        if display_name and len(display_name) > _MAX_DISPLAY_CHARACTERS:
            raise invalid(f"Display name must be no more than {_MAX_DISPLAY_CHARACTERS} characters.")
        length = headers.get("x-goog-upload-header-content-length")
        announced = int(length) if length and length.isdecimal() else None
        self._check_room(announced or 0)
        return _Upload(
            path=self._store.new_path(),
            mime_type=mime_type,
            name=None if name is None else self._read_name(name),
            display_name=display_name,
            announced_bytes=announced,
        )

    def _read_name(self, name: str) -> str:
        file_id = name.removeprefix("files/")
        if not _NAME.fullmatch(file_id):
            raise invalid(f"Invalid file name {name!r}: up to 40 lowercase letters, digits and dashes.")
        self._store.check_name(file_id)
        return file_id

    def _check_room(self, size_bytes: int) -> None:
        if size_bytes > self._limits.file_bytes:
            raise invalid(f"File size {size_bytes} exceeds the limit of {self._limits.file_bytes} bytes.")
        if self._store.total_bytes + size_bytes > self._limits.project_bytes:
            message = f"File storage quota exceeded: limit {self._limits.project_bytes} bytes a project."
            raise GeminiRefusedError(GeminiError(code=HTTPStatus.TOO_MANY_REQUESTS, message=message))

    def _piece_work(self, request: Request, raw: bytes) -> Work:
        upload_id = request.query_params["upload_id"]
        upload = self._open.get(upload_id)
        if upload is None:
            raise GeminiRefusedError(NOT_FOUND)
        commands = [command.strip() for command in request.headers.get("x-goog-upload-command", "").split(",")]
        if "upload" in commands:
            self._check_piece(upload, request.headers, size_bytes=len(raw), last="finalize" in commands)

        async def answer(rule: FaultRule | None, told: Headers) -> Answer:
            if rule and rule.kind is FaultKind.NO_UPLOAD_STATUS:
                return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=told)
            whole = await self._take(request, upload_id, raw, commands=commands, rule=rule, told=told)
            return whole if rule is None else spoiled(rule, whole)

        return Work(endpoint="files.upload", texts=[upload.display_name or ""], answer=answer)

    def _check_piece(self, upload: _Upload, headers: Mapping[str, str], *, size_bytes: int, last: bool) -> None:
        offset = headers.get("x-goog-upload-offset", "")
        if offset != str(upload.received_bytes):
            raise invalid(
                f"Upload offset {offset or 'missing'} does not match the {upload.received_bytes} bytes received."
            )
        if not last and size_bytes % GRANULARITY_BYTES:
            raise invalid(f"Every piece but the last must be a multiple of {GRANULARITY_BYTES} bytes.")
        self._check_room(upload.received_bytes + size_bytes)
        announced = upload.announced_bytes
        if last and announced is not None and upload.received_bytes + size_bytes != announced:
            raise invalid(f"Upload has {upload.received_bytes + size_bytes} bytes, but {announced} were announced.")

    async def _take(
        self,
        request: Request,
        upload_id: str,
        raw: bytes,
        *,
        commands: list[str],
        rule: FaultRule | None,
        told: Headers,
    ) -> Response:
        upload = self._open[upload_id]
        if "cancel" in commands:
            upload.path.unlink(missing_ok=True)
            del self._open[upload_id]
            return Response(headers={**told, _STATUS: "cancelled"})
        if "upload" in commands:
            with upload.path.open("ab") as file:
                file.write(raw)
            upload.received_bytes += len(raw)
        if "finalize" not in commands:
            return Response(headers={**told, **_active(upload.received_bytes)})
        del self._open[upload_id]
        return await self._finalize(request, upload, told, rule=rule)

    async def _finalize(self, request: Request, upload: _Upload, told: Headers, *, rule: FaultRule | None) -> Response:
        fails = _meets(rule, FaultKind.PROCESSING_FAILED)
        slow = _SLOW_LOOKS if _meets(rule, FaultKind.PROCESSING_SLOWLY) else 0
        upload.path.touch()
        file = await asyncio.to_thread(
            self._store.add,
            upload.path,
            mime_type=upload.mime_type,
            name=upload.name,
            display_name=upload.display_name,
            processing=max(self._limits.processing_looks, slow, int(fails)),
        )
        if fails:
            file.fails = True
            self._store.save(file)
        body = orjson.dumps({"file": file.as_json(str(request.base_url).rstrip("/"))})
        return Response(body, headers={**told, _STATUS: "final"}, media_type="application/json")


def _meets(rule: FaultRule | None, kind: FaultKind) -> bool:
    return rule is not None and rule.kind is kind


def _active(received_bytes: int) -> dict[str, str]:
    return {
        _STATUS: "active",
        "x-goog-upload-size-received": str(received_bytes),
        "x-goog-upload-chunk-granularity": str(GRANULARITY_BYTES),
    }
