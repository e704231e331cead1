"""An event loop whose time passes only while everybody sleeps: minutes of back-off in no time, in the right order."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from eval_pipeline.dispatch.gate import Timing

Result = TypeVar("Result")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._poll = self._selector.select  # type: ignore[attr-defined]  # the loop has no public hook here
        self._selector.select = self._jump  # type: ignore[attr-defined]  # the same

    def time(self) -> float:
        return self._now_s

    def _jump(self, timeout_s: float | None = None) -> Any:  # noqa: ANN401 - as the selector has it
        if timeout_s is None:
            raise RuntimeError("deadlock: nobody is asleep and nothing is due")
        self._now_s += timeout_s
        return self._poll(0)


def run_virtually(work: Coroutine[Any, Any, Result]) -> Result:
    """Run on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def virtual_timing(dice: Callable[[], float] = lambda: 0.5) -> Timing:
    """Return a timing on the running loop's clock; the dice always fall the same unless others are given."""
    return Timing(clock=asyncio.get_running_loop().time, sleep=asyncio.sleep, jitter=dice)
