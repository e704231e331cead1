"""Brings recordings to a provider before requests name them, each once, and takes them away when nobody needs them.

A stored request file names a clip by its content (``clip://`` and its sha256): an address at the provider expires, and
a signed one is a secret. Addresses are filled in when the file goes out, so that a file that waited, or a follow-up
round, finds its clips there. What was delivered is recorded as it arrives: after a kill only what is missing goes out.
"""

import re
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import orjson

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.ports.file_host import FileHost, HostedFile, HostedState
from eval_pipeline.core.ports.models import Clip
from eval_pipeline.core.ports.object_store import Appender, ObjectStore

AT_ONCE = 16
ATTEMPTS = 4
"""Of one upload or look: an upload that may have arrived twice costs nothing, the second one is used."""
MOST_UNANSWERED = 20
"""Deletions that may fail before all that are left is left to its expiry."""
LONGEST_PAUSE_S = 60.0
"""Between two attempts, whatever the provider asks for: a thread waits meanwhile."""
_AGAIN = frozenset({CallFault.AMBIGUOUS, CallFault.UNREACHABLE, CallFault.BUSY})
_LOOK_EVERY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_PATIENCE_S = 20.0
_NAMED = re.compile(rb'(?<="file_uri":)"clip://([0-9a-f]{64})"')
"""A clip's name where a request names a file: in a text, quotes are escaped, so that no prompt can look like it."""


def address(sha256: str) -> str:
    """Name a clip in a stored request file."""
    return f"clip://{sha256}"


def named_clips(path: Path) -> Iterator[str]:
    """Yield the clips that a request file names, each once."""
    seen: set[str] = set()
    with path.open("rb") as file:
        for line in file:
            for found in _NAMED.finditer(line):
                sha256 = found[1].decode()
                if sha256 not in seen:
                    seen.add(sha256)
                    yield sha256


def write_filled(source: Path, target: Path, *, uris: Mapping[str, str]) -> Path:
    """Copy a request file with real addresses in place of the clips' names."""
    with source.open("rb") as stored, target.open("wb") as filled:
        for line in stored:
            filled.write(_NAMED.sub(lambda found: orjson.dumps(uris[found[1].decode()]), line))
    return target


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """The patience of a delivery."""

    at_once: int = AT_ONCE
    reuse_for: timedelta = timedelta(hours=36)
    """A clip that the provider keeps for less than this is uploaded again: its batch may wait in a queue."""
    patience_s: float = _PATIENCE_S
    """For a provider to look through clips once all have arrived; one that takes longer keeps no other waiting."""
    sleep: Callable[[float], None] = sleep
    clock: Callable[[], float] = monotonic


