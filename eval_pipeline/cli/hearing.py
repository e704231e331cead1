"""Hears Ctrl-C and its kin, whoever has the signals.

Dagster takes them while it executes a run, and forgets the one that arrives behind the last step: a command that waits
for a provider after that would wait on for hours.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MEANT = frozenset({signal.SIGINT, signal.SIGTERM})
_MOST_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Ears:
    """What arrived; the interpreter writes every signal here before any handler of it runs."""

    _received: int | None

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` when somebody has asked this process to end."""
        if self._received is None:
            return
        try:
            numbers = os.read(self._received, _MOST_BYTES)
        except BlockingIOError:
            return
        if _MEANT.intersection(numbers):
            raise KeyboardInterrupt


@contextmanager
def hearing() -> Iterator[Ears]:
    """Listen for the time of a ``with``; deaf in any thread but the main one, where no signal arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield Ears(None)
        return
    received, told = os.pipe()
    os.set_blocking(received, False)
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    try:
        yield Ears(received)
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)
        os.close(received)
