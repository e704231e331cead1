"""The processes of one installation: found by the home they work on, told apart by what they do, ended by their ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a process does."""

    DAEMON = "daemon"
    CODE_SERVER = "code server"
    WORKER = "run worker"
    COMMAND = "command line"


_SIGNS = (
    ("multiprocessing.spawn", Kind.WORKER),  # as the default launcher starts them
    ("dagster._daemon", Kind.DAEMON),
    ("bin/eval-pipeline\0", Kind.COMMAND),
    ("api\0grpc", Kind.CODE_SERVER),
)


def processes_of(home: Path) -> Iterator[tuple[int, Kind]]:
    """Yield all processes whose environment names the home."""
    sign = f"EVAL_PIPELINE_HOME={home}\0".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):
            if sign not in folder.joinpath("environ").read_bytes() + b"\0":
                continue
            words = folder.joinpath("cmdline").read_bytes().decode(errors="replace")
            kind = next((kind for sign_of_it, kind in _SIGNS if sign_of_it in words), None)
            if kind is not None and not _is_over(folder):
                yield int(folder.name), kind


def _is_over(folder: Path) -> bool:
    return folder.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z"


def kill(pid: int) -> bool:
    """Kill -9; False when it was gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Family:
    """Processes that this program started, each with a log; all are ended at its end."""

    environ: dict[str, str]
    folder: Path
    members: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, command: Sequence[str], *, log: str) -> "subprocess.Popen[bytes]":
        """Start one, with its output in a log."""
        self.members = [member for member in self.members if member.poll() is None]
        with (self.folder / log).open("ab") as file:
            process = subprocess.Popen(
                list(command), cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self.members.append(process)
        return process

    def end(self, home: Path) -> None:
        """End all of them and what they left."""
        for member in self.members:
            if member.poll() is None:
                member.kill()
            member.wait()
        for pid, _ in processes_of(home):
            kill(pid)


def eval_pipeline(*words: str) -> list[str]:
    """Return the command line of a verb."""
    return [str(Path(sys.executable).with_name("eval-pipeline")), *words]
