"""Files and Batches of OpenAI, or of a server that speaks its protocol, over the SDK with its own retries off.

A POST is never repeated here: one lost answer and one repetition would be two batches. Only downloads are tried again.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from eval_pipeline.core.batches import (
    MOST_RESULT_BYTES,
    QUEUE_FULL,
    BatchCallError,
    BatchListing,
    CallFault,
    LineError,
    Phase,
    ProviderBatch,
)
from eval_pipeline.core.secrets import holds_secret, know_secrets, redact, secrets_in_url
from eval_pipeline.providers.batch_calls import (
    CHUNK_BYTES,
    MAYBE_NO_BATCHES,
    NAME_REPEATS_KEY,
    NO_BATCHES,
    ProviderClock,
    account_digest,
    download_whole,
    of_creation,
    of_upload,
    reaches,
    write_all,
)
from eval_pipeline.providers.capped import cap_documents
from eval_pipeline.providers.headers import retry_after_s
from eval_pipeline.providers.json_text import read_loose_json
from eval_pipeline.providers.openai.client import KEYLESS, left_out
from eval_pipeline.providers.openai.errors import is_no_address
from eval_pipeline.providers.transport import (
    CONNECT_TIMEOUT_S,
    deepest,
    elsewhere,
    never_connected,
    proxies_explained,
    tls_context,
)
from eval_pipeline.providers.words import cut, read_words, redact_words

if TYPE_CHECKING:
    import httpx2
    import openai

T = TypeVar("T")

KEY_NAME = "eval_pipeline_key"
RESPONSES, CHAT_COMPLETIONS = "/v1/responses", "/v1/chat/completions"
PAGE = 100
_LABEL_NAME, _LABEL_VALUE = 64, 512
_MOST_REQUESTS = 10**9
"""That a batch may count: a larger number is none."""
_PHASES = {
    "validating": Phase.WORKING,
    "in_progress": Phase.WORKING,
    "finalizing": Phase.FINALIZING,
    "cancelling": Phase.CANCELLING,
    "completed": Phase.COMPLETED,
    "expired": Phase.EXPIRED,
    "cancelled": Phase.CANCELLED,
    "failed": Phase.FAILED,
}
_ENDS = ("completed_at", "expired_at", "cancelled_at", "failed_at")
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_HINTS = {
    CallFault.ACCOUNT: "check {key}, {url} and the account's credit; nothing is lost meanwhile",
    CallFault.BUSY: "it is tried again by itself once there is room",
    CallFault.REFUSED: "the provider's words tell why; correct the configuration and start a new run",
    CallFault.UNSUPPORTED: NO_BATCHES,
    CallFault.GONE: "check that {key} and {url} name the account that the batch was made under",
    CallFault.UNREACHABLE: "check {url} and the network, then: eval-pipeline run retry RUN",
    CallFault.AMBIGUOUS: "it is looked up and tried again by itself",
}


class OpenAIBatches:
    """The files and batches of one account.

    Args:
        api_key: sent as bearer token; never shown.
        base_url: such as ``https://api.openai.com/v1``.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        sleep: waits so many seconds between attempts at a download.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
        is_own: whether what the environment says for OpenAI's own client is not for this account.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeout_s: float = 60.0,
        transfer_timeout_s: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
        key_words: str = "OPENAI_API_KEY",
        url_words: str = "OPENAI_BASE_URL",
        is_own: bool = False,
    ) -> None:
        know_secrets([api_key, *secrets_in_url(base_url)])
        self._api_key = api_key
        self._url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._transfer_timeout_s = transfer_timeout_s
        self._sleep = sleep
        self._key_words = key_words
        self._url_words = url_words
        self._is_own = is_own
        self._clock = ProviderClock()

    def __repr__(self) -> str:
        return f"OpenAIBatches(base_url={self._url!r})"

    @property
    def account(self) -> str:
        """Digest of base URL and key."""
        return account_digest(self._url, api_key=self._api_key)

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        return redact(self._url)

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        return self._clock.now()

    @cached_property
    def _client(self) -> "openai.OpenAI":
        import httpx2  # noqa: PLC0415 - with openai half a second, only when calls are made
        import openai  # noqa: PLC0415 - the same

        timeout = httpx2.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S)
        with proxies_explained():
            http = openai.DefaultHttpxClient(
                verify=tls_context(),
                follow_redirects=False,
                event_hooks={"request": [] if self._api_key else [_without_key], "response": [cap_documents()]},
            )
        return openai.OpenAI(
            api_key=self._api_key or KEYLESS,
            base_url=self._url,
            max_retries=0,
            timeout=timeout,
            http_client=http,
            default_headers=left_out(api_key=KEYLESS, is_own=self._is_own),
        )

    def close(self) -> None:
        """Let connections go."""
        if "_client" in vars(self):
            self._client.close()

    @property
    def uploads(self) -> bool:
        """Whether a request file is uploaded first."""
        return True

    def upload(self, path: Path, *, name: str) -> str:
        """Upload a request file, streamed; returns its id."""
        with path.open("rb") as file:
            try:
                made = self._call(
                    "the upload of a request file",
                    lambda: self._client.files.with_raw_response.create(
                        file=(name, file), purpose="batch", timeout=self._transfer_timeout_s
                    ),
                )
            except BatchCallError as error:
                raise of_upload(error, url=self._url_words) from None
        file_id = str(self._document("the upload of a request file", made, doubt=MAYBE_NO_BATCHES)["id"])
        if holds_secret(file_id):
            self._fail("the upload of a request file", CallFault.REFUSED, NAME_REPEATS_KEY)
        return file_id

    def create(self, requests: str | Path, *, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Create a batch, once, with the key in its metadata."""
        metadata = {KEY_NAME: key, **{name[:_LABEL_NAME]: value[:_LABEL_VALUE] for name, value in labels.items()}}
        try:
            made = self._call(
                "the creation of a batch",
                lambda: self._client.batches.with_raw_response.create(
                    input_file_id=str(requests),
                    endpoint=endpoint,  # type: ignore[arg-type]  # a provider knows more endpoints than its SDK
                    completion_window="24h",
                    metadata=metadata,
                ),
            )
        except BatchCallError as error:
            raise _of_endpoint(of_creation(error, url=self._url_words), endpoint) from None
        return self._batch("the creation of a batch", made)

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List the newest batches, back to ``since``, in at most so many calls of 100."""
        batches: list[ProviderBatch] = []
        whole = False
        calls = 0
        after: str | None = None
        while not whole and calls < most_calls:
            page = self._page(after)
            calls += 1
            data = page.get("data")
            new = [_translate(entry) for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
            after = new[-1].id if new else None
            batches += [batch for batch in new if not batch.repeats_secret]
            whole = not page.get("has_more") or not new or reaches(new[-1], since)
        return BatchListing(batches=tuple(batches), whole=whole, calls=calls, provider_now=self.now())

    def _page(self, after: str | None) -> Mapping[str, Any]:
        what = "the list of batches"
        options: dict[str, Any] = {} if after is None else {"after": after}
        reply = self._call(what, lambda: self._client.batches.with_raw_response.list(limit=PAGE, **options))
        return self._document(what, reply)

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; a 404 raises with fault ``gone``."""
        what = f"a look at batch {batch_id}"
        return self._batch(what, self._call(what, lambda: self._client.batches.with_raw_response.retrieve(batch_id)))

    def identify(self, batch_id: str) -> ProviderBatch:
        """Look one batch up that a list shows without metadata."""
        return self.find(batch_id)

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Ask for a batch to be cancelled; one that has ended stays as it is."""
        what = f"the cancellation of batch {batch_id}"
        try:
            reply = self._call(what, lambda: self._client.batches.with_raw_response.cancel(batch_id))
        except BatchCallError as error:
            if error.fault not in {CallFault.REFUSED, CallFault.AMBIGUOUS}:  # 409: it has ended
                raise
            return self.find(batch_id)
        return self._batch(what, reply)

    def download(self, file_id: str, path: Path, *, most_bytes: int = MOST_RESULT_BYTES) -> None:
        """Copy a file's bytes to ``path``, whole or not at all; tried again in place when the connection breaks."""
        download_whole(lambda part: self._download_once(file_id, part, most_bytes=most_bytes), path, sleep=self._sleep)

    def _download_once(self, file_id: str, part: Path, *, most_bytes: int) -> None:
        what = f"the download of file {file_id}"

        def copy() -> tuple[int, str | None]:
            streaming = self._client.files.with_streaming_response.content(file_id, timeout=self._transfer_timeout_s)
            with streaming as reply:
                size_bytes = write_all(reply.iter_bytes(CHUNK_BYTES), part, file_id=file_id, most_bytes=most_bytes)
            encoded = reply.headers.get("content-encoding")
            return size_bytes, None if encoded else reply.headers.get("content-length")

        size_bytes, announced = self._call(what, copy)
        if announced is not None and announced.isascii() and announced.isdigit() and size_bytes != int(announced):
            self._fail(what, CallFault.AMBIGUOUS, f"{size_bytes:,} of {int(announced):,} bytes came")

    def knows_file(self, file_id: str) -> bool:
        """Tell whether a file is this account's."""
        what = f"a look at file {file_id}"
        try:
            self._document(what, self._call(what, lambda: self._client.files.with_raw_response.retrieve(file_id)))
        except BatchCallError as error:
            if error.fault in {CallFault.GONE, CallFault.REFUSED, CallFault.UNSUPPORTED}:
                return False
            raise
        return True

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone is no error."""
        what = f"the deletion of file {file_id}"
        try:
            self._call(what, lambda: self._client.files.with_raw_response.delete(file_id))
        except BatchCallError as error:
            if error.fault is not CallFault.GONE:
                raise

    def _batch(self, what: str, reply: Any) -> ProviderBatch:  # noqa: ANN401 - the SDK's raw reply
        batch = _translate(self._document(what, reply))
        if batch.repeats_secret:
            self._fail(what, CallFault.REFUSED, NAME_REPEATS_KEY)
        return batch

    def _document(self, what: str, reply: Any, *, doubt: str = "") -> Mapping[str, Any]:  # noqa: ANN401 - the SDK's
        """Return the JSON object of an answer; anything else leaves open what was done.

        Args:
            what: was called.
            reply: the SDK's raw one.
            doubt: what else a page of text may mean.
        """
        self._clock.learn(reply.headers.get("date"))
        document = read_loose_json(reply.content)
        if not isinstance(document, Mapping) or not (document.get("id") or document.get("object") == "list"):
            words = read_words(reply.content, html=True).message
            if is_no_address(words):
                self._fail(what, CallFault.UNSUPPORTED, words)
            self._fail(
                what, CallFault.AMBIGUOUS, f"an answer that is no object of the API: {words[:200] or 'empty'}{doubt}"
            )
        return document

    def _call(self, what: str, make: Callable[[], T]) -> T:
        """Make one call; everything that goes wrong with it is a ``BatchCallError``."""
        import httpx2  # noqa: PLC0415 - loaded with the client
        import openai  # noqa: PLC0415 - the same

        try:
            return make()
        except openai.APIStatusError as error:
            self._fail_by_status(what, error)
        except (openai.APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            fault = CallFault.UNREACHABLE if never_connected(error) else CallFault.AMBIGUOUS
            self._fail(what, fault, f"{deepest(error)} ({self._url})")
        except openai.OpenAIError as error:
            self._fail(what, CallFault.AMBIGUOUS, str(error))

    def _fail_by_status(self, what: str, error: "openai.APIStatusError") -> NoReturn:
        status = error.response.status_code
        self._clock.learn(error.response.headers.get("date"))
        if told := elsewhere(status, error.response.headers, base_url=self._url):
            self._fail(what, CallFault.ACCOUNT, told)
        words = read_words(error.response.content, html="html" in error.response.headers.get("content-type", ""))
        fault = _fault_of(status, code=(words.code or words.type or "").lower(), message=words.message)
        wait_s = retry_after_s(error.response.headers, http_status=status)
        self._fail(what, fault, f"HTTP {status}: {words.message}", retry_after_s=wait_s)

    def _fail(
        self,
        what: str,
        fault: CallFault,
        words: str,
        *,
        retry_after_s: float | None = None,
    ) -> NoReturn:
        message = f"{what} at the provider failed: {redact_words(words)}"
        hint = _HINTS[fault].format(key=self._key_words, url=self._url_words)
        raise BatchCallError(message, fault=fault, hint=hint, retry_after_s=retry_after_s) from None


def _without_key(request: "httpx2.Request") -> None:
    """Take off what the SDK insists on sending; a server that wants no key is sent none."""
    request.headers.pop("authorization", None)


def _of_endpoint(error: BatchCallError, endpoint: str) -> BatchCallError:
    """Name the protocol of a server whose batches take chat completions and no responses."""
    if error.fault is not CallFault.REFUSED or endpoint != RESPONSES or CHAT_COMPLETIONS not in error.message:
        return error
    hint = "its batches take chat completions: give the endpoint protocol openai_chat in the endpoints file"
    return BatchCallError(error.message, fault=error.fault, hint=hint)


def _fault_of(status: int, *, code: str, message: str) -> CallFault:
    if code in _NO_CREDIT or status in {401, 402, 403}:
        return CallFault.ACCOUNT
    if status == 429 or code in QUEUE_FULL or "RESOURCE_EXHAUSTED" in message:  # noqa: PLR2004 - named so by HTTP
        return CallFault.BUSY
    if status == 404:  # noqa: PLR2004 - the same
        return CallFault.GONE
    if status in {405, 501}:
        return CallFault.UNSUPPORTED
    return CallFault.AMBIGUOUS if status >= 500 or status in {408, 409} else CallFault.REFUSED  # noqa: PLR2004 - the same


def _translate(document: Mapping[str, Any]) -> ProviderBatch:
    """Read a Batch object leniently: fields may be missing, null or empty."""
    status = cut(str(document.get("status")))
    counts = document.get("request_counts")
    metadata = document.get("metadata")
    return ProviderBatch(
        id=_text(document.get("id")) or "",
        phase=_PHASES.get(status, Phase.UNKNOWN),
        status=status,
        key=_text(metadata.get(KEY_NAME)) if isinstance(metadata, Mapping) else None,
        created_at=_instant(document.get("created_at")),
        named=isinstance(metadata, Mapping) and bool(metadata),
        input_file_id=_text(document.get("input_file_id")),
        output_file_id=_text(document.get("output_file_id")),
        error_file_id=_text(document.get("error_file_id")),
        total=_count(counts, "total"),
        completed=_count(counts, "completed"),
        failed=_count(counts, "failed"),
        errors=tuple(_errors(document.get("errors"))),
        ended_at=next(filter(None, (_instant(document.get(name)) for name in _ENDS)), None),
    )


def _instant(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) and seconds else None
    except (ValueError, OverflowError, OSError):  # milliseconds, for example
        return None


def _errors(errors: object) -> list[LineError]:
    data = errors.get("data") if isinstance(errors, Mapping) else None
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    return [
        LineError(
            code=cut(_text(entry.get("code")) or "unknown"),
            message=cut(_text(entry.get("message")) or "no explanation"),
            line=entry["line"] if type(entry.get("line")) is int else None,
        )
        for entry in entries
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(counts: object, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, Mapping) else None
    return value if type(value) is int and 0 <= value <= _MOST_REQUESTS else None
