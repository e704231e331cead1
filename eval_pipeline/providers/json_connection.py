"""One connection for live calls of JSON, whatever the provider: bytes out, bytes in, faults as values.

Over aiohttp and without an SDK: an answer takes 0.25 ms of own processor time.
"""

import asyncio
from io import BytesIO
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt
from eval_pipeline.providers.accounts import Account
from eval_pipeline.providers.capped import ANSWER_BYTES, TooLargeError, too_large, whole_answer
from eval_pipeline.providers.json_text import encode_json
from eval_pipeline.providers.transport import (
    CONNECT_TIMEOUT_S,
    KEEP_ALIVE_S,
    RawReply,
    elsewhere,
    finished,
    no_reply,
    proxy_to,
    redirected,
    transport_errors,
)

if TYPE_CHECKING:
    import aiohttp

_IN_ONE_PIECE_BYTES = 1 << 20
"""A larger body, such as a clip, goes out piece by piece: aiohttp warns of the loop that it would hold up, and does."""


class JsonConnection:
    """The client and its sockets, alive inside one ``async with`` of one event loop.

    Args:
        account: key and address.
        timeout_s: for a whole call, from connecting to the last byte.
        connections: calls that may be under way at once.
        max_answer_bytes: of one answer, unpacked.
    """

    def __init__(
        self,
        account: Account,
        *,
        timeout_s: float = 600.0,
        connections: int = 100,
        max_answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        self._account = account
        self.base_url = account.base_url
        self.timeout_s = timeout_s
        self.connections = connections
        self.max_answer_bytes = max_answer_bytes
        self._http: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    async def __aenter__(self) -> Self:
        import aiohttp  # noqa: PLC0415 - only when calls are made

        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.connections, keepalive_timeout=KEEP_ALIVE_S),
            headers=self._account.headers(),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s, connect=None, sock_connect=CONNECT_TIMEOUT_S),
            proxy=proxy_to(self.base_url),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def post(self, path: str, body: Json | bytes, *, max_answer_bytes: int | None = None) -> RawReply | Attempt:
        """Send one body; an answer of any status is a reply, everything that prevents one is an attempt."""
        http = self._http
        if http is None:
            raise RuntimeError(f"the {type(self).__name__} is used outside of its 'async with' block")
        content = body if isinstance(body, bytes) else encode_json(body)
        started_s = monotonic()
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                http.post(self._account.url(path), data=_in_pieces(content), allow_redirects=False) as response,
            ):
                most_bytes = self.max_answer_bytes if max_answer_bytes is None else max_answer_bytes
                received = await whole_answer(response.content.iter_any(), most_bytes=most_bytes)
        except TooLargeError as error:
            return self.finish(too_large(error), latency_s=monotonic() - started_s)
        except transport_errors() as error:
            attempt = no_reply(error, base_url=self.base_url, timeout_s=self.timeout_s)
            return self.finish(attempt, latency_s=monotonic() - started_s)
        if told := elsewhere(response.status, response.headers, base_url=self.base_url):
            return self.finish(redirected(told), latency_s=monotonic() - started_s)
        return RawReply(response.status, received, response.headers, latency_s=monotonic() - started_s)

    def finish(self, attempt: Attempt, *, latency_s: float) -> Attempt:
        """Add the time that the call took."""
        return finished(attempt, latency_s=latency_s)


def _in_pieces(content: bytes) -> bytes | BytesIO:
    return content if len(content) <= _IN_ONE_PIECE_BYTES else BytesIO(content)
