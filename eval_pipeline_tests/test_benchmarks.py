"""What is measured of batches still runs: a handful of items, whatever they take."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import batch_work


@pytest.mark.parametrize(
    "measure",
    [
        lambda folder: batch_work.building(folder, 20),
        lambda folder: batch_work.parsing(folder, 20),
        lambda folder: batch_work.vectors(folder, 20, 8),
    ],
    ids=["building", "parsing", "vectors"],
)
def test_what_is_measured_of_batches_runs(measure: Callable[[Path], dict[str, float]], tmp_path: Path) -> None:
    assert all(measure(tmp_path).values())
