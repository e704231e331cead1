"""What is measured of batches still runs: a handful of items, whatever they take."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from benchmarks import batch_work
from benchmarks.batch_files import FileBatches
from eval_pipeline.core.ports.batch_provider import BatchProvider


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


def test_batches_in_a_folder_are_asked_as_every_provider_is() -> None:
    """No type check sees them: what they stand in for is taken out of the way while something is measured."""
    asked = [name for name, member in vars(BatchProvider).items() if callable(member) and not name.startswith("_")]

    assert {name: _parameters(FileBatches, name) for name in asked} == {
        name: _parameters(BatchProvider, name) for name in asked
    }


def _parameters(of: type, name: str) -> list[tuple[str, object]]:
    return [(parameter.name, parameter.kind) for parameter in signature(getattr(of, name)).parameters.values()]
