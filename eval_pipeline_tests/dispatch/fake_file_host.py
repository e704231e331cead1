"""A file host in memory that goes wrong as it is told; it passes the contract that the real ones pass."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.ports.file_host import HostedFile, HostedState


def fault(kind: CallFault, *, retry_after_s: float | None = None) -> BatchCallError:
    return BatchCallError(f"in vain: {kind}", fault=kind, hint="mend it", retry_after_s=retry_after_s)


def no_trouble(name: str) -> None:
    """Let a call succeed."""
    del name


class FakeFileHost:
    """Keeps what it is given.

    Args:
        account: whose files these are.
        before_upload: called with a clip's name; may raise, or hold the thread.
        before_look: called with a file's name.
        before_delete: the same.
        looks_processing: looks at a new file that find it unready.
        keeps_until: what is said of its expiry.
    """

    def __init__(
        self,
        *,
        account: str = "account",
        before_upload: Callable[[str], None] = no_trouble,
        before_look: Callable[[str], None] = no_trouble,
        before_delete: Callable[[str], None] = no_trouble,
        looks_processing: int = 0,
        keeps_until: datetime | None = None,
    ) -> None:
        self.account = account
        self.before_upload = before_upload
        self.before_look = before_look
        self.before_delete = before_delete
        self.looks_processing = looks_processing
        self.keeps_until = keeps_until
        self.unusable: set[str] = set()
        """Clips that turn out to be no audio once they are looked through."""
        self.uploads: list[str] = []
        self.looks: list[str] = []
        self.deletions: list[str] = []
        self.contents: dict[str, bytes] = {}
        self._files: dict[str, HostedFile] = {}
        self._names: dict[str, str] = {}
        self._unready: dict[str, int] = {}
        self._changing = Lock()

    def upload(self, path: Path, *, name: str, mime_type: str) -> HostedFile:
        del mime_type
        self.before_upload(name)
        content = path.read_bytes()
        with self._changing:
            self.uploads.append(name)
            called = f"files/{len(self.uploads)}"
            state = HostedState.PROCESSING if self.looks_processing else self._final(name)
            self._files[called] = HostedFile(called, f"https://host.invalid/{called}", state, self.keeps_until)
            self._unready[called] = self.looks_processing
            self.contents[called] = content
            self._names[called] = name
            return self._files[called]

    def look(self, name: str) -> HostedFile:
        self.before_look(name)
        with self._changing:
            self.looks.append(name)
            if name not in self._files:
                raise fault(CallFault.GONE)
            self._unready[name] -= 1
            if self._unready[name] == 0:
                state = self._final(self._names[name])
                problem = "no sound in it" if state is HostedState.FAILED else None
                self._files[name] = replace(self._files[name], state=state, problem=problem)
            return self._files[name]

    def delete(self, name: str) -> None:
        self.before_delete(name)
        with self._changing:
            self.deletions.append(name)
            self._files.pop(name, None)

    def close(self) -> None:
        """Hold nothing."""

    def forget_everything(self) -> None:
        """Lose all files, as their expiry does."""
        self._files.clear()

    def _final(self, clip: str) -> HostedState:
        return HostedState.FAILED if clip in self.unusable else HostedState.ACTIVE
