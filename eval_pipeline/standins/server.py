"""Runs a stand-in on 127.0.0.1, in a thread of this process.

Clients that are still connected at the end are cut off: a stand-in that ends has ended.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eval_pipeline.standins.breakage import EXTENSION

HOST = "127.0.0.1"
_BACKLOG = 2048
# longer than clients keep idle connections, so that none meets a connection that is just closing
_KEEP_ALIVE_S = 300


class BreakableProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose connection the application may break."""

    def on_message_begin(self) -> None:
        """Put the connection within reach of the application."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}

    def shutdown(self) -> None:
        """Close at once, whatever is still being answered."""
        self.transport.abort()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self.listening.set()


class ServerNotStartedError(RuntimeError):
    """A stand-in that ended before it listened."""


@contextmanager
def serve(app: Starlette, *, port: int = 0) -> Iterator[str]:
    """Serve an application while the block runs; yield its base URL, such as ``http://127.0.0.1:49152``.

    Args:
        app: The stand-in.
        port: The port; 0 lets the system choose a free one.
    """
    listener = socket.create_server((HOST, port), backlog=_BACKLOG)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name=f"stand-in {url}", daemon=True)
    thread.start()
    try:
        while not server.listening.wait(timeout=0.1):
            if not thread.is_alive():
                raise ServerNotStartedError(f"The stand-in at {url} ended before it listened.")
        yield url
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
