"""Anthropic's Message Batches, each call made once; only downloads are tried again.

There are no files: the requests go out with the creation, and results lie under the batch's own id. A batch carries
neither name nor metadata; what tells whose it was are the ids of its requests, which come back with its results alone.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from eval_pipeline.core.batches import (
    MOST_RESULT_BYTES,
    BatchCallError,
    BatchListing,
    CallFault,
    Phase,
    ProviderBatch,
)
from eval_pipeline.core.documents import Json
from eval_pipeline.providers.account_batches import AccountBatches
from eval_pipeline.providers.anthropic.account import PUBLIC_URL, AnthropicAccount
from eval_pipeline.providers.anthropic.batch_body import BatchBody, TooSlowError
from eval_pipeline.providers.anthropic.calls import AnthropicCalls
from eval_pipeline.providers.anthropic.custom_ids import key_in
from eval_pipeline.providers.batch_calls import NAME_REPEATS_KEY, of_creation, reaches
from eval_pipeline.providers.reading import id_in
from eval_pipeline.providers.words import cut

PAGE: Final = 100
BODY_TIMES: Final = 10
"""So many times longer than an answer the requests of a batch may take to go out."""
_BATCHES: Final = "messages/batches"
_FIRST_BYTES: Final = 1 << 16
_MOST_REQUESTS: Final = 10**9
"""That a batch may count: a larger number is none."""
_COUNTS: Final = ("processing", "succeeded", "errored", "canceled", "expired")


class AnthropicBatches(AccountBatches[AnthropicCalls]):
    """The batches of one account's workspace.

    Args:
        api_key: sent in a header; never shown.
        base_url: such as ``https://api.anthropic.com``.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of results on their way.
        sleep: waits so many seconds between attempts at a download.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = PUBLIC_URL,
        timeout_s: float = 60.0,
        transfer_timeout_s: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
        key_words: str = "the key",
        url_words: str = "the address",
    ) -> None:
        self._account = AnthropicAccount(api_key, base_url)
        calls = AnthropicCalls(
            self._account,
            timeout_s=timeout_s,
            transfer_timeout_s=transfer_timeout_s,
            key_words=key_words,
            url_words=url_words,
        )
        super().__init__(calls, sleep=sleep)
        self._body_s = BODY_TIMES * timeout_s

    @property
    def uploads(self) -> bool:
        """Whether a request file is uploaded first; there are no files here."""
        return False

    def upload(self, path: Path, *, name: str) -> str:
        """Refuse: requests go out with the creation."""
        raise NotImplementedError(f"{name} at {path} goes out with the creation of its batch")

    def create(self, requests: str | Path, *, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Create a batch, once, with the key in the ids of its requests; the API keeps no labels."""
        del endpoint, labels  # the address says the one, and nothing keeps the other
        what = "the creation of a batch"
        end_s = time.monotonic() + self._body_s
        body = BatchBody(Path(requests), key=key, time_left=lambda: end_s - time.monotonic())
        headers = {"Content-Length": str(body.size_bytes)}
        try:
            reply = self._calls.send(what, "POST", self._account.url(_BATCHES), content=body, headers=headers)
            made = self._batch(what, self._calls.object_in(what, reply))
        except TooSlowError as error:
            self._calls.fail(what, CallFault.BUSY, f"{error}, which was {self._body_s:g} s")
        except BatchCallError as error:
            if error.fault is CallFault.AMBIGUOUS and not body.was_sent:
                raise _not_begun(error) from None
            raise of_creation(error, url=self._calls.url_words) from None
        return replace(made, key=key, named=True)

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List the newest batches, back to ``since``, in at most so many calls of 100."""
        batches: list[ProviderBatch] = []
        after: str | None = None
        whole, calls = False, 0
        while not whole and calls < most_calls:
            page = self._page(after)
            calls += 1
            entries = page.get("data")
            known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
            new = [_translate(entry) for entry in known]
            after = new[-1].id if new else None
            batches += [batch for batch in new if not batch.repeats_secret]
            whole = not page.get("has_more") or not new or reaches(new[-1], since)
        return BatchListing(batches=tuple(batches), whole=whole, calls=calls, provider_now=self.now())

    def _page(self, after: str | None) -> Json:
        query = urlencode({"limit": PAGE} | ({} if after is None else {"after_id": after}))
        return self._calls.document("the list of batches", "GET", self._account.url(f"{_BATCHES}?{query}"))

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; a 404 raises with fault ``gone``."""
        what = f"a look at batch {batch_id}"
        return self._batch(what, self._calls.document(what, "GET", self._url(batch_id)))

    def identify(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; one that has results tells whose it is, by the id of the first of them."""
        batch = self.find(batch_id)
        if batch.output_file_id is None:
            return batch
        start = self._calls.peek(
            f"a look at the results of {batch_id}", self._results(batch_id), size_bytes=_FIRST_BYTES
        )
        first = id_in(start.partition(b"\n")[0], "custom_id")
        return batch if first is None else replace(batch, key=key_in(first), named=True)

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Ask for a batch to be cancelled; one that has ended stays as it is."""
        what = f"the cancellation of batch {batch_id}"
        try:
            return self._batch(what, self._calls.document(what, "POST", f"{self._url(batch_id)}/cancel"))
        except BatchCallError as error:
            if error.fault not in {CallFault.REFUSED, CallFault.AMBIGUOUS}:  # it has ended
                raise
        return self.find(batch_id)

    def download(self, file_id: str, path: Path, *, most_bytes: int = MOST_RESULT_BYTES) -> None:
        """Copy a batch's results to ``path``, whole or not at all; tried again in place when the connection breaks."""
        self._fetch(file_id, self._results(file_id), path, most_bytes=most_bytes)

    def knows_file(self, file_id: str) -> bool:
        """Tell that there are no files."""
        del file_id
        return False

    def delete_file(self, file_id: str) -> None:
        """Leave results where they are: they would go with their batch.

        A ledger that is restored from a backup would take a batch that is not listed for one that was never made.
        """

    def _url(self, batch_id: str) -> str:
        return self._account.url(f"{_BATCHES}/{quote(batch_id, safe='')}")

    def _results(self, batch_id: str) -> str:
        """Return where results lie: the key goes to the address that was given, whatever ``results_url`` says."""
        return f"{self._url(batch_id)}/results"

    def _batch(self, what: str, document: Json) -> ProviderBatch:
        batch = _translate(document)
        if not batch.id:
            self._calls.fail(what, CallFault.AMBIGUOUS, "an answer that is no batch")
        if batch.repeats_secret:
            self._calls.fail(what, CallFault.REFUSED, NAME_REPEATS_KEY)
        return batch


def _not_begun(error: BatchCallError) -> BatchCallError:
    """Say that nothing can have been created, for the server never had the whole body that was announced."""
    words = f"{error.message}; its requests had not gone out whole, so that there is no batch"
    return BatchCallError(words, fault=CallFault.BUSY, hint="it is sent again by itself")


def _translate(document: Json) -> ProviderBatch:
    """Read a MessageBatch leniently: fields may be missing or null."""
    status = cut(str(document.get("processing_status")))
    batch_id, results = _text(document.get("id")), _text(document.get("results_url"))
    if "results_url" not in document and status == "ended":  # servers that leave it out serve them all the same
        results = batch_id
    counts = document.get("request_counts")
    numbers = {name: _count(counts, name) for name in _COUNTS}
    return ProviderBatch(
        id=batch_id or "",
        phase=_phase(status, document, numbers),
        status=status,
        key=None,
        created_at=_moment(document.get("created_at")),
        output_file_id=batch_id if results else None,
        total=None if None in numbers.values() else sum(number or 0 for number in numbers.values()),
        completed=numbers["succeeded"],
        failed=numbers["errored"],
        ended_at=_moment(document.get("ended_at")),
    )


def _phase(status: str, document: Json, numbers: Mapping[str, int | None]) -> Phase:
    """Return what a batch does; one that has ended does not say by itself in which way."""
    match status:
        case "in_progress":
            return Phase.WORKING
        case "canceling":
            return Phase.CANCELLING
        case "ended" if document.get("cancel_initiated_at") or numbers["canceled"]:
            return Phase.CANCELLED
        case "ended":
            return Phase.EXPIRED if numbers["expired"] else Phase.COMPLETED
    return Phase.UNKNOWN


def _moment(text: object) -> datetime | None:
    """Read a moment of RFC 3339."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(counts: object, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, Mapping) else None
    return value if type(value) is int and 0 <= value <= _MOST_REQUESTS else None
