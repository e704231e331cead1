"""The Langfuse adapter of ``TraceSink``: only an address and keys until it is opened.

The SDK (0.35 s) is imported when a delivery begins. Its ``Langfuse`` client is not used: its ``flush`` drops what it
cannot deliver without telling, and it leaves threads, an exit handler and a singleton per key behind.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.core.tracing import ScoreSink, SessionScore, TraceDelivery, TraceRun, TraceSink

if TYPE_CHECKING:
    from eval_pipeline.providers.langfuse.connection import Connection

PATIENCE = RetryPolicy(max_attempts=4, base_delay_s=1.0, max_delay_s=30.0, time_budget_s=180.0)
"""Seven seconds at most when the service is down; Langfuse Cloud asks for up to 60 s in its ``Retry-After``."""


class LangfuseSink(TraceSink, ScoreSink):
    """Langfuse Cloud, a server of one's own, or anything that speaks the protocol."""

    def __init__(
        self,
        *,
        base_url: str,
        public_key: str,
        secret_key: str,
        timeout_s: float = 30.0,
        retry: RetryPolicy = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = _checked_address(base_url)
        self._public_key = _checked_key("public", public_key)
        self._secret_key = _checked_key("secret", secret_key)
        pair = b64encode(f"{public_key}:{secret_key}".encode()).decode()
        know_secrets([public_key, secret_key, pair, *secrets_in_url(base_url)])
        self._timeout_s = timeout_s
        self._retry = retry
        self._sleep = sleep

    def send_scores(self, scores: Iterable[SessionScore]) -> int:
        """Deliver scores of sessions, one request after the other."""
        # the SDK is heavy, and most processes never deliver a score
        from eval_pipeline.providers.langfuse.delivery import send_session_scores  # noqa: PLC0415

        with self._connection() as connection:
            return send_session_scores(connection, scores)

    @contextmanager
    def open(self, run: TraceRun) -> Iterator[TraceDelivery]:
        """Make the dataset known and begin to deliver."""
        # the SDK is heavy, and most processes never deliver a trace
        from eval_pipeline.providers.langfuse.delivery import LangfuseDelivery  # noqa: PLC0415

        with self._connection() as connection, LangfuseDelivery(connection, run) as delivery:
            yield delivery

    def _connection(self) -> "Connection":
        from eval_pipeline.providers.langfuse.connection import Connection  # noqa: PLC0415 - the SDK is heavy

        return Connection(
            base_url=self._base_url,
            public_key=self._public_key,
            secret_key=self._secret_key,
            timeout_s=self._timeout_s,
            retry=self._retry,
            sleep=self._sleep,
        )


def _checked_address(base_url: str) -> str:
    if _is_http_address(base_url):
        return base_url.rstrip("/")
    raise UsageError(
        f"the Langfuse base URL is {shown(base_url)}, which is no http address",
        code="langfuse_base_url_invalid",
        hint="give the address of the server, such as https://cloud.langfuse.com",
    )


def _is_http_address(base_url: str) -> bool:
    try:
        parts = urlsplit(base_url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an unclosed bracket
        return False


def _checked_key(kind: str, key: str) -> str:
    """Refuse what cannot stand in a header, without showing it."""
    if key and key.isascii() and key.isprintable() and " " not in key:
        return key
    raise UsageError(
        f"the Langfuse {kind} key is {'not plain text (a space, line break or accent)' if key else 'empty'}",
        code="langfuse_auth_failed",
        hint="copy the key again from the project's settings in Langfuse",
    )
