"""Files and batches of Gemini as raw operations, each call made once; only downloads are tried again.

The submission key travels in the batch's display name. Gemini writes no error file: failed requests are lines of the
one results file. Jobs stay listed at the provider; only files are deleted.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from eval_pipeline.core.batches import (
    MOST_RESULT_BYTES,
    BatchCallError,
    BatchListing,
    CallFault,
    LineError,
    Phase,
    ProviderBatch,
)
from eval_pipeline.core.documents import Json
from eval_pipeline.providers.account_batches import AccountBatches
from eval_pipeline.providers.batch_calls import NAME_REPEATS_KEY, of_creation, of_upload, reaches
from eval_pipeline.providers.gemini.account import GeminiAccount
from eval_pipeline.providers.gemini.calls import GeminiCalls
from eval_pipeline.providers.gemini.errors import read_status
from eval_pipeline.providers.gemini.fields import count_in, part_of, pick, text_in
from eval_pipeline.providers.gemini.files import delete, read_moment, upload
from eval_pipeline.providers.words import cut

PAGE: Final = 100
REQUEST_FILE: Final = "application/jsonl"
_MARK: Final = "eval-pipeline"
_NAME_CHARACTERS: Final = 128
_KEY = re.compile(rf"{_MARK} (\S+)(?: .*)?", re.DOTALL)
_PREFIX = re.compile(r"^(BATCH|JOB)_STATE_")
_PHASES: Final = {
    "QUEUED": Phase.WORKING,
    "PENDING": Phase.WORKING,
    "RUNNING": Phase.WORKING,
    "UPDATING": Phase.WORKING,
    "CANCELLING": Phase.CANCELLING,
    "SUCCEEDED": Phase.COMPLETED,
    "PARTIALLY_SUCCEEDED": Phase.COMPLETED,
    "FAILED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
    "EXPIRED": Phase.EXPIRED,
}
_OWN_FAULT: Final = frozenset({"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "DATA_LOSS"})
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer of the list."""

    batches: tuple[ProviderBatch, ...]
    next_token: str | None


