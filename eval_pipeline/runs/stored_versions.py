"""What stored versions of all datasets have in common: a manifest that is written last, files that are checked by hash.

Read without pyarrow, for listings.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.manifests import sha256_of


def read_manifest(objects: ObjectStore, prefix: str, *, forms: Sequence[int]) -> JsonDict | None:
    """Return the manifest of a version that is completely stored, or None; another form: ``dataset_unreadable``."""
    try:
        stored: JsonDict = orjson.loads(objects.read(_manifest_of(prefix)))
    except NotFoundError:
        return None
    if stored["schema_version"] not in forms:
        known = " and ".join(map(str, forms))
        raise ConflictError(
            f"dataset {prefix} is stored in form {stored['schema_version']}, this version reads form {known}",
            code="dataset_unreadable",
            hint="use the version of eval-pipeline that wrote it, or a newer one",
        )
    return stored


def create_manifest(objects: ObjectStore, prefix: str, manifest: Json) -> bool:
    """Store the manifest, unless another process stored the same version meanwhile: then its manifest holds."""
    try:
        objects.create(_manifest_of(prefix), orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    except ConflictError:
        return False
    return True


def _manifest_of(prefix: str) -> str:
    return f"{prefix}/manifest.json"


def dataset_missing(objects: ObjectStore, dataset: DatasetVersion, *, what: str) -> NotFoundError:
    """Build the error of a recorded version whose rows or samples are gone."""
    return NotFoundError(
        f"the {what} of dataset {shown(dataset.name)} are not where the ledger says ({objects.url(dataset.prefix)})",
        code="dataset_missing",
        hint="check that the store is the one in which the dataset was added",
    )


@contextmanager
def checked_copy(objects: ObjectStore, key: str, *, sha256: str) -> Iterator[Path]:
    """Give an object as a local file for the time of a ``with``; other bytes than those raise ``dataset_damaged``."""
    with objects.local_copy(key) as path:
        found = sha256_of(path)
        if found != sha256:
            raise ConflictError(
                f"{objects.url(key)} was changed after it was stored: sha256 {found[:16]}…, expected {sha256[:16]}…",
                code="dataset_damaged",
                hint="restore the object from a backup; stored versions are never edited",
            )
        yield path
