"""One HTTP client to one Langfuse project; every answer is looked at, every failure is counted and named.

The SDK's REST client and the OTLP posts share the client. The SDK's own retries are off. OpenTelemetry's exporter is
not used: it hides status and ``Retry-After`` and reads a dozen environment variables.
"""

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx
import langfuse
from google.protobuf.message import DecodeError
from langfuse.api import LangfuseAPI
from langfuse.api.core import ApiError, RequestOptions
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from eval_pipeline.core.retry import RetryPolicy, is_transient
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.headers import retry_after_s
from eval_pipeline.providers.transport import elsewhere, proxies_explained, tls_context
from eval_pipeline.providers.words import redact_words

ONCE = RequestOptions(max_retries=0)
"""For every call of the SDK's REST client: it would repeat without telling."""
CONCURRENT_CALLS = 16
MOST_ANSWER_BYTES = 32_000_000
MOST_PACKED_BYTES = MOST_ANSWER_BYTES // 1_000
"""Gzip makes a thousandth of what says nothing; nobody is asked to pack, so that this is never met."""
INGESTION_VERSION = "4"
_TRACES_PATH = "/api/public/otel/v1/traces"
_PROTOBUF = "application/x-protobuf"
_SHOWN_CHARACTERS = 300

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came instead of success; ``status`` is None when nothing came."""

    detail: str
    status: int | None
    transient: bool
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", redact_words(self.detail))


class CallFailedError(Exception):
    """A call that did not succeed in all the attempts it was given; the delivery says what that means."""

    def __init__(self, refusal: Refusal, *, attempts: int) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.attempts = attempts


class RejectedError(Exception):
    """The service answered that it took only a part, and which it did not."""


class Connection:
    """Calls with bounded retries; closes its sockets when left."""

    def __init__(
        self,
        *,
        base_url: str,
        public_key: str,
        secret_key: str,
        timeout_s: float,
        retry: RetryPolicy,
        sleep: Callable[[float], None],
    ) -> None:
        self.base_url = base_url
        self._retry = retry
        self._sleep = sleep
        with proxies_explained():
            self._http = httpx.Client(
                auth=httpx.BasicAuth(public_key, secret_key),
                headers={  # as the SDK sends them: the server decodes attributes by them
                    "x-langfuse-sdk-name": "python",
                    "x-langfuse-sdk-version": langfuse.__version__,
                    "x-langfuse-public-key": public_key,
                    "x-langfuse-ingestion-version": INGESTION_VERSION,
                    "accept-encoding": "identity",
                },
                timeout=timeout_s,
                verify=tls_context(),
                follow_redirects=False,
                limits=httpx.Limits(max_connections=CONCURRENT_CALLS, max_keepalive_connections=CONCURRENT_CALLS),
                event_hooks={"response": [_cap]},
            )
        self.api = LangfuseAPI(base_url=base_url, httpx_client=self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def call(self, send: Callable[[], Answer]) -> Answer:
        """Call until it succeeds, or raise ``CallFailedError``."""
        started_s = time.monotonic()
        attempts = 0
        while True:
            attempts += 1
            try:
                return send()
            except (ApiError, httpx.RequestError, RejectedError, DecodeError, ValueError) as error:
                refusal = _refusal(error, base_url=self.base_url)
                delay_s = self._retry.delay_s(
                    attempts=attempts,
                    elapsed_s=time.monotonic() - started_s,
                    retry_after_s=refusal.retry_after_s,
                    jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
                )
                if not refusal.transient or delay_s is None:
                    raise CallFailedError(refusal, attempts=attempts) from None
                self._sleep(delay_s)

    def export(self, request: bytes) -> None:
        """Post one OTLP request; raises what ``call`` understands."""
        answer = self._http.post(
            self.base_url + _TRACES_PATH,
            content=gzip.compress(request, compresslevel=1, mtime=0),
            headers={"content-type": _PROTOBUF, "content-encoding": "gzip"},
        )
        if not answer.is_success:
            raise ApiError(headers=dict(answer.headers), status_code=answer.status_code, body=answer.text)
        rejected = _rejected_spans(answer)
        if rejected:
            raise RejectedError(f"{rejected} spans rejected: {_message(answer.text)}")


class _Capped(httpx.SyncByteStream):
    """The bytes of an answer, which must not be without an end."""

    def __init__(self, inner: httpx.SyncByteStream, *, most_bytes: int) -> None:
        self._inner = inner
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        size_bytes = 0
        for chunk in self._inner:
            size_bytes += len(chunk)
            if size_bytes > self._most_bytes:
                raise httpx.ReadError(f"the answer has more than {self._most_bytes:,} bytes and was broken off")
            yield chunk

    def close(self) -> None:
        self._inner.close()


def _cap(answer: httpx.Response) -> None:
    """Bound an answer: they are short documents, and what is packed may be a hundred times as long."""
    if isinstance(answer.stream, httpx.SyncByteStream):
        packed = "content-encoding" in answer.headers
        answer.stream = _Capped(answer.stream, most_bytes=MOST_PACKED_BYTES if packed else MOST_ANSWER_BYTES)


def _rejected_spans(answer: httpx.Response) -> int:
    """Read OTLP's partial success; an answer that is neither of its two forms raises what ``call`` understands."""
    if answer.headers.get("content-type", "").startswith(_PROTOBUF):
        return int(ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans)
    told = answer.json() if answer.content else {}
    partial = told.get("partialSuccess") if isinstance(told, dict) else None
    return int((partial or {}).get("rejectedSpans") or 0)


def _refusal(error: Exception, *, base_url: str) -> Refusal:
    if isinstance(error, ApiError):
        return _http_refusal(error, base_url=base_url)
    if isinstance(error, httpx.RequestError):
        return Refusal(detail=f"{type(error).__name__}: {error}", status=None, transient=True)
    if isinstance(error, RejectedError):
        return Refusal(detail=str(error), status=httpx.codes.MULTI_STATUS, transient=False)
    unreadable = f"the answer is not one of Langfuse's API ({_message(str(error))})"
    return Refusal(detail=unreadable, status=httpx.codes.OK, transient=True)


def _http_refusal(error: ApiError, *, base_url: str) -> Refusal:
    """Every call is idempotent: one whose answer was cut (a success that is not JSON) is made again."""
    status = error.status_code or 0
    headers = {name.lower(): text for name, text in (error.headers or {}).items()}
    if told := elsewhere(status, headers, base_url=base_url):
        return Refusal(detail=told, status=status, transient=False)
    return Refusal(
        detail=f"HTTP {status}: {_message(error.body)}",
        status=status,
        transient=httpx.codes.is_success(status) or is_transient(status, error_code=None),
        retry_after_s=retry_after_s(headers, http_status=status),
    )


def _message(body: object) -> str:
    """Return what the service said, without braces where it can be helped."""
    told = body.get("message") or body.get("error") or body if isinstance(body, dict) else body
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return excerpt(redact_words(" ".join(text.split())), most=_SHOWN_CHARACTERS)
