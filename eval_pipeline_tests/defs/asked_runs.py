"""Runs that a sensor asked for, as Dagster's daemon starts them."""

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, RUN_KEY_TAG


def tags_of(request: dg.RunRequest) -> dict[str, str]:
    """Return the tags of the run that the daemon makes of a request."""
    assert request.run_key is not None
    assert request.partition_key is not None
    return {**request.tags, RUN_KEY_TAG: request.run_key, PARTITION_NAME_TAG: request.partition_key}
