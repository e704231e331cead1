"""Which rounds of a stage's batches count: those before belong to a materialization that is closed.

A stage that asks several endpoints by batches has rounds of each, told apart by a share: the endpoint's name.
"""

from typing import Final

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.stages import StageRef

WHOLE: Final = ""
"""The only share of a stage that asks one endpoint."""


def first_round(objects: ObjectStore, stage: StageRef, share: str = WHOLE) -> int:
    """Return the first round that counts."""
    return _read(objects, _key(stage, share))


def phase_round(objects: ObjectStore, stage: StageRef, share: str) -> int:
    """Return the first round of what is asked now, of a stage that asks one thing after the other."""
    return max(first_round(objects, stage, share), _read(objects, _phase_key(stage, share)))


def close_rounds(objects: ObjectStore, ledger: BatchLedger, stage: StageRef, share: str = WHOLE) -> None:
    """Let the next materialization of a stage have all of its rounds again."""
    objects.put(_key(stage, share), str(_following(ledger, stage, share)).encode())


def close_phase(objects: ObjectStore, ledger: BatchLedger, stage: StageRef, share: str) -> None:
    """Let what is asked next have all rounds, within one materialization."""
    objects.put(_phase_key(stage, share), str(_following(ledger, stage, share)).encode())


def reopen_rounds(objects: ObjectStore, stage: StageRef, *, first: int, share: str = WHOLE) -> None:
    """Let rounds from ``first`` on count again: something of them turned up, and nothing else is to be asked for it."""
    for key in (_key(stage, share), _phase_key(stage, share)):
        if first < _read(objects, key):
            objects.put(key, str(first).encode())


def _following(ledger: BatchLedger, stage: StageRef, share: str) -> int:
    rounds = (job.round for job in ledger.stage_jobs(stage) if share in {WHOLE, job.provider})
    return 1 + max(rounds, default=-1)


def _read(objects: ObjectStore, key: str) -> int:
    try:
        return int(objects.read(key))
    except NotFoundError:
        return 0


def _key(stage: StageRef, share: str) -> str:
    return f"{stage.prefix}/rounds_from" + (f"-{share}" if share else "")


def _phase_key(stage: StageRef, share: str) -> str:
    return f"{_key(stage, share)}-phase"
