"""The output file of a batch, as the scenario of the batch spoils it, and what names a line that was executed."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import IO

from eval_pipeline.standins.batch_faults import BatchRule, Scenario

UNKNOWN_ID = "never-sent"
_TEXT_KEPT_CHARACTERS = 80


class SpoiltResults:
    """An output file on its way to disk."""

    def __init__(self, rule: BatchRule | None, output: IO[bytes]) -> None:
        self._rule = rule
        self._output = output
        self._at_end: list[bytes] = []
        self._last_bytes = 0

    def write(self, place: int, line: bytes, *, again: Callable[[], bytes], stranger: Callable[[], bytes]) -> None:
        """Write the line that answers the request at a place.

        Args:
            place: Which request it answers, from 0.
            line: The line.
            again: Makes a line with the same id and another answer.
            stranger: Makes a line with an id that nobody sent.
        """
        lines = self._rule.lines if self._rule else 0
        if place < lines and self._meets(Scenario.DUPLICATE_LINE):
            self._at_end.append(again())
        if place == 0 and self._meets(Scenario.UNKNOWN_LINE):
            self._at_end.append(stranger())
        if place >= lines or not self._meets(Scenario.MISSING_LINE):
            self._last_bytes = self._output.write(line)

    def finish(self) -> None:
        """Write what comes last, and cut what is to be cut."""
        self._output.writelines(self._at_end)
        if self._meets(Scenario.CUT_LAST_LINE):
            self._output.truncate(self._output.tell() - self._last_bytes // 2)

    def _meets(self, scenario: Scenario) -> bool:
        return self._rule is not None and self._rule.scenario is scenario


def in_order(lines: IO[bytes], rule: BatchRule | None) -> Iterator[bytes]:
    """Return the lines of an input file in the order in which they are worked off."""
    backwards = rule is not None and rule.scenario is Scenario.OUT_OF_ORDER
    return reversed(lines.readlines()) if backwards else iter(lines)


def billed_key(custom_id: str, text: str) -> str:
    """Return what names an executed line: its id and its input, a long one by beginning and hash."""
    if len(text) > _TEXT_KEPT_CHARACTERS:
        text = f"{text[:_TEXT_KEPT_CHARACTERS]}…{blake2b(text.encode(), digest_size=8).hexdigest()}"
    return f"{custom_id}|{text}"
