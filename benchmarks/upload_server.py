"""A server that takes uploads in Google's two calls, each answered so many seconds after its last byte; keeps nothing.

``python -m benchmarks.upload_server LATENCY_S`` prints the port and serves until it is stopped.
"""

import asyncio
import json
import re
import sys
from typing import Final

_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_START: Final = b"{}", b"X-Goog-Upload-URL: /upload/v1/files?upload_id=1\r\nX-Goog-Upload-Status: active\r\n"
_FILE: Final = {"name": "files/abc", "uri": "http://127.0.0.1/v1/files/abc", "state": "ACTIVE"}
_END: Final = json.dumps({"file": _FILE}).encode(), b"X-Goog-Upload-Status: final\r\n"


class Upload(asyncio.Protocol):
    """One connection: one request after the other, bodies counted and dropped."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._head = b""
        self._missing: int | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request."""
        if self._missing is None:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._head)
            self._missing = (int(length[1]) if length else 0) - (len(self._head) - end - 4)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            body, headers = _END if b"upload_id=" in self._head.split(b"\r\n", 1)[0] else _START
            self._head, self._missing = b"", None
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b"
            asyncio.get_running_loop().call_later(self._latency_s, self._answer, answer % (headers, len(body), body))

    def _answer(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(latency_s: float) -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(lambda: Upload(latency_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
