"""Answers that break HTTP itself, which no ordinary response object can express.

They act on the connection that ``server.py`` hands to the application in the request's scope.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eval_pipeline.standins.faults import FaultKind, FaultRule

# what a captive portal or a wrong base URL answers, with status 200
_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
EXTENSION = "standin.connection"
_LINGER_NOT = struct.pack("ii", 1, 0)


class Answer(Protocol):
    """Anything that can be sent, a Starlette response among others."""

    @property
    def status_code(self) -> int | None:
        """The status that the client sees; None when it sees none, or only half of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing: there is nobody left to answer."""

    status_code: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


@dataclass(frozen=True, slots=True)
class Reset:
    """A connection that is reset (RST) before any answer."""

    status_code: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset the connection."""
        del send
        reset(scope)
        await client_gone(receive)


@dataclass(frozen=True, slots=True)
class Hold:
    """Silence until the client gives up, or until ``hold_s`` is over and the connection is reset."""

    hold_s: float | None
    status_code: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the client waiting."""
        if not await client_left_within(receive, seconds=self.hold_s):
            await Reset()(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Cut:
    """A response whose connection closes after half of the announced body."""

    response: Response
    status_code: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, then close."""
        body = bytes(self.response.body)
        await send({"type": "http.response.start", "status": 200, "headers": self.response.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        connection(scope).close()
        await client_gone(receive)


def unanswered(rule: FaultRule, headers: Mapping[str, str]) -> Answer | None:
    """Return what comes in place of an answer, for the faults that never let one be made."""
    match rule.kind:
        case FaultKind.RESET:
            return Reset()
        case FaultKind.TIMEOUT:
            return Hold(rule.hold_s)
        case FaultKind.HTML:
            return Response(_PAGE, headers=headers, media_type="text/html")
    return None


def spoiled(rule: FaultRule, whole: Response) -> Answer:
    """Return the answer as the client gets it, for the faults that damage its transport."""
    match rule.kind:
        case FaultKind.ACCEPTED_THEN_RESET:
            return Reset()
        case FaultKind.CUT:
            return Cut(whole)
        case FaultKind.TRUNCATED_JSON:
            return truncated(whole)
    return whole


def truncated(whole: Response) -> Response:
    """Return the first half of a body as if it were all of it: right length, broken JSON."""
    body = bytes(whole.body)
    kept = {name: value for name, value in whole.headers.items() if name != "content-length"}
    return Response(body[: len(body) // 2], whole.status_code, headers=kept)


def reset(scope: Scope) -> None:
    """Reset the connection that a request came in on."""
    transport = connection(scope)
    # without lingering the kernel says RST in place of a polite FIN
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


def connection(scope: Scope) -> asyncio.Transport:
    """Return the connection that a request came in on."""
    transport: asyncio.Transport = scope["extensions"][EXTENSION]["transport"]
    return transport


async def client_gone(receive: Receive) -> None:
    """Return when the connection is closed, from whichever side."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def client_left_within(receive: Receive, *, seconds: float | None) -> bool:
    """Wait so long, or until the client leaves; tell whether it left."""
    try:
        async with asyncio.timeout(seconds):
            await client_gone(receive)
    except TimeoutError:
        return False
    return True
