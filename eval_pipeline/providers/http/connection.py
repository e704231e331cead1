"""The calls of a bot: one request out, redirects followed with care, the whole answer in.

A redirect to the same host keeps what the endpoints file says; one to another host goes without any of its headers,
since one of them is the key. Nothing but http and https is asked.
"""

import asyncio
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin, urlsplit

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import REDIRECTED, AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.secrets import holds_secret
from eval_pipeline.providers.capped import TooLargeError, too_large, whole_answer
from eval_pipeline.providers.http.template import Filled
from eval_pipeline.providers.json_text import encode_json
from eval_pipeline.providers.plan import Reach
from eval_pipeline.providers.transport import (
    CONNECT_TIMEOUT_S,
    KEEP_ALIVE_S,
    RawReply,
    finished,
    no_reply,
    origin,
    proxy_to,
    transport_errors,
)

if TYPE_CHECKING:
    import aiohttp

MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_SCHEMES: Final = frozenset({"http", "https"})


class HttpConnection:
    """The client and its sockets, alive inside one ``async with`` of one event loop."""

    def __init__(self, reach: Reach) -> None:
        self.timeout_s = reach.timeout_s
        self._reach = reach
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        import aiohttp  # noqa: PLC0415 - only when calls are made

        proxy_to(self._reach.base_url)  # one that cannot be used is told before anything is sent
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._reach.connections, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s, connect=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),  # one item's conversation is not the next one's
            skip_auto_headers=("User-Agent",),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def send(self, request: Filled) -> RawReply | Attempt:
        """Send one request; an answer of any status is a reply, everything that prevents one is an attempt."""
        started_s = monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                reply = await self._follow(request)
        except TooLargeError as error:
            reply = too_large(error)
        except UsageError as error:  # a redirect to where only an unusable proxy leads
            reply = _lost(error.message)
        except transport_errors() as error:
            reply = no_reply(error, base_url=origin(request.url) or request.url, timeout_s=self.timeout_s)
        latency_s = monotonic() - started_s
        if isinstance(reply, Attempt):
            return finished(reply, latency_s=latency_s)
        return RawReply(reply.http_status, reply.content, reply.headers, latency_s=latency_s)

    async def _follow(self, request: Filled) -> RawReply | Attempt:
        for _ in range(MOST_REDIRECTS + 1):
            reply = await self._once(request)
            target = reply.headers.get("location")
            if reply.http_status not in _REDIRECTS or not target:
                return reply
            followed = redirect(request, http_status=reply.http_status, target=target)
            if isinstance(followed, Attempt):
                return followed
            request = followed
        return _lost(f"{origin(request.url)} redirects more than {MOST_REDIRECTS} times")

    async def _once(self, request: Filled) -> RawReply:
        http = self._http
        if http is None:
            raise RuntimeError("the connection to a bot is used outside of its 'async with' block")
        content = None if request.body is None else encode_json(request.body)
        headers = {"Accept": "application/json", "User-Agent": "eval-pipeline", **request.headers}
        if content is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        async with http.request(
            request.method,
            request.url,
            data=content,
            headers=headers,
            allow_redirects=False,
            proxy=proxy_to(request.url),
        ) as response:
            received = await whole_answer(response.content.iter_any(), most_bytes=self._reach.max_answer_bytes)
            return RawReply(response.status, received, response.headers, latency_s=0.0)


def redirect(request: Filled, *, http_status: int, target: str) -> Filled | Attempt:
    """Return the request that a redirect asks for, or why it is not made."""
    try:
        url = urljoin(request.url, target)
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return _lost(f"{origin(request.url)} redirects to something that is no address")
    if scheme not in _SCHEMES or origin(url) is None:
        return _lost(f"{origin(request.url)} redirects to a {scheme or 'nameless'}: address, which is not asked")
    is_here = is_same_place(url, request.url)
    headers = request.headers if is_here else {}
    if http_status not in _KEEP_METHOD and request.method != "GET":
        return Filled("GET", url, headers, None)
    if not is_here and request.body is not None and holds_secret(encode_json(request.body).decode()):
        words = f"{origin(request.url)} redirects to {origin(url)}, which is not asked: the request's json holds a key"
        return _lost(words)
    return Filled(request.method, url, headers, request.body)


def is_same_place(url: str, other: str) -> bool:
    """Tell whether two addresses have one scheme, host and port, so that the key of one is for the other."""
    return _place(url) == _place(other) is not None


def _place(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.hostname is None:
        return None
    return (parts.scheme.lower(), parts.hostname.lower(), port or (443 if parts.scheme.lower() == "https" else 80))


def _lost(words: str) -> Attempt:
    return Attempt(
        outcome=AttemptOutcome.FAILED,
        error=ItemError(code=REDIRECTED, type="http_error", message=words, transient=False),
        account_fault=AccountFault.NOT_AN_API,
    )
