"""Ctrl-C, SIGTERM, a terminal that is closed and *Terminate* in the Dagster UI while calls are under way.

Dagster raises its interruption wherever the main thread happens to be. Inside an asyncio callback asyncio takes it for
that callback's failure, logs it and goes on: the run would not stop. So these signals are taken here while calls run.
The first one lets the calls under way end and be recorded, the second one breaks them off.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from eval_pipeline.dispatch.gate import StopReason

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOTICE = b"interrupted: waiting for the calls under way; interrupt again to stop at once\n"


class WorkInterrupted(BaseException):
    """Somebody ended the work; what was answered is recorded. Like ``KeyboardInterrupt`` it is no error."""


class Interruption:
    """Whether somebody wants the process to end."""

    def __init__(self) -> None:
        self._asked = False

    @property
    def reason(self) -> StopReason | None:
        """Why no further call should begin."""
        return StopReason.INTERRUPTED if self._asked else None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run calls to their end; one that looks at ``reason`` ends early and in order."""
        with asyncio.Runner() as runner, self._taking_signals(runner.get_loop()):
            try:
                done = runner.run(work)
            except asyncio.CancelledError:
                raise WorkInterrupted from None
        if self._asked:
            raise WorkInterrupted
        return done

    @contextmanager
    def _taking_signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():  # signals arrive in the main thread alone
            yield
            return

        def take(_number: int, _frame: FrameType | None) -> None:
            if self._asked:
                loop.call_soon_threadsafe(_cancel_all, loop)
                return
            self._asked = True
            with suppress(OSError):  # of a terminal that is gone
                os.write(2, _NOTICE)  # a print could interrupt another one

        wanted = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # as nohup does
        before = {number: signal.signal(number, take) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