class Delivery:
    """The clips of one stage at one provider's account.

    Args:
        host: where clips are brought.
        objects: where it is recorded what was brought.
        prefix: of those records.
        now: the present; compared with what the provider says of expiry.
        policy: patience.
    """

    def __init__(
        self,
        host: FileHost,
        objects: ObjectStore,
        *,
        prefix: str,
        now: Callable[[], datetime],
        policy: DeliveryPolicy | None = None,
    ) -> None:
        self._host = host
        self._objects = objects
        self._everywhere = f"{prefix}/delivered"
        self._prefix = f"{self._everywhere}/{host.account}"
        self._now = now
        self._policy = policy or DeliveryPolicy()
        self._seen: dict[str, HostedFile] = {}
        """Clips that this process found usable: they need no further look."""

    def deliver(
        self,
        clips: Iterable[Clip],
        *,
        verify: bool = False,
        on_progress: Callable[[int], None] | None = None,
    ) -> dict[str, HostedFile]:
        """Bring every clip that is not there yet; returns where each is, or why the provider cannot use it.

        A clip that the provider still looks through is returned as it is: what asks for it goes out later.

        Args:
            clips: each content once; drawn lazily, so that memory does not grow with them.
            verify: ask about every clip that was delivered earlier: items of it failed.
            on_progress: told how many clips are there.

        Raises:
            BatchCallError: the account is at fault, or the provider cannot be reached.
        """
        known = {sha: hosted for sha, hosted in (self._recorded() | self._seen).items() if self._keeps(hosted)}
        found: dict[str, HostedFile] = {}
        with self._records() as record, ThreadPoolExecutor(self._policy.at_once) as pool:

            def bring(clip: Clip) -> tuple[str, HostedFile]:
                before = known.get(clip.sha256)
                if before is not None and (hosted := self._confirmed(before, verify=verify)) is not None:
                    return clip.sha256, hosted
                hosted = self._upload(clip)
                record(clip.sha256, hosted)
                return clip.sha256, hosted

            with closing(_side_by_side(pool, bring, clips, at_once=self._policy.at_once)) as brought:
                for sha256, hosted in brought:
                    found[sha256] = hosted
                    if on_progress is not None:
                        on_progress(len(found))
            self._await_usable(pool, found)
        self._seen |= {sha256: hosted for sha256, hosted in found.items() if hosted.state is HostedState.ACTIVE}
        return found

    def _await_usable(self, pool: ThreadPoolExecutor, found: dict[str, HostedFile]) -> None:
        """Look at clips that are being looked through, all together, until they are usable or the patience is over."""
        began_s = self._policy.clock()
        looks = 0
        while waiting := {sha: hosted for sha, hosted in found.items() if hosted.state is HostedState.PROCESSING}:
            if self._policy.clock() - began_s > self._policy.patience_s:
                return
            self._policy.sleep(_LOOK_EVERY_S[min(looks, len(_LOOK_EVERY_S) - 1)])
            looks += 1
            found.update(zip(waiting, pool.map(self._look, waiting.values()), strict=True))

    def take_away(self) -> int:
        """Delete what was delivered, as far as it can be reached, and forget it; returns how many clips that were.

        Clips that were brought under another key are among them: it may have been rotated, and to another account
        they do not exist. A clip that stays is deleted by its own expiry.
        """
        keys = list(self._objects.list(self._everywhere))
        delivered = [hosted for key in keys for _, hosted in self._lines_of(key)]
        with ThreadPoolExecutor(self._policy.at_once) as pool:
            list(pool.map(partial(self._delete, unanswered=[]), delivered))
        for key in keys:
            self._objects.delete(key)
        self._seen.clear()
        return len(delivered)

    def _delete(self, hosted: HostedFile, *, unanswered: list[str]) -> None:
        """Delete one clip, unless too many others could not be: each may take as long as a call may last."""
        if len(unanswered) >= MOST_UNANSWERED:
            return
        try:
            self._host.delete(hosted.name)
        except BatchCallError:
            unanswered.append(hosted.name)

    def _keeps(self, hosted: HostedFile) -> bool:
        return hosted.expires_at is None or hosted.expires_at - self._now() >= self._policy.reuse_for

    def _confirmed(self, hosted: HostedFile, *, verify: bool) -> HostedFile | None:
        """Return a clip that was delivered earlier as it is now, or None when it is gone or cannot be used."""
        if not verify and hosted.state is HostedState.ACTIVE:
            return hosted
        try:
            now = self._look(hosted)
        except BatchCallError as error:
            if error.fault is not CallFault.GONE:
                raise
            return None
        return None if now.state is HostedState.FAILED else now

    def _upload(self, clip: Clip) -> HostedFile:
        def send() -> HostedFile:
            with clip.open() as path:
                return self._host.upload(path, name=clip.name, mime_type=clip.mime_type)

        try:
            return self._patiently(send)
        except BatchCallError as error:
            return _not_taken(clip, error)

    def _patiently(self, call: Callable[[], HostedFile]) -> HostedFile:
        """Make a call, again when it fails for a reason that passes; what does not pass is no clip's matter."""
        for attempt in range(ATTEMPTS - 1):
            try:
                return call()
            except BatchCallError as error:
                if error.fault not in _AGAIN:
                    raise
                self._policy.sleep(min(error.retry_after_s or 0.5 * 2**attempt, LONGEST_PAUSE_S))
        return call()

    def _look(self, hosted: HostedFile) -> HostedFile:
        return self._patiently(partial(self._host.look, hosted.name))

    def _recorded(self) -> dict[str, HostedFile]:
        """Read what earlier deliveries recorded; the last record of a clip counts."""
        return {sha256: hosted for key in self._objects.list(self._prefix) for sha256, hosted in self._lines_of(key)}

    def _lines_of(self, key: str) -> Iterator[tuple[str, HostedFile]]:
        for line in self._objects.read(key).split(b"\n")[:-1]:  # a torn last line was no record yet
            value = orjson.loads(line)
            expires = value["expires_at"]
            hosted = HostedFile(
                name=value["name"],
                uri=value["uri"],
                state=HostedState.PROCESSING,
                expires_at=None if expires is None else datetime.fromisoformat(expires),
            )
            yield value["sha256"], hosted

    @contextmanager
    def _records(self) -> Iterator[Callable[[str, HostedFile], None]]:
        """Give a function that records a delivered clip durably, from any thread."""
        number = sum(1 for _ in self._objects.list(self._prefix))
        appender = self._objects.appender(self._prefix, name=f"{number:06d}")
        lines = _Lines(appender)

        def record(sha256: str, hosted: HostedFile) -> None:
            expires = None if hosted.expires_at is None else hosted.expires_at.isoformat()
            told = {"sha256": sha256, "name": hosted.name, "uri": hosted.uri, "expires_at": expires}
            if hosted.state is not HostedState.FAILED:
                lines.add(orjson.dumps(told) + b"\n")

        try:
            yield record
        finally:
            lines.close()
            appender.close()


