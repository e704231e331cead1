"""What drawing utterances again rests on: seeds, memory, and how far out the ends of an interval lie."""

import subprocess
import sys
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from eval_pipeline.statistics import resampling
from eval_pipeline.statistics.resampling import derive_seed, expanded_tail, resample_sums


def units(size: int) -> NDArray[np.int64]:
    generator = np.random.default_rng(5)
    lengths = generator.integers(1, 20, size)
    return np.column_stack([generator.binomial(lengths, 0.2), lengths])


def test_sums_are_those_of_drawing_units_one_by_one_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    given = units(97)
    generator = np.random.default_rng(4)
    plain = np.array([given[generator.integers(0, 97, 97)].sum(axis=0) for _ in range(500)])

    for values in (1, 97, 97 * 7, 131_072):
        monkeypatch.setattr(resampling, "_BLOCK_VALUES", values)
        assert (resample_sums(given, resamples=500, seed=4) == plain).all()


def test_ends_lie_as_far_out_as_so_few_units_ask_for() -> None:
    """Hesterberg (2015), table 2: tails of 0.1 % at 5, 0.8 % at 10, 1.6 % at 20 units, 2.5 % at endlessly many."""
    for count, tail in ((5, 0.0010), (10, 0.0086), (20, 0.0159), (100_000, 0.025)):
        assert expanded_tail(level=0.95, units=count) == pytest.approx(tail, abs=1e-4)
        wanted = np.sqrt(count / (count - 1)) * stats.t.ppf(0.975, count - 1)
        assert NormalDist().inv_cdf(expanded_tail(level=0.95, units=count)) == pytest.approx(-wanted, rel=1e-9)


def test_seeds_come_from_names_and_are_the_same_in_every_process() -> None:
    program = "from eval_pipeline.statistics.resampling import derive_seed; print(derive_seed('run', 'hi'))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert derive_seed("run", "hi") == int(printed)
    assert len({derive_seed("run", "hi"), derive_seed("ru", "nhi"), derive_seed("run"), derive_seed("run", "")}) == 4
