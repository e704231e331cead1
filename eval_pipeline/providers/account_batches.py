"""What the batches of an account have of the calls that they go over, whatever is sent over them."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from eval_pipeline.core.secrets import redact
from eval_pipeline.providers.account_calls import AccountCalls
from eval_pipeline.providers.batch_calls import download_whole

CallsT = TypeVar("CallsT", bound=AccountCalls)


class AccountBatches(Generic[CallsT]):
    """The batches of one account, without what its protocol says of them.

    Args:
        calls: go to the account.
        sleep: waits so many seconds between attempts at a download.
    """

    def __init__(self, calls: CallsT, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._calls = calls
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    @property
    def account(self) -> str:
        """Digest of base URL and key."""
        return self._calls.account.digest

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        return redact(self._calls.account.base_url)

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        return self._calls.now()

    def close(self) -> None:
        """Let connections go."""
        self._calls.close()

    def _fetch(self, file_id: str, url: str, path: Path, *, most_bytes: int) -> None:
        """Copy what lies at an address to ``path``, whole or not at all; tried again in place when that breaks."""
        download_whole(
            lambda part: self._calls.fetch(file_id, url, part, most_bytes=most_bytes), path, sleep=self._sleep
        )
