"""Whether two models err differently, sample by sample: Student's t of the differences, and the sign test.

MAPSSWE asks the same of stretches of words. Where characters are counted, where speakers and not stretches are
independent, and where failures count as all missed, the unit is the sample (or all samples of a speaker). With only
equal differences there is no spread to measure by, and the sign test says how surprising it is that all have one sign.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.student_t import student_t_p_value
from eval_pipeline.statistics.resampling import Counts, sum_clusters


@dataclass(frozen=True, slots=True)
class MatchedSamples:
    """Differences are errors of the first model minus errors of the second, per unit.

    The mean is None without a unit, the spread with fewer than two; t and its p-value where there is no spread, unless
    all differences are zero.
    """

    units: int
    mean_difference: float | None
    std: float | None
    """Sample standard deviation."""
    t: float | None
    p_two_sided: float | None


def matched_samples(first: Counts, second: Counts, *, clusters: NDArray[Any] | None = None) -> MatchedSamples:
    """Test two models on the samples that both are counted on."""
    differences = sum_clusters((first - second)[:, np.newaxis], clusters=clusters)[:, 0]
    count = len(differences)
    mean = int(differences.sum()) / count if count else None
    std = float(np.std(differences, ddof=1)) if count > 1 else None
    t = _t(mean, std, count=count)
    p = None if t is None else student_t_p_value(t, degrees_of_freedom=count - 1)
    return MatchedSamples(units=count, mean_difference=mean, std=std, t=t, p_two_sided=p)


def _t(mean: float | None, std: float | None, *, count: int) -> float | None:
    if mean is None or std is None:
        return None
    if std == 0:
        return 0.0 if mean == 0 else None
    return mean / (std / math.sqrt(count))


def sign_test(*, positive: int, negative: int) -> float:
    """Return the two-sided p-value of so many differences of either sign, were both signs equally likely.

    >>> sign_test(positive=6, negative=0), sign_test(positive=1, negative=0), sign_test(positive=0, negative=0)
    (0.03125, 1.0, 1.0)
    """
    count = positive + negative
    tail = sum(math.comb(count, fewer) for fewer in range(min(positive, negative) + 1))
    return min(1.0, tail / 2 ** (count - 1)) if count else 1.0
