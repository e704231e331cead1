"""Which rounds of a stage's batches count: those before belong to a materialization that is closed."""

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.stages import StageRef


def first_round(objects: ObjectStore, stage: StageRef) -> int:
    """Return the first round that counts."""
    try:
        return int(objects.read(_key(stage)))
    except NotFoundError:
        return 0


def close_rounds(objects: ObjectStore, ledger: BatchLedger, stage: StageRef) -> None:
    """Let the next materialization of a stage have all of its rounds again."""
    following = 1 + max((job.round for job in ledger.stage_jobs(stage)), default=-1)
    objects.put(_key(stage), str(following).encode())


def reopen_rounds(objects: ObjectStore, stage: StageRef, *, first: int) -> None:
    """Let rounds from ``first`` on count again: something of them turned up, and nothing else is to be asked for it."""
    if first < first_round(objects, stage):
        objects.put(_key(stage), str(first).encode())


def _key(stage: StageRef) -> str:
    return f"{stage.prefix}/rounds_from"
