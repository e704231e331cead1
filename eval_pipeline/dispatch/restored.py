"""A ledger that was restored from a backup, beside a store that is newer: what it is told, and what is looked for.

The store keeps two things that such a ledger has forgotten: how many submissions there were (``epoch``), written before
each, and the intents of every round, written before they are recorded. So nothing that may have been paid for is
submitted before the provider was asked for it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.core.epoch import Age, Epoch, LedgerEpoch, age_of, epoch_key
from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError
from eval_pipeline.core.ports.ledger import EpochLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.protocols import BUILT_IN, ApiProtocol
from eval_pipeline.core.stages import StageRef

_KEPT = (
    "round",
    "shard",
    "submission_key",
    "fingerprint",
    "provider",
    "account",
    "base_url",
    "model",
    "endpoint",
    "requests",
    "size_bytes",
)
"""What of an intent is known nowhere else."""


def settle_epoch(ledger: EpochLedger, objects: ObjectStore) -> LedgerEpoch:
    """Compare ledger and store, and mark a ledger that is older as restored.

    Raises:
        ConflictError: ``store_older_than_ledger``.
    """
    known, store = ledger.read_epoch(), read_epoch(objects, ledger)
    match age_of(known, store):
        case Age.LEVEL:
            return known
        case Age.LEDGER_OLDER:
            return ledger.mark_restored(store)
        case Age.STORE_OLDER:
            raise ConflictError(
                f"the store {objects.url(epoch_key(ledger.id))} knows of {counted(store.submissions, 'submission')}, "
                f"and the ledger {ledger.id} of {known.stored:,}: the store is older than its ledger, or another one",
                code="store_older_than_ledger",
                hint="set EVAL_PIPELINE_STORE to the store that belongs to this ledger; or restore a backup of the "
                "ledger that is not newer than that of the store",
            )


def count_submission(ledger: EpochLedger, objects: ObjectStore) -> None:
    """Count a submission in ledger and store, before it begins."""

    def write(epoch: Epoch) -> None:
        document = {"submissions": epoch.submissions, "token": epoch.token}
        objects.put(epoch_key(ledger.id), orjson.dumps(document))

    ledger.count_submission(write)


def read_epoch(objects: ObjectStore, ledger: EpochLedger) -> Epoch:
    """Return what the store knows of the ledger; nothing where no batch was ever submitted."""
    key = epoch_key(ledger.id)
    try:
        document = orjson.loads(objects.read(key))
        return Epoch(submissions=int(document["submissions"]), token=int(document["token"]))
    except NotFoundError:
        return Epoch()
    except (ValueError, KeyError, TypeError) as error:
        raise UnavailableError(
            f"{objects.url(key)} cannot be read ({type(error).__name__}: {error})",
            code="epoch_damaged",
            hint="restore this file from the store's backup; without it nobody knows what was submitted",
        ) from error


def restored_words(restored_at: datetime) -> str:
    """Tell an operator what it means that a ledger was restored."""
    return (
        f"the ledger was found to be older than its store on {restored_at:%Y-%m-%d %H:%M} UTC, as one restored from a "
        "backup is: for runs from before that, every batch is looked for at its provider before it is created"
    )


def store_round(objects: ObjectStore, intents: Sequence[BatchJob], *, first_shard: int = 0) -> None:
    """Write the intents of a round into the store, before the ledger records them."""
    document = [
        {**{name: getattr(intent, name) for name in _KEPT}, "protocol": str(intent.protocol)} for intent in intents
    ]
    objects.put(_round_key(intents[0].stage, intents[0].round, first_shard), orjson.dumps(document))


def lost_intents(
    objects: ObjectStore,
    stage: StageRef,
    jobs: Sequence[BatchJob],
    *,
    first_round: int,
    since: datetime,
    now: datetime,
    first_shard: int = 0,
) -> Iterator[BatchJob]:
    """Yield the intents of all rounds that the store knows and the ledger does not.

    Args:
        objects: the store.
        stage: whose rounds.
        jobs: of the stage, as the ledger knows them.
        first_round: of those that count.
        since: the earliest moment at which one of them may have been submitted.
        now: the present.
        first_shard: of the files that are meant, where several endpoints are asked for one stage.
    """
    known = {job.round for job in jobs}
    for number in _stored_rounds(objects, stage, first_shard):
        if number >= first_round and number not in known:
            for kept in orjson.loads(objects.read(_round_key(stage, number, first_shard))):
                yield BatchJob(
                    id=0,
                    stage=stage,
                    attempt=0,
                    state=JobState.INTENT,
                    created_at=now,
                    updated_at=now,
                    sought_since=since,
                    protocol=_protocol_of(kept),
                    **{name: kept[name] for name in _KEPT},
                )


def _protocol_of(kept: Json) -> ApiProtocol:
    """Read the protocol of an intent; earlier versions told none and knew the built-in endpoints alone."""
    return ApiProtocol(kept["protocol"]) if "protocol" in kept else BUILT_IN[kept["provider"]]


def _round_key(stage: StageRef, number: int, first_shard: int) -> str:
    return f"{stage.prefix}/rounds/{number:02d}{_after(first_shard)}"


def _after(first_shard: int) -> str:
    return f"-s{first_shard:04d}.json" if first_shard else ".json"


def _stored_rounds(objects: ObjectStore, stage: StageRef, first_shard: int) -> list[int]:
    folder, after = f"{stage.prefix}/rounds", _after(first_shard)
    names = (key.removeprefix(f"{folder}/").removesuffix(after) for key in objects.list(folder) if key.endswith(after))
    return [int(name) for name in names if name.isdecimal()]
