"""Notices that a provider refuses whatever it is asked: the first requests of a stage, all with the same final words.

A model that does not know ``temperature`` answers every request with the same 400. Thousands of equal rows help nobody.
"""

from typing import Final

from eval_pipeline.core.errors import IncompleteError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.reasons import reason_of
from eval_pipeline.dispatch.breaker import AskedModel

REFUSALS_AT_THE_START: Final = 20
REFUSES_ALL: Final = "provider_refuses_all"


class RefusalWatch:
    """Follows the first records of a stage.

    Args:
        proven: whether items were asked before: whoever goes on after a stop has seen the reason and wants the rest.
    """

    def __init__(self, *, proven: bool) -> None:
        self._over = proven
        self._refused: tuple[str, str] | None = None
        self._count = 0
        self.error: ItemError | None = None
        """What the provider says to everything, once that is known."""

    def take(self, record: ItemRecord) -> None:
        """Look at one final record; anything but one more equal refusal ends the watch."""
        if self._over or self.error is not None:
            return
        error = record.error
        if error is None or record.status is not ItemStatus.FAILED or error.transient or record.account_fault:
            self._over = True
            return
        reason = reason_of(error)
        self._over = self._refused is not None and reason != self._refused
        self._refused = reason
        self._count += 1
        if not self._over and self._count >= REFUSALS_AT_THE_START:
            self.error = error


def refuses_everything(key: RunKey, error: ItemError, *, endpoint: AskedModel) -> IncompleteError:
    """Say what a provider says to everything."""
    return IncompleteError(
        f"{endpoint.provider} at {endpoint.base_url} refused the first {REFUSALS_AT_THE_START} requests to model "
        f"'{endpoint.model}', all with the same words: {error.message}",
        code=REFUSES_ALL,
        hint="the others were not asked; correct the configuration in a new run, or, where the cause lay elsewhere, "
        f"{command_on('run retry', key)} asks the others (with --refresh all)",
    )
