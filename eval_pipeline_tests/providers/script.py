"""A server that answers as it is told, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Script:
    """What the server answers, in this order; the last answer stays.

    Headers are named with ``_`` for ``-``; ``announce`` is a length that is not the body's.
    """

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def say(self, status: int, document: Any, **headers: str) -> None:  # noqa: ANN401 - JSON
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers.append((status, body, headers))


@contextmanager
def scripted() -> Iterator[Script]:
    """Serve while the block runs."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else every answer waits 40 ms for an acknowledgement
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append(Asked(self.command, self.path, asked, names))
            status, body, headers = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            known = {"content_type": "application/json", **headers}
            self.send_response(status)
            self.send_header("Content-Length", known.pop("announce", str(len(body))))
            for name, value in known.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            self.close_connection = "announce" in headers

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - so named by the library

        def log_message(self, *_: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # connections that are kept alive end with their clients
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
