"""Coefficients of agreement, against published examples, plain definitions and scipy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from eval_pipeline.statistics.alpha import Scale, krippendorff_alpha
from eval_pipeline.statistics.coefficient import Measured, Undefined, estimate, estimate_all
from eval_pipeline.statistics.corrected_rate import Share, corrected_rate
from eval_pipeline.statistics.kappa import cohen_kappa, fleiss_kappa, quadratic_kappa
from eval_pipeline.statistics.ranks import area_under_curve, spearman

quick = settings(max_examples=60, deadline=None, derandomize=True)
NONE = np.nan
levels = st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0])
pairs = st.lists(st.tuples(levels, levels), min_size=2, max_size=30)


def value(measured: Measured) -> float | None:
    return estimate(measured, seed=0, resamples=0).value


# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), data of section C: four observers, twelve units
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T
PANEL = np.array([[75, 75, 50], [50, 75, 75], [100, 100, 75], [25, 25, NONE], [0, 0, NONE]])
# Fleiss (1971), as printed in Wikipedia's "Fleiss' kappa": ten items, fourteen raters, five categories
FLEISS = [
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
]


def test_published_examples() -> None:
    expected = {Scale.NOMINAL: 0.7434, Scale.ORDINAL: 0.8154, Scale.INTERVAL: 0.8491, Scale.RATIO: 0.7974}
    for scale, alpha in expected.items():
        found = estimate(krippendorff_alpha(KRIPPENDORFF, scale=scale), seed=0, resamples=0)
        assert (found.value, found.items) == (pytest.approx(alpha, abs=5e-5), 11)
    for scale, alpha in {Scale.NOMINAL: 0.4375, Scale.ORDINAL: 0.8005, Scale.INTERVAL: 0.8759}.items():
        assert value(krippendorff_alpha(PANEL, scale=scale)) == pytest.approx(alpha, abs=5e-5)
    assert value(fleiss_kappa(FLEISS)) == pytest.approx(0.2099, abs=5e-5)
    yes_no = np.repeat([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [20, 5, 10, 15], axis=0)
    assert value(cohen_kappa(yes_no[:, 0], yes_no[:, 1])) == pytest.approx(0.4)


@quick
@given(st.lists(st.lists(st.one_of(st.none(), levels), min_size=3, max_size=3), min_size=1, max_size=12))
def test_alpha_is_what_its_pairs_say(rows: list[list[float | None]]) -> None:
    """Alpha from its definition: the mean distance of the pairs within items over that of all pairs."""
    ratings = np.array(rows, dtype=np.float64)
    items = [list(item[~np.isnan(item)]) for item in ratings]
    items = [item for item in items if len(item) > 1]
    everything = [rating for item in items for rating in item]

    for scale in Scale:
        found = estimate(krippendorff_alpha(ratings, scale=scale), seed=0, resamples=0)
        within = sum(
            sum(_distance(a, b, everything, scale=scale) for a, b in itertools.permutations(item, 2)) / (len(item) - 1)
            for item in items
        )
        between = sum(_distance(a, b, everything, scale=scale) for a, b in itertools.permutations(everything, 2))
        if not items:
            assert (found.value, found.undefined) == (None, Undefined.TOO_FEW_RATINGS)
        elif between == 0:
            assert (found.value, found.undefined) == (None, Undefined.NO_VARIATION)
        else:
            assert found.value == pytest.approx(1 - (len(everything) - 1) * within / between, abs=1e-9)


def _distance(a: float, b: float, everything: list[float], *, scale: Scale) -> float:
    if scale is Scale.NOMINAL or a == b:
        return float(a != b)
    if scale is Scale.INTERVAL:
        return (a - b) ** 2
    if scale is Scale.RATIO:
        return ((a - b) / (a + b)) ** 2
    low, high = min(a, b), max(a, b)
    between = sum(low <= one <= high for one in everything)
    return (between - (everything.count(low) + everything.count(high)) / 2) ** 2


@quick
@given(pairs)
def test_kappas_and_ranks_are_those_of_their_definitions_and_of_scipy(rows: list[tuple[float, float]]) -> None:
    first, second = np.array(rows).T
    for kappa, apart in (
        (cohen_kappa, lambda a, b: float(a != b)),
        (quadratic_kappa, lambda a, b: (a - b) ** 2),
    ):
        found = estimate(kappa(first, second), seed=0, resamples=0)
        by_chance = np.mean([apart(a, b) for a in first for b in second])
        if by_chance == 0:
            assert (found.value, found.undefined) == (None, Undefined.NO_VARIATION)
        else:
            observed = np.mean([apart(a, b) for a, b in rows])
            assert found.value == pytest.approx(1 - observed / by_chance, abs=1e-9)

    rho = value(spearman(first, second))
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert rho is None
    else:
        assert rho == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-9)

    positive = second > 50
    area = value(area_under_curve(first, positive))
    if positive.all() or not positive.any():
        assert area is None
    else:
        wins = stats.mannwhitneyu(first[positive], first[~positive]).statistic
        assert area == pytest.approx(wins / positive.sum() / (~positive).sum(), abs=1e-12)


def test_missing_ratings_do_not_count_and_nothing_agrees_on_nothing() -> None:
    first, second = np.array([1.0, NONE, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, NONE])
    for kappa in (cohen_kappa, quadratic_kappa, spearman):
        found = estimate(kappa(first, second), seed=0)
        assert (found.value, found.items) == (1.0, 2)
    assert estimate(cohen_kappa(first[:0], second[:0]), seed=0).undefined is Undefined.TOO_FEW_RATINGS
    with pytest.raises(ValueError, match="rated"):
        fleiss_kappa([(2, 0), (1, 0)])


def test_intervals_come_from_drawing_whole_items_and_hold_what_is_true() -> None:
    """Of 200 panels of three whose alpha is known, some 95 % of the intervals hold it; compression changes nothing."""
    generator = np.random.default_rng(7)

    def panel(items: int) -> NDArray[np.float64]:
        truth = generator.integers(0, 5, (items, 1))
        noise = generator.integers(-1, 2, (items, 3))
        return np.clip(truth + noise, 0, 4) * 25.0

    truth = value(krippendorff_alpha(panel(200_000), scale=Scale.ORDINAL))
    assert truth is not None
    held = 0
    for seed in range(200):
        found = estimate(krippendorff_alpha(panel(40), scale=Scale.ORDINAL), seed=seed, resamples=400)
        assert found.interval is not None
        held += found.interval.low <= truth <= found.interval.high
    assert 182 <= held <= 199

    few = panel(60)
    many = np.concatenate([few, few])
    together = estimate_all([krippendorff_alpha(few, scale=scale) for scale in Scale], seed=3, resamples=50)
    alone = [estimate(krippendorff_alpha(few, scale=scale), seed=3, resamples=50) for scale in Scale]
    assert together == alone
    drawn = np.random.default_rng(3).integers(0, 120, 120)
    weights = np.bincount(drawn, minlength=120).astype(float)[None, :]
    for scale in Scale:
        by_weight = krippendorff_alpha(many, scale=scale).statistic(weights)[0]
        assert by_weight == pytest.approx(value(krippendorff_alpha(many[drawn], scale=scale)))


def test_a_rate_is_corrected_for_the_errors_of_the_judge() -> None:
    """A judge that says 40 % of 1,000; specificity .7 and sensitivity .9, each of 200 labels (Lee et al. 2025)."""
    found = corrected_rate(Share(400, 1_000), sensitivity=Share(180, 200), specificity=Share(140, 200))

    assert found is not None
    assert found.rate == pytest.approx(1 / 6)
    assert (found.low, found.high) == (pytest.approx(0.0564, abs=5e-5), pytest.approx(0.2627, abs=5e-5))
    coin = corrected_rate(Share(400, 1_000), sensitivity=Share(100, 200), specificity=Share(100, 200))
    nobody = corrected_rate(Share(0, 0), sensitivity=Share(9, 10), specificity=Share(9, 10))
    assert (coin, nobody) == (None, None)
