"""What files and batches have in common at every provider: its clock, whole downloads, whose account it is."""

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from eval_pipeline.core.batches import BatchCallError, CallFault, ProviderBatch
from eval_pipeline.providers.headers import read_date

LISTED_BEFORE = timedelta(seconds=600)
"""Clocks differ: a list goes so much further back than it was asked to."""
DOWNLOAD_ATTEMPTS = 4
CHUNK_BYTES = 1 << 20
NAME_REPEATS_KEY = "the server repeats a key in the name of what it made, which can neither be kept nor shown"
_PASSING = frozenset({CallFault.AMBIGUOUS, CallFault.UNREACHABLE, CallFault.BUSY})
_EXACT_TO = timedelta(seconds=2)


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
            if attempt + 1 == DOWNLOAD_ATTEMPTS or error.fault not in _PASSING:
                raise
            sleep(0.5 * 2**attempt)
        else:
            os.replace(part, path)  # noqa: PTH105 - over a file that may exist
            return
