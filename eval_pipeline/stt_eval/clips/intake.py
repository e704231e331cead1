"""Takes the clips of a dataset in, several at once, and makes samples of them in the order of the source.

Clips are stored under their hash before anything refers to them: one that two samples or two versions share is stored
once, and one that is left over by a failure is invisible and used again. Once something is wrong no more is stored, but
everything is still looked at, so that all problems are told at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.stt_eval.clips.audio_facts import AudioFacts, audio_facts
from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError
from eval_pipeline.stt_eval.clips.folder import must_be_audio
from eval_pipeline.stt_eval.clips.manifest_row import ManifestRow
from eval_pipeline.stt_eval.clips.places import Place
from eval_pipeline.stt_eval.clips.problems import Problem

CLIPS_AT_ONCE = 8
"""Bounds memory, temporary disk (so many times the largest clip) and connections."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that lies in the object store, unless something was wrong before."""

    row: ManifestRow
    sha256: str
    key: str
    size_bytes: int
    facts: AudioFacts


@dataclass(frozen=True, slots=True)
class NoAudio:
    """A file of a folder that is none of its clips."""

    name: str


Taken = Clip | NoAudio | Problem


class Intake:
    """Copies, measures and stores clips.

    Args:
        place: where they come from.
        objects: where they go.
        prefix: of their keys.
        folder: for clips on their way; the caller removes it.
        limit_bytes: how large a clip may be.
        most_s: how long it may last.
        may_store: asked before a clip is stored; when not, it is only looked at.
    """

    def __init__(
        self,
        place: Place,
        objects: ObjectStore,
        *,
        prefix: str,
        folder: Path,
        limit_bytes: int,
        most_s: float,
        may_store: Callable[[], bool],
    ) -> None:
        self._place = place
        self._objects = objects
        self._prefix = prefix
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._most_s = most_s
        self._stored = set(objects.list(prefix))
        self._numbers = count()
        self._may_store = may_store

    def take_all(self, entries: Iterable[ManifestRow | Problem]) -> Iterator[Taken]:
        """Yield what became of every entry, in order."""
        return in_order(entries, self.take, at_once=CLIPS_AT_ONCE)

    def take(self, entry: ManifestRow | Problem) -> Taken:
        """Take one clip in."""
        if isinstance(entry, Problem):
            return entry
        copy = self._folder / f"clip-{next(self._numbers)}"
        try:
            return self._take(entry, copy)
        except UnusableClipError as error:
            if entry.line is None and not must_be_audio(entry.audio):
                return NoAudio(entry.audio)
            return Problem(entry.line, shown(entry.audio), str(error))
        finally:
            copy.unlink(missing_ok=True)

    def _take(self, row: ManifestRow, copy: Path) -> Clip:
        fetched = self._place.fetch(row.audio, copy, limit_bytes=self._limit_bytes)
        facts = audio_facts(copy, most_s=self._most_s)
        key = f"{self._prefix}/{fetched.sha256}.{facts.format}"
        if key not in self._stored and self._may_store():
            self._objects.put_file(key, copy)
            self._stored.add(key)
        return Clip(row=row, sha256=fetched.sha256, key=key, size_bytes=fetched.size_bytes, facts=facts)


def in_order(
    entries: Iterable[ManifestRow | Problem], take: Callable[[ManifestRow | Problem], Taken], *, at_once: int
) -> Iterator[Taken]:
    """Do several at once and yield results in the order of the entries, never more than a few of them ahead."""
    waiting: deque[Future[Taken]] = deque()
    with _threads(at_once) as threads:
        for entry in entries:
            waiting.append(threads.submit(take, entry))
            if len(waiting) > at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _threads(at_once: int) -> Iterator[ThreadPoolExecutor]:
    threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="clip")
    try:
        yield threads
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
