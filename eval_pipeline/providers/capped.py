"""Answers of bounded size: one that never ends, or that unpacks to gigabytes, costs neither the memory nor the disk.

Live answers are counted unpacked. Answers about files and batches are short documents: what is packed among them may
only be a hundredth as long, for packing makes a thousandth of a file of zeros.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Final

from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError

if TYPE_CHECKING:
    import httpx2

ANSWER_BYTES: Final = 32_000_000
ANSWER_VARIABLE: Final = "EVAL_MAX_ANSWER_BYTES"
_PACKED_SHARE: Final = 100


class TooLargeError(Exception):
    """An answer that was broken off."""


async def whole_answer(chunks: AsyncIterator[bytes], *, most_bytes: int) -> bytes:
    """Read an answer to its end, or raise once it is too large."""
    received = bytearray()
    async for chunk in chunks:
        received += chunk
        if len(received) > most_bytes:
            raise TooLargeError(too_large_words(most_bytes))
    return bytes(received)


def too_large(error: TooLargeError) -> Attempt:
    """Return the attempt of an answer that was broken off; asking again would bring, and cost, the same."""
    words = ItemError(code="answer_too_large", type="malformed", message=str(error), transient=False)
    return Attempt(outcome=AttemptOutcome.MALFORMED, error=words, maybe_billed=True)


def too_large_words(most_bytes: int) -> str:
    """Say what happened, with the setting that decides."""
    return f"the answer has more than {most_bytes:,} bytes ({ANSWER_VARIABLE}) and was broken off"


def cap_documents(most_bytes: int = ANSWER_BYTES) -> "Callable[[httpx2.Response], None]":
    """Return the hook of a client that bounds every answer but those that are files."""
    import httpx2  # noqa: PLC0415 - loaded with the client

    class Capped(httpx2.SyncByteStream):
        def __init__(self, inner: httpx2.SyncByteStream, limit: int) -> None:
            self._inner = inner
            self._limit = limit

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._inner:
                size += len(chunk)
                if size > self._limit:
                    raise httpx2.ReadError(too_large_words(most_bytes))
                yield chunk

        def close(self) -> None:
            self._inner.close()

    def hook(response: httpx2.Response) -> None:
        path = response.request.url.path
        is_file = response.is_success and path.endswith(("/content", ":download", "/results"))
        if not is_file and isinstance(response.stream, httpx2.SyncByteStream):
            packed = "content-encoding" in response.headers
            response.stream = Capped(response.stream, most_bytes // _PACKED_SHARE if packed else most_bytes)

    return hook
