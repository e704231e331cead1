"""Reads ``multipart/form-data`` as it arrives: the file goes to disk, and only the small fields to memory."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import BinaryIO

from starlette.requests import Request

from eval_pipeline.standins.openai.bodies import InvalidBodyError

_MAX_FIELD_BYTES = 64 * 1024


@dataclass(slots=True)
class Form:
    """The fields of a form, and the name of the file that came with them."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None


async def receive_form(request: Request, file: BinaryIO) -> Form:
    """Read a form; its part ``file`` is written to the file given."""
    boundary = _boundary(request.headers.get("content-type", ""))
    body = _Body(request.stream())
    form = Form()
    await body.until(b"--" + boundary, _nothing)
    while await body.take(2) == b"\r\n":
        head = await body.text_until(b"\r\n\r\n")
        name, filename = _disposition(head)
        if name == "file":
            form.filename = filename or "upload"
            await body.until(b"\r\n--" + boundary, file.write)
        else:
            form.fields[name] = await body.text_until(b"\r\n--" + boundary)
    await body.drain()
    return form


class _Body:
    """A body of which no more is kept than what may be the beginning of a mark."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()

    async def until(self, mark: bytes, write: Callable[[bytes], object]) -> None:
        """Write everything up to the mark, and pass over the mark."""
        while (at := self._buffer.find(mark)) < 0:
            if (safe := len(self._buffer) - len(mark) + 1) > 0:
                write(bytes(self._buffer[:safe]))
                del self._buffer[:safe]
            await self._more()
        write(bytes(self._buffer[:at]))
        del self._buffer[: at + len(mark)]

    async def text_until(self, mark: bytes) -> str:
        """Return the short text before the mark."""
        text = bytearray()

        def collect(part: bytes) -> None:
            text.extend(part)
            if len(text) > _MAX_FIELD_BYTES:
                raise InvalidBodyError(f"A form field may have at most {_MAX_FIELD_BYTES} bytes.")

        await self.until(mark, collect)
        return text.decode(errors="replace")

    async def take(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        while len(self._buffer) < size:
            await self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def drain(self) -> None:
        """Read what follows the form, so that the connection can be used again."""
        async for _ in self._chunks:
            pass

    async def _more(self) -> None:
        async for chunk in self._chunks:
            if chunk:
                self._buffer += chunk
                return
        raise InvalidBodyError("The multipart form ends before its closing boundary.")


def _nothing(part: bytes) -> None:
    del part


def _boundary(content_type: str) -> bytes:
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise InvalidBodyError(f"Invalid Content-Type header ({content_type}). Expected multipart/form-data.")
    return boundary.encode("latin-1")


def _disposition(head: str) -> tuple[str, str | None]:
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            message = Message()
            message["content-disposition"] = value.strip()
            return str(message.get_param("name", "", "content-disposition")), message.get_filename()
    raise InvalidBodyError("A part of the multipart form has no Content-Disposition.")
