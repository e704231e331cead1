"""Sends a file as the answer to a request, whole, shortened or broken off; its contents never stand in memory whole."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eval_pipeline.standins.breakage import Answer, client_gone, connection, reset
from eval_pipeline.standins.faults import FaultKind
from eval_pipeline.standins.serving import Headers

_CHUNK_BYTES = 256 * 1024


def download(path: Path, size_bytes: int, headers: Headers, fault: FaultKind | None) -> Answer:
    """Return the answer that sends a file, broken off or shortened as the fault says."""
    announced = sent = size_bytes
    if fault is not None:
        sent = size_bytes // 2
    if fault is FaultKind.SHORT:
        sent = _end_of_line(path, near=sent)
    if fault is FaultKind.TRUNCATED_JSON:
        announced = sent
    length = {"content-length": str(announced)}
    head = Response(headers={**headers, **length}, media_type="application/octet-stream")
    broken = fault is not None and fault is not FaultKind.TRUNCATED_JSON
    return Download(
        file=path.open("rb"),
        headers=head.raw_headers,
        sent_bytes=sent,
        status_code=None if broken else HTTPStatus.OK,
        resets=fault is FaultKind.RESET_MIDWAY,
    )


def _end_of_line(path: Path, *, near: int) -> int:
    """Return where the last line ends that is whole before a place."""
    with path.open("rb") as file:
        return file.read(near).rfind(b"\n") + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file on its way; without a status it ends before the announced length, with or without a reset."""

    file: IO[bytes]
    headers: list[tuple[bytes, bytes]]
    sent_bytes: int
    status_code: int | None
    resets: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self.file:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.headers})
            rest = self.sent_bytes
            while rest > 0 and (chunk := self.file.read(min(_CHUNK_BYTES, rest))):
                rest -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if self.status_code is not None:
            await send({"type": "http.response.body", "body": b""})
            return
        if self.resets:
            reset(scope)
        else:
            connection(scope).close()
        await client_gone(receive)
