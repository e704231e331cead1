"""Where the clips of a report are: inside the page while there is room, then in files beside it, else in the store.

A page with its sound inside can be sent by mail; one of a hundred megabytes opens nowhere.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shutil import copyfile
from typing import Final, Protocol

from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import NotFoundError

AUDIO_FOLDER: Final = "audio"


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """How much sound a page comes with."""

    embedded_bytes: int = 20_000_000
    """Of all clips inside the page, as base64: a third more than their files."""
    linked_bytes: int = 1_000_000_000
    """Of all clips in files beside it."""


class AudioSource(Protocol):
    """Gives the clips by key; an object store is one."""

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Give a file with the clip's bytes for as long as the context lasts."""
        ...


class ClipPlace(StrEnum):
    """Where a clip of the page is played from."""

    EMBEDDED = "embedded"
    LINKED = "linked"
    STORED = "stored"
    """Not played: it stays in the store."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Clip:
    """A sample's clip on the page; the address is None where it cannot be played."""

    place: ClipPlace
    address: str | None


def plan_clips(samples: Iterable[Row], limits: ClipLimits) -> dict[str, ClipPlace]:
    """Decide by sha256 where clips go: the first ones into the page, each file beside it once.

    Args:
        samples: rows of ``tables.DATASET`` in the order of the page; a clip of several samples is embedded for each.
        limits: of their sizes.
    """
    uses: dict[str, list[int]] = {}
    for sample in samples:
        uses.setdefault(sample["audio_sha256"], []).append(sample["size_bytes"])
    places: dict[str, ClipPlace] = {}
    embedded = linked = 0
    for sha256, sizes in uses.items():
        size = sum(_as_base64(one) for one in sizes)
        if embedded + size <= limits.embedded_bytes:
            places[sha256], embedded = ClipPlace.EMBEDDED, embedded + size
        elif linked + sizes[0] <= limits.linked_bytes:
            places[sha256], linked = ClipPlace.LINKED, linked + sizes[0]
        else:
            places[sha256] = ClipPlace.STORED
    return places


def _as_base64(size_bytes: int) -> int:
    return 4 * -(-size_bytes // 3)


class Clips:
    """The clips of one page.

    Args:
        source: has them.
        places: as planned.
        folder: of the page.
    """

    def __init__(self, source: AudioSource, places: Mapping[str, ClipPlace], *, folder: Path) -> None:
        self._source = source
        self._places = places
        self._folder = folder
        self._linked: dict[str, str] = {}

    @property
    def files(self) -> Iterator[Path]:
        """The files beside the page."""
        return (self._folder / name for name in self._linked.values())

    def clip(self, sample: Row) -> Clip:
        """Bring a sample's clip to where the page plays it from."""
        place = self._places[sample["audio_sha256"]]
        if place is ClipPlace.STORED:
            return Clip(place, None)
        try:
            address = self._embed(sample) if place is ClipPlace.EMBEDDED else self._link(sample)
        except NotFoundError:
            return Clip(ClipPlace.GONE, None)
        return Clip(place, address)

    def _embed(self, sample: Row) -> str:
        with self._source.local_copy(sample["audio_key"]) as path:
            return f"data:{sample['mime_type']};base64,{b64encode(path.read_bytes()).decode('ascii')}"

    def _link(self, sample: Row) -> str:
        sha256 = sample["audio_sha256"]
        if sha256 not in self._linked:
            name = f"{AUDIO_FOLDER}/{sha256}.{sample['format']}"
            (self._folder / AUDIO_FOLDER).mkdir(exist_ok=True)
            with self._source.local_copy(sample["audio_key"]) as path:
                copyfile(path, self._folder / name)
            self._linked[sha256] = name
        return self._linked[sha256]
