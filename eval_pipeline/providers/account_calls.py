"""Calls about files and batches, whatever the provider: once each, failures as ``BatchCallError`` with what was done.

Over httpx2 and without an SDK: models of an SDK drop what they do not know.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NoReturn

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.providers.accounts import Account
from eval_pipeline.providers.batch_calls import CHUNK_BYTES, NO_BATCHES, ProviderClock, write_all
from eval_pipeline.providers.capped import cap_documents
from eval_pipeline.providers.json_text import read_loose_json
from eval_pipeline.providers.transport import (
    CONNECT_TIMEOUT_S,
    KEEP_ALIVE_S,
    deepest,
    elsewhere,
    never_connected,
    proxies_explained,
    tls_context,
)
from eval_pipeline.providers.words import read_words, redact_words

if TYPE_CHECKING:
    import httpx2

_ERRORS_FROM = 300
_CONNECTIONS = 32
_HINTS: Final = {
    CallFault.BUSY: "it is tried again by itself once there is room",
    CallFault.REFUSED: "the provider's words tell why; correct the configuration and start a new run",
    CallFault.UNSUPPORTED: NO_BATCHES,
    CallFault.UNREACHABLE: "check {url} and the network, then: eval-pipeline run retry RUN",
    CallFault.AMBIGUOUS: "it is looked up and tried again by itself",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error answer means."""

    fault: CallFault
    words: str
    retry_after_s: float | None = None


Judge = Callable[["httpx2.Response"], Refusal]
"""Reads an answer with an HTTP status of 300 or more that does not lead elsewhere."""


class AccountCalls:
    """A client of one account; threads share it.

    Args:
        account: key and address.
        judge: reads what the provider says went wrong.
        hints: what to do about faults, where a provider has words of its own for it.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        account: Account,
        *,
        judge: Judge,
        hints: Mapping[CallFault, str],
        timeout_s: float,
        transfer_timeout_s: float,
        key_words: str,
        url_words: str,
    ) -> None:
        self.account = account
        self.url_words = url_words
        self._judge = judge
        self._hints = {fault: hint.format(key=key_words, url=url_words) for fault, hint in {**_HINTS, **hints}.items()}
        self._timeout_s = timeout_s
        self._transfer_timeout_s = transfer_timeout_s
        self._clock = ProviderClock()
        self._lock = Lock()
        self._made: httpx2.Client | None = None

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        return self._clock.now()

    def close(self) -> None:
        """Let connections go."""
        with self._lock:
            client, self._made = self._made, None
        if client is not None:
            client.close()

    def document(self, what: str, method: str, url: str, *, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Make a call whose answer is a JSON object; anything else leaves open what was done."""
        return self.object_in(what, self.send(what, method, url, body=body))

    def object_in(self, what: str, reply: "httpx2.Response") -> Mapping[str, Any]:
        """Return the JSON object of an answer."""
        document = read_loose_json(reply.content)
        if not isinstance(document, Mapping):
            words = read_words(reply.content, html=True).message
            self.fail(what, CallFault.AMBIGUOUS, f"an answer that is no object of the API: {words[:200] or 'empty'}")
        return document

    def send(
        self,
        what: str,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        content: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "httpx2.Response":
        """Make one call, with a body or with bytes that are streamed."""
        import httpx2  # noqa: PLC0415 - loaded with the client

        timeout_s = self._timeout_s if content is None else self._transfer_timeout_s
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        data: dict[str, Any] = {"content": content} if body is None else {"json": body}
        try:
            reply = self._client().request(method, url, headers=headers, timeout=timeout, **data)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._fail_unanswered(what, error)
        self._accept(what, reply)
        return reply

    def peek(self, what: str, url: str, *, size_bytes: int) -> bytes:
        """Read the beginning of a file, so much of it, and leave the rest."""
        import httpx2  # noqa: PLC0415 - loaded with the client

        begun = bytearray()
        try:
            with self._client().stream("GET", url, timeout=self._timeout_s) as reply:
                if reply.status_code >= _ERRORS_FROM:
                    reply.read()
                self._accept(what, reply)
                for chunk in reply.iter_bytes(size_bytes):
                    begun += chunk
                    if len(begun) >= size_bytes:
                        break
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._fail_unanswered(what, error)
        return bytes(begun[:size_bytes])

    def fetch(self, file_id: str, url: str, path: Path, *, most_bytes: int) -> None:
        """Stream a file's bytes to a path; fewer than were announced are a failure, and more than may come."""
        import httpx2  # noqa: PLC0415 - loaded with the client

        what = f"the download of {file_id}"
        timeout = httpx2.Timeout(self._transfer_timeout_s, connect=CONNECT_TIMEOUT_S)
        try:
            with self._client().stream("GET", url, timeout=timeout) as reply:
                if reply.status_code >= _ERRORS_FROM:
                    reply.read()
                self._accept(what, reply)
                size_bytes = write_all(reply.iter_bytes(CHUNK_BYTES), path, file_id=file_id, most_bytes=most_bytes)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._fail_unanswered(what, error)
        encoded = reply.headers.get("content-encoding")
        announced = None if encoded else reply.headers.get("content-length")
        if announced is not None and announced.isascii() and announced.isdigit() and size_bytes != int(announced):
            self.fail(what, CallFault.AMBIGUOUS, f"{size_bytes:,} of {int(announced):,} bytes came")

    def fail(
        self,
        what: str,
        fault: CallFault,
        words: str,
        *,
        retry_after_s: float | None = None,
    ) -> NoReturn:
        """Raise what a call came to."""
        message = f"{what} at the provider failed: {redact_words(words)}"
        raise BatchCallError(message, fault=fault, hint=self._hints[fault], retry_after_s=retry_after_s) from None

    def _client(self) -> "httpx2.Client":
        with self._lock:
            if self._made is None:
                import httpx2  # noqa: PLC0415 - only when calls are made

                limits = httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=KEEP_ALIVE_S)
                with proxies_explained():
                    self._made = httpx2.Client(
                        headers=self.account.headers(),
                        limits=limits,
                        verify=tls_context(),
                        follow_redirects=False,
                        event_hooks={"response": [cap_documents()]},
                    )
            return self._made

    def _accept(self, what: str, reply: "httpx2.Response") -> None:
        """Learn the provider's clock, and raise for an error."""
        self._clock.learn(reply.headers.get("date"))
        if reply.status_code < _ERRORS_FROM:
            return
        if told := elsewhere(reply.status_code, reply.headers, base_url=self.account.base_url):
            self.fail(what, CallFault.ACCOUNT, told)
        refusal = self._judge(reply)
        self.fail(what, refusal.fault, refusal.words, retry_after_s=refusal.retry_after_s)

    def _fail_unanswered(self, what: str, error: Exception) -> NoReturn:
        fault = CallFault.UNREACHABLE if never_connected(error) else CallFault.AMBIGUOUS
        self.fail(what, fault, f"{deepest(error)} ({self.account.base_url})")