class GeminiBatches(AccountBatches[GeminiCalls]):
    """The files and batches of one account.

    Args:
        api_key: sent in a header; never shown.
        base_url: such as ``https://generativelanguage.googleapis.com``.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        sleep: waits so many seconds between attempts at a download.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeout_s: float = 60.0,
        transfer_timeout_s: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
        key_words: str = "GEMINI_API_KEY",
        url_words: str = "GOOGLE_GEMINI_BASE_URL",
    ) -> None:
        self._account = GeminiAccount(api_key, base_url)
        calls = GeminiCalls(
            self._account,
            timeout_s=timeout_s,
            transfer_timeout_s=transfer_timeout_s,
            key_words=key_words,
            url_words=url_words,
        )
        super().__init__(calls, sleep=sleep)

    @property
    def uploads(self) -> bool:
        """Whether a request file is uploaded first."""
        return True

    def upload(self, path: Path, *, name: str) -> str:
        """Upload a request file, streamed; returns its id."""
        try:
            return upload(self._calls, path, name=name, mime_type=REQUEST_FILE).name
        except BatchCallError as error:
            raise of_upload(error, url=self._calls.url_words) from None

    def create(self, requests: str | Path, *, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Create a batch, once, with the key in its display name; the endpoint is ``generate_endpoint`` or its kin."""
        batch = {"displayName": display_name(key, labels), "inputConfig": {"fileName": str(requests)}}
        try:
            return self._batch("the creation of a batch", "POST", endpoint, body={"batch": batch})
        except BatchCallError as error:
            raise of_creation(error, url=self._calls.url_words, tells_itself=True) from None

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List batches, newest first, in at most so many calls of 100.

        The API promises no order: a list ends early only if all that came so far came newest first.
        """
        seen: list[ProviderBatch] = []
        token: str | None = None
        whole, calls = False, 0
        while not whole and calls < most_calls:
            page = self._page(token)
            calls, token = calls + 1, page.next_token
            seen += page.batches
            whole = token is None or (_newest_first(seen) and reaches(seen[-1], since))
        seen.sort(key=_age, reverse=True)
        return BatchListing(batches=tuple(seen), whole=whole, calls=calls, provider_now=self.now())

    def _page(self, token: str | None) -> "_Page":
        query = urlencode({"pageSize": PAGE} | ({} if token is None else {"pageToken": token}))
        page = self._calls.document("the list of batches", "GET", self._account.url(f"batches?{query}"))
        entries = pick(page, "operations")
        known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
        batches = tuple(batch for batch in map(_translate, known) if not batch.repeats_secret)
        return _Page(batches, next_token=text_in(page, "nextPageToken"))

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; a 404 raises with fault ``gone``."""
        return self._batch(f"a look at {batch_id}", "GET", quote(batch_id))

    def identify(self, batch_id: str) -> ProviderBatch:
        """Look one batch up that a list shows without its name."""
        return self.find(batch_id)

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Ask for a batch to be cancelled; one that has ended stays as it is."""
        try:
            url = self._account.url(f"{quote(batch_id)}:cancel")
            self._calls.send(f"the cancellation of {batch_id}", "POST", url, body={})
        except BatchCallError as error:
            if error.fault not in {CallFault.REFUSED, CallFault.AMBIGUOUS}:  # it has ended
                raise
        return self.find(batch_id)

    def download(self, file_id: str, path: Path, *, most_bytes: int = MOST_RESULT_BYTES) -> None:
        """Copy a file's bytes to ``path``, whole or not at all; tried again in place when the connection breaks."""
        self._fetch(file_id, self._account.url(f"{quote(file_id)}:download?alt=media"), path, most_bytes=most_bytes)

    def knows_file(self, file_id: str) -> bool:
        """Tell whether a file is this account's."""
        try:
            self._calls.document(f"a look at {file_id}", "GET", self._account.url(quote(file_id)))
        except BatchCallError as error:
            if error.fault in {CallFault.GONE, CallFault.REFUSED, CallFault.ACCOUNT, CallFault.UNSUPPORTED}:
                return False  # Google refuses a file of another project with 403
            raise
        return True

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone is no error."""
        delete(self._calls, file_id)

    def _batch(self, what: str, method: str, path: str, *, body: Json | None = None) -> ProviderBatch:
        document = self._calls.document(what, method, self._account.url(path), body=body)
        batch = _translate(document)
        if not batch.id:
            self._calls.fail(what, CallFault.AMBIGUOUS, "an answer that is no batch")
        if batch.repeats_secret:
            self._calls.fail(what, CallFault.REFUSED, NAME_REPEATS_KEY)
        return batch


def display_name(key: str, labels: Mapping[str, str]) -> str:
    """Return a name that carries the key, and as many labels as there is room for.

    >>> display_name("3f9a", {"run": "clips/first", "part": "r00-s0000-a00"})
    'eval-pipeline 3f9a clips/first r00-s0000-a00'
    """
    return " ".join([_MARK, key, *labels.values()])[:_NAME_CHARACTERS].rstrip()


def key_in(name: str | None) -> str | None:
    """Read the key back; None for batches of others."""
    found = None if name is None else _KEY.fullmatch(name)
    return None if found is None else found[1]


def _age(batch: ProviderBatch) -> datetime:
    return batch.created_at or _LONG_AGO


def _newest_first(batches: Sequence[ProviderBatch]) -> bool:
    """Tell whether several batches came in order; one alone proves nothing."""
    ages = list(map(_age, batches))
    return len(ages) > 1 and all(later >= earlier for later, earlier in pairwise(ages))


def _translate(operation: Json) -> ProviderBatch:
    """Read a batch's operation leniently; metadata may be missing, numbers are strings, states have two prefixes."""
    told = part_of(operation, "metadata") or operation
    state = cut(_state(operation, told))
    stats = part_of(told, "batchStats")
    total = count_in(stats, "requestCount")
    phase = _PHASES.get(_PREFIX.sub("", state.upper()), Phase.UNKNOWN)
    return ProviderBatch(
        id=text_in(operation, "name") or text_in(told, "name") or "",
        phase=phase,
        status=state,
        key=key_in(text_in(told, "displayName")),
        created_at=read_moment(text_in(told, "createTime")),
        named=text_in(told, "displayName") is not None,
        input_file_id=text_in(part_of(told, "inputConfig"), "fileName"),
        output_file_id=_results_file(operation, told),
        total=total,
        completed=_counted(stats, "successfulRequestCount", total=total),
        failed=_counted(stats, "failedRequestCount", total=total),
        errors=tuple(_errors(operation, told)) if phase is Phase.FAILED else (),
    )


def _counted(stats: Json, name: str, *, total: int | None) -> int | None:
    """Return a count; the API leaves out zeros, so that among others a missing one is 0."""
    count = count_in(stats, name)
    return 0 if count is None and total is not None else count


def _state(operation: Json, told: Json) -> str:
    """Return the provider's word; an operation that is done without one has failed or succeeded."""
    if word := text_in(told, "state"):
        return word
    if part_of(operation, "error"):
        return "BATCH_STATE_FAILED"
    return "BATCH_STATE_SUCCEEDED" if operation.get("done") is True else "BATCH_STATE_UNSPECIFIED"


def _results_file(operation: Json, told: Json) -> str | None:
    places = (part_of(operation, "response"), part_of(told, "output"), part_of(told, "dest"))
    found = (text_in(place, "responsesFile") or text_in(place, "fileName") for place in places)
    return next(filter(None, found), None)


def _errors(operation: Json, told: Json) -> Iterator[LineError]:
    """Read why the batch failed; what is the provider's own fault is called so, for it may pass."""
    for given in filter(None, (part_of(operation, "error"), part_of(told, "error"))):
        error = read_status(given)
        own_fault = error.status in _OWN_FAULT
        yield LineError(code="server_error" if own_fault else error.code, message=error.message)
        return
