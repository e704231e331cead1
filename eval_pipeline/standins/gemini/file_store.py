"""The files that clients upload and batches produce: contents on disk, one small JSON document beside each.

Files are forgotten 48 hours after their creation. A stand-in that starts with the same folder has the same files.
"""

import base64
import secrets
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

import orjson

from eval_pipeline.standins.audio import Clip, read_clip_file
from eval_pipeline.standins.gemini.errors import GeminiError, GeminiRefusedError, no_such_file, unready
from eval_pipeline.standins.pace import Clock, timestamp
from eval_pipeline.standins.state_files import write_json

KEPT_NS = 48 * 60 * 60 * 10**9


@dataclass(slots=True, kw_only=True)
class GeminiFile:
    """One file; ``looks`` counts how often a client has seen it, ``processing`` for how many it is being processed."""

    id: str
    mime_type: str
    created_ns: int
    size_bytes: int
    sha256: str
    kind: str | None
    seconds: float
    display_name: str | None = None
    generated: bool = False
    processing: int = 0
    fails: bool = False
    looks: int = 0

    @property
    def state(self) -> str:
        """Where it is in its life."""
        if self.looks < self.processing:
            return "PROCESSING"
        return "FAILED" if self.fails else "ACTIVE"

    def as_json(self, base_url: str) -> dict[str, object]:
        """Return the File object."""
        told: dict[str, object] = {
            "name": f"files/{self.id}",
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size_bytes),
            "createTime": timestamp(self.created_ns),
            "updateTime": timestamp(self.created_ns),
            "expirationTime": timestamp(self.created_ns + KEPT_NS),
            # the real API encodes the hexadecimal digits, not the digest
            "sha256Hash": base64.b64encode(self.sha256.encode()).decode(),
            "uri": f"{base_url}/v1beta/files/{self.id}",
            "state": self.state,
            "source": "GENERATED" if self.generated else "UPLOADED",
        }
        if self.display_name:
            told["displayName"] = self.display_name
        if self.generated:
            told["downloadUri"] = f"{base_url}/v1beta/files/{self.id}:download?alt=media"
        if self.state == "FAILED":
            told["error"] = {"code": 13, "message": "The file could not be processed."}
        return told


class GeminiFileStore:
    """All files of one stand-in, in one folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        read = [GeminiFile(**orjson.loads(path.read_bytes())) for path in folder.glob("*.json")]
        self._files = {file.id: file for file in sorted(read, key=lambda file: file.created_ns)}
        self._total_bytes = sum(file.size_bytes for file in read)

    def __getitem__(self, file_id: str) -> GeminiFile:
        self._forget_expired()
        try:
            return self._files[file_id]
        except KeyError:
            raise GeminiRefusedError(no_such_file(file_id)) from None

    def clip(self, file_id: str) -> Clip:
        """Return an uploaded clip that is ACTIVE, or refuse."""
        file = self[file_id]
        if file.state != "ACTIVE":
            raise unready(f"The File {file_id} is not in an ACTIVE state and usage is not allowed.")
        return Clip(sha256=file.sha256, kind=file.kind, size_bytes=file.size_bytes, seconds=file.seconds)

    def newest_first(self) -> list[GeminiFile]:
        """Return all files."""
        self._forget_expired()
        return list(reversed(self._files.values()))

    @property
    def total_bytes(self) -> int:
        """What all files together take."""
        self._forget_expired()
        return self._total_bytes

    def path(self, file_id: str) -> Path:
        """Return where the contents are."""
        return self._folder / f"{self[file_id].id}.data"

    def new_path(self) -> Path:
        """Return where to write contents before they are added."""
        return self._folder / f"incoming-{secrets.token_hex(8)}"

    def check_name(self, file_id: str) -> None:
        """Refuse a name that another file has."""
        self._forget_expired()
        if file_id in self._files:
            message = f"The File {file_id} already exists."
            raise GeminiRefusedError(GeminiError(code=HTTPStatus.CONFLICT, message=message))

    def add(
        self,
        written: Path,
        *,
        mime_type: str,
        name: str | None = None,
        display_name: str | None = None,
        generated: bool = False,
        processing: int = 0,
    ) -> GeminiFile:
        """Take over a file that was written at ``new_path``."""
        clip = read_clip_file(written)
        file = GeminiFile(
            id=name or secrets.token_hex(6),
            mime_type=mime_type,
            created_ns=self._clock.now_ns(),
            size_bytes=clip.size_bytes,
            sha256=clip.sha256,
            kind=clip.kind,
            seconds=clip.seconds,
            display_name=display_name,
            generated=generated,
            processing=processing,
        )
        written.rename(self._folder / f"{file.id}.data")
        self._total_bytes += file.size_bytes
        self.save(file)
        return file

    def save(self, file: GeminiFile) -> None:
        """Keep a file as it is now."""
        self._files[file.id] = file
        write_json(self._folder / f"{file.id}.json", asdict(file))

    def remove(self, file_id: str) -> None:
        """Delete a file; whoever still reads it reads on."""
        (self._folder / f"{file_id}.data").unlink(missing_ok=True)
        (self._folder / f"{file_id}.json").unlink(missing_ok=True)
        if removed := self._files.pop(file_id, None):
            self._total_bytes -= removed.size_bytes

    def clear(self) -> None:
        """Delete all files."""
        for file_id in list(self._files):
            self.remove(file_id)

    def _forget_expired(self) -> None:
        now_ns = self._clock.now_ns()
        # the oldest come first, so that the cost of a request does not grow with the files
        while self._files and now_ns >= (oldest := next(iter(self._files.values()))).created_ns + KEPT_NS:
            self.remove(oldest.id)