class _Lines:
    """Appends lines in a thread of its own, those that came meanwhile in one piece: nobody waits for a slow store.

    A line that a kill takes away is a clip that goes out again, which costs nothing.
    """

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._waiting: list[bytes] = []
        self._changing = threading.Lock()
        self._thread = ThreadPoolExecutor(1)
        self._writes: list[Future[None]] = []

    def add(self, line: bytes) -> None:
        with self._changing:
            self._waiting.append(line)
            if len(self._waiting) == 1:
                self._writes = [write for write in self._writes if not write.done() or write.exception()]
                self._writes.append(self._thread.submit(self._write))

    def _write(self) -> None:
        with self._changing:
            lines, self._waiting = self._waiting, []
        self._appender.append(b"".join(lines))

    def close(self) -> None:
        """Wait for the last lines; raises what went wrong with one."""
        self._thread.shutdown()
        for write in self._writes:
            write.result()


def _not_taken(clip: Clip, error: BatchCallError) -> HostedFile:
    """Tell a clip that the provider refuses, which is that clip's matter, from a provider that cannot be used."""
    if error.fault is not CallFault.REFUSED:
        raise error
    return HostedFile(name=clip.name, uri="", state=HostedState.FAILED, expires_at=None, problem=error.message)


def _side_by_side(
    pool: ThreadPoolExecutor,
    bring: Callable[[Clip], tuple[str, HostedFile]],
    clips: Iterable[Clip],
    *,
    at_once: int,
) -> Generator[tuple[str, HostedFile]]:
    """Yield results as they come; a bounded number is under way, so that clips are drawn as they are needed."""
    under_way: set[Future[tuple[str, HostedFile]]] = set()
    try:
        for clip in clips:
            under_way.add(pool.submit(bring, clip))
            if len(under_way) >= 2 * at_once:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in under_way:
            future.cancel()


def still_processed(found: Mapping[str, HostedFile]) -> frozenset[str]:
    """Return the clips that their provider has not looked through yet."""
    return frozenset(sha256 for sha256, hosted in found.items() if hosted.state is HostedState.PROCESSING)


def not_yet(count: int) -> BatchCallError:
    """Build the error of a request file that has to wait for some of its clips."""
    words = f"the provider still looks through {count:,} of its clips"
    hint = "nothing is to be done: it is sent as soon as they can be used"
    return BatchCallError(words, fault=CallFault.BUSY, hint=hint)


def addresses(found: Mapping[str, HostedFile]) -> dict[str, str]:
    """Return where each clip is.

    One that the provider does not take any more keeps its name: then its own request fails, in the provider's words,
    and no other has to wait for it.
    """
    return {sha256: hosted.uri or address(sha256) for sha256, hosted in found.items()}
