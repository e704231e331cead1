"""Calls about files and batches: once each, from any thread, failures as ``BatchCallError`` that say what was done.

Over httpx2, which Google's google-genai takes, too, and without that SDK: its models drop a batch's ``error`` and break
on states that they do not know.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NoReturn

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.outcomes import AccountFault
from eval_pipeline.providers.batch_calls import CHUNK_BYTES, NO_BATCHES, ProviderClock
from eval_pipeline.providers.capped import cap_documents
from eval_pipeline.providers.gemini.account import GeminiAccount
from eval_pipeline.providers.gemini.errors import GoogleError, QuotaLack, read_error
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
    CallFault.ACCOUNT: "check {key}, {url} and the account's billing; nothing is lost",
    CallFault.BUSY: "it is tried again by itself once there is room",
    CallFault.REFUSED: "the provider's words tell why; correct the configuration and start a new run",
    CallFault.UNSUPPORTED: NO_BATCHES,
    CallFault.GONE: "check that {key} and {url} name the account that it was made under",
    CallFault.UNREACHABLE: "check {url} and the network, then: eval-pipeline run retry RUN",
    CallFault.AMBIGUOUS: "it is looked up and tried again by itself",
}


class GeminiCalls:
    """A client of one account; threads share it.

    Args:
        account: key and address.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        account: GeminiAccount,
        *,
        timeout_s: float,
        transfer_timeout_s: float,
        key_words: str = "GEMINI_API_KEY",
        url_words: str = "GOOGLE_GEMINI_BASE_URL",
    ) -> None:
        self.account = account
        self._key_words = key_words
        self.url_words = url_words
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

    def fetch(self, what: str, url: str, path: Path) -> None:
        """Stream a file's bytes to a path; fewer than were announced are a failure."""
        import httpx2  # noqa: PLC0415 - loaded with the client

        timeout = httpx2.Timeout(self._transfer_timeout_s, connect=CONNECT_TIMEOUT_S)
        size_bytes = 0
        try:
            with self._client().stream("GET", url, timeout=timeout) as reply:
                if reply.status_code >= _ERRORS_FROM:
                    reply.read()
                self._accept(what, reply)
                with path.open("wb") as file:
                    for chunk in reply.iter_bytes(CHUNK_BYTES):
                        size_bytes += file.write(chunk)
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
        hint = _HINTS[fault].format(key=self._key_words, url=self.url_words)
        raise BatchCallError(message, fault=fault, hint=hint, retry_after_s=retry_after_s) from None

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
        error = read_error(reply.status_code, reply.content, reply.headers)
        words = f"HTTP {error.http_status}: {error.message}"
        self.fail(what, fault_of(error), words, retry_after_s=error.retry_delay_s)

    def _fail_unanswered(self, what: str, error: Exception) -> NoReturn:
        fault = CallFault.UNREACHABLE if never_connected(error) else CallFault.AMBIGUOUS
        self.fail(what, fault, f"{deepest(error)} ({self.account.base_url})")


def fault_of(error: GoogleError) -> CallFault:
    """Say what an error means for what may be done next; the quota of a day comes back by itself, credit does not."""
    if error.http_status in {405, 501} or (error.http_status == 404 and error.status is None):  # noqa: PLR2004 - named so
        return CallFault.UNSUPPORTED
    if error.about_file or error.http_status == 404:  # noqa: PLR2004 - named so by HTTP
        return CallFault.GONE
    if error.lack is QuotaLack.CREDIT:
        return CallFault.ACCOUNT
    if error.throttled:
        return CallFault.BUSY
    if error.account_fault is AccountFault.AUTH:
        return CallFault.ACCOUNT
    passing = error.http_status >= 500 or error.http_status in {408, 409}  # noqa: PLR2004 - the same
    return CallFault.AMBIGUOUS if passing else CallFault.REFUSED
