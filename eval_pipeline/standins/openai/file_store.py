"""The files that clients upload and batches produce: contents on disk, one small JSON document beside each.

The folder is all that there is to know: a stand-in that starts with the same folder has the same files.
"""

import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.errors import no_such_file
from eval_pipeline.standins.state_files import write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file as OpenAI describes it, and since when, exactly."""

    id: str
    size_bytes: int
    created_ns: int
    filename: str
    purpose: str
    expires_after_s: int | None = None

    @property
    def created_at_s(self) -> int:
        """Unix time in whole seconds."""
        return self.created_ns // 10**9

    def as_json(self) -> dict[str, object]:
        """Return the File object."""
        expires_after_s = self.expires_after_s
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size_bytes,
            "created_at": self.created_at_s,
            "expires_at": None if expires_after_s is None else self.created_at_s + expires_after_s,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class FileStore:
    """All files of one stand-in, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        read = [StoredFile(**orjson.loads(path.read_bytes())) for path in folder.glob("*.json")]
        self._files = {file.id: file for file in sorted(read, key=lambda file: file.created_ns)}

    def __getitem__(self, file_id: str) -> StoredFile:
        try:
            return self._files[file_id]
        except KeyError:
            raise InvalidBodyError.of(no_such_file(file_id)) from None

    def newest_first(self) -> list[StoredFile]:
        """Return all files."""
        return list(reversed(self._files.values()))

    def path(self, file_id: str) -> Path:
        """Return where the contents are."""
        return self._folder / f"{self[file_id].id}.data"

    def new_path(self) -> Path:
        """Return where to write contents before they are added."""
        return self._folder / f"incoming-{secrets.token_hex(8)}"

    def add(self, written: Path, *, filename: str, purpose: str, expires_after_s: int | None) -> StoredFile:
        """Take over a file that was written at ``new_path``."""
        file = StoredFile(
            id=f"file-{secrets.token_hex(12)}",
            size_bytes=written.stat().st_size,
            created_ns=time.time_ns(),
            filename=filename,
            purpose=purpose,
            expires_after_s=expires_after_s,
        )
        written.rename(self._folder / f"{file.id}.data")
        write_json(self._folder / f"{file.id}.json", asdict(file))
        self._files[file.id] = file
        return file

    def remove(self, file_id: str) -> None:
        """Delete a file; whoever still reads it reads on."""
        self.path(file_id).unlink(missing_ok=True)
        (self._folder / f"{file_id}.json").unlink(missing_ok=True)
        del self._files[file_id]

    def clear(self) -> None:
        """Delete all files."""
        for file_id in list(self._files):
            self.remove(file_id)
