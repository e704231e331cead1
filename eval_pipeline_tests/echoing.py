"""Servers that repeat every secret they are sent, in every place where a client could read it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eval_pipeline.standins.server import serve

_SAID = frozenset(
    {"service_tier", "text", "model", "modelVersion", "responseId", "message", "code", "param", "title", "comment"}
)
_OF_ERRORS = frozenset({"type", "status", "code", "message", "param", "reason"})
_ANSWERS = ("/responses", ":generateContent", ":download", "/content")


class Echo:
    """An application behind a door that writes the keys of a request into its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.heard: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "__standin__" in scope["path"]:
            await self._app(scope, receive, send)
            return
        echo = " ".join(sorted(self._secrets(scope)))
        secret_part, _, rest = scope["path"].lstrip("/").partition("/")
        if len(secret_part) > len("upload"):  # a part of the path that looks like a key
            scope = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}
            echo += f" /{secret_part}/"
        await self._app(scope, receive, _Rewriting(send, echo=echo, path=scope["path"]))

    def _secrets(self, scope: Scope) -> Iterator[str]:
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            if name == b"authorization" and text.startswith("Basic "):
                yield base64.b64decode(text.removeprefix("Basic ")).decode()
            if name in {b"authorization", b"x-goog-api-key", b"x-langfuse-public-key"}:
                self.heard.add(text)
                yield text


class _Rewriting:
    """Sends an answer on once it is whole, with the keys in it."""

    def __init__(self, send: Send, *, echo: str, path: str) -> None:
        self._send = send
        self._echo = echo
        self._answers = path.endswith(_ANSWERS)
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = b"\n".join(map(self._rewritten, self._body.split(b"\n")))
        headers = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        headers.append((b"x-echo", self._echo.encode("latin-1")))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _rewritten(self, line: bytes) -> bytes:
        try:
            return json.dumps(self._echoed(json.loads(line), of_error=False)).encode()
        except ValueError:
            return line and line + self._echo.encode()

    def _echoed(self, value: Any, *, of_error: bool, name: str = "") -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            is_error = "message" in value
            return {key: self._echoed(entry, of_error=is_error, name=key) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._echoed(entry, of_error=of_error, name=name) for entry in value]
        said = name in _SAID or (of_error and name in _OF_ERRORS) or (name == "id" and str(value).startswith("resp_"))
        return f"{value} {self._echo}" if isinstance(value, str) and said else value


@contextmanager
def echoing(app: ASGIApp) -> Iterator[tuple[str, Echo]]:
    """Serve an application that repeats keys."""
    echo = Echo(app)
    with serve(echo) as url:
        yield url, echo
