"""What files and batches have in common at every provider: its clock, whole downloads, whose account it is."""

import os
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import assert_never

from eval_pipeline.core.batches import BatchCallError, CallFault, ProviderBatch, ResultTooLargeError
from eval_pipeline.providers.headers import read_date

LISTED_BEFORE = timedelta(seconds=600)
"""Clocks differ: a list goes so much further back than it was asked to."""
DOWNLOAD_ATTEMPTS = 4
CHUNK_BYTES = 1 << 20
NAME_REPEATS_KEY = "the server repeats a key in the name of what it made, which can neither be kept nor shown"
_PASSING = frozenset({CallFault.AMBIGUOUS, CallFault.UNREACHABLE, CallFault.BUSY})
_EXACT_TO = timedelta(seconds=2)


NO_BATCHES = (
    "there is no batch API at this address: start the run with --mode fast, or check {url} where there should be"
)
MAYBE_NO_BATCHES = "; it is tried again; if there is no batch API at this address, start the run with --mode fast"
"""Of a page where an API was expected: a proxy shows such pages for a while, a web site for ever."""
_FILE = re.compile(r"(?i)\b(input_)?files?(_id|name)?\b|\bfile-\w|requested entity was not found")
_MODEL = re.compile(r"(?i)\bmodels?\b")


def of_upload(error: BatchCallError, *, url: str) -> BatchCallError:
    """Read what an upload came to: where nothing takes files, there are no batches either."""
    if error.fault not in {CallFault.GONE, CallFault.UNSUPPORTED}:
        return error
    return _unsupported(error, url=url)


def of_creation(error: BatchCallError, *, url: str, tells_itself: bool = False) -> BatchCallError:
    """Read what a creation came to: whether its file is at fault, its model, or the address as a whole.

    Args:
        error: as any call fails.
        url: the variable that names the address.
        tells_itself: whether a 404 of the API differs from that of an address that is none.
    """
    about_file = _FILE.search(error.message) is not None
    match error.fault:
        case CallFault.UNSUPPORTED:
            return _unsupported(error, url=url)
        case CallFault.GONE if about_file:
            return _changed(error, fault=CallFault.GONE, about_file=True)
        case CallFault.GONE if _MODEL.search(error.message):
            return _changed(error, fault=CallFault.REFUSED, about_file=False)
        case CallFault.GONE:
            return error if tells_itself else _unsupported(error, url=url)
        case CallFault.REFUSED:
            return _changed(error, fault=CallFault.REFUSED, about_file=about_file)
        case CallFault.ACCOUNT | CallFault.BUSY | CallFault.UNREACHABLE | CallFault.AMBIGUOUS:
            return error
        case _:
            assert_never(error.fault)


def _unsupported(error: BatchCallError, *, url: str) -> BatchCallError:
    return BatchCallError(error.message, fault=CallFault.UNSUPPORTED, hint=NO_BATCHES.format(url=url))


def _changed(error: BatchCallError, *, fault: CallFault, about_file: bool) -> BatchCallError:
    return BatchCallError(
        error.message, fault=fault, hint=error.hint, retry_after_s=error.retry_after_s, about_file=about_file
    )


class ProviderClock:
    """A moment by the provider's clock, carried on by the monotonic one here."""

    def __init__(self) -> None:
        self._known: tuple[datetime, float] | None = None

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        if self._known is None:
            return None
        moment, read_s = self._known
        return moment + timedelta(seconds=time.monotonic() - read_s)

    def learn(self, date: str | None) -> None:
        """Take over a ``Date`` header, unless it only differs by the second that it is exact to."""
        moment, known = _moment(date), self.now()
        if moment is not None and (known is None or abs(moment - known) > _EXACT_TO):
            self._known = (moment, time.monotonic())


def _moment(date: str | None) -> datetime | None:
    return None if date is None else read_date(date)


def account_digest(base_url: str, *, api_key: str) -> str:
    """Name an account without its key."""
    key = sha256(api_key.encode()).hexdigest()
    return sha256(f"{base_url}\n{key}".encode()).hexdigest()[:16]


def reaches(batch: ProviderBatch, since: datetime | None) -> bool:
    """Tell whether a list, newest first, that ends with this batch reaches back far enough."""
    return since is not None and batch.created_at is not None and batch.created_at < since - LISTED_BEFORE


def write_all(chunks: Iterable[bytes], path: Path, *, file_id: str, most_bytes: int) -> int:
    """Write a file as it comes, unpacked; returns its size, and raises once it has more bytes than it may."""
    size_bytes = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > most_bytes:
                raise ResultTooLargeError(file_id, most_bytes=most_bytes)
            file.write(chunk)
    return size_bytes


def download_whole(fetch: Callable[[Path], None], path: Path, *, sleep: Callable[[float], None]) -> None:
    """Fetch a file to ``path``, whole or not at all; tried again in place when the connection breaks.

    Args:
        fetch: writes everything to the path that it is given, or raises ``BatchCallError``.
        path: where the file belongs.
        sleep: waits so many seconds between attempts.
    """
    part = path.with_name(f"{path.name}.part")
    for attempt in range(DOWNLOAD_ATTEMPTS):
        try:
            fetch(part)
        except BatchCallError as error:
            part.unlink(missing_ok=True)
            told_to_wait = error.retry_after_s is not None  # a longer matter than this
            if attempt + 1 == DOWNLOAD_ATTEMPTS or error.fault not in _PASSING or told_to_wait:
                raise
            sleep(0.5 * 2**attempt)
        else:
            os.replace(part, path)  # noqa: PTH105 - over a file that may exist
            return
