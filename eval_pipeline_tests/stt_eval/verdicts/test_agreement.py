"""Agreement of people's verdicts with error rates, against scipy and published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.stt_eval.verdicts.agreement import VerdictAgreement, agree_with_verdicts, cohen_kappa

quick = settings(max_examples=150, deadline=None, derandomize=True)
judged = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 1.5]), st.booleans()), min_size=2, max_size=40)


@quick
@given(judged)
def test_auc_and_correlation_are_those_of_scipy(pairs: list[tuple[float, bool]]) -> None:
    rates, right = [rate for rate, _ in pairs], [verdict for _, verdict in pairs]
    found = agree_with_verdicts(rates, right)

    if len(set(right)) < 2:
        assert found == VerdictAgreement(right.count(True), right.count(False), None, None, None)
        return
    wrong_rates = [rate for rate, verdict in pairs if not verdict]
    right_rates = [rate for rate, verdict in pairs if verdict]
    u = stats.mannwhitneyu(wrong_rates, right_rates).statistic
    assert found.auc == pytest.approx(u / len(wrong_rates) / len(right_rates), rel=1e-12)
    if len(set(rates)) < 2:
        assert found.correlation is None
    else:
        oracle = stats.pointbiserialr([not verdict for verdict in right], rates).statistic
        assert found.correlation == pytest.approx(oracle, abs=1e-12)


@quick
@given(judged)
def test_no_threshold_agrees_better_than_the_best(pairs: list[tuple[float, bool]]) -> None:
    rates, right = [rate for rate, _ in pairs], [verdict for _, verdict in pairs]
    best = agree_with_verdicts(rates, right).best

    for limit in np.arange(-0.05, 1.65, 0.05):
        said = [rate <= limit for rate in rates]
        kappa = plain_kappa(said, right)
        if best is None:
            assert kappa is None or kappa <= 1e-12 or len(set(right)) < 2
        else:
            assert kappa is None or kappa <= best.kappa + 1e-12
    if best is not None:
        said = [rate <= best.at_most for rate in rates]
        assert best.kappa == pytest.approx(plain_kappa(said, right), abs=1e-12)
        assert best.agreement == np.mean([one == other for one, other in zip(said, right, strict=True)])


def plain_kappa(first: list[bool], second: list[bool]) -> float | None:
    observed = float(np.mean([one == other for one, other in zip(first, second, strict=True)]))
    yes, also = float(np.mean(first)), float(np.mean(second))
    by_chance = yes * also + (1 - yes) * (1 - also)
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def test_kappa_of_the_published_example_is_0_4() -> None:
    """Wikipedia, "Cohen's kappa": two readers of 50 grant proposals, 20 both yes, 5 and 10 one of them, 15 both no."""
    assert cohen_kappa(both=20, first_only=5, second_only=10, neither=15) == pytest.approx(0.4)


def test_judges_who_know_one_answer_only_have_no_kappa() -> None:
    assert cohen_kappa(both=7, first_only=0, second_only=0, neither=0) is None
    assert cohen_kappa(both=0, first_only=0, second_only=0, neither=0) is None
    assert cohen_kappa(both=0, first_only=7, second_only=0, neither=0) == 0.0


def test_people_who_accept_up_to_a_tenth_agree_with_that_threshold() -> None:
    found = agree_with_verdicts([0.0, 0.05, 0.1, 0.3, 0.9], [True, True, True, False, False])

    assert (found.right, found.wrong, found.auc) == (3, 2, 1.0)
    assert found.best is not None
    assert (found.best.at_most, found.best.kappa, found.best.agreement) == (0.1, 1.0, 1.0)


def test_verdicts_against_the_rate_have_no_threshold_and_a_low_auc() -> None:
    found = agree_with_verdicts([0.0, 0.1, 0.8, 0.9], [False, False, True, True])

    assert (found.auc, found.best) == (0.0, None)
    assert found.correlation is not None
    assert found.correlation < -0.9


def test_equal_rates_say_nothing() -> None:
    assert agree_with_verdicts([0.2, 0.2], [True, False]) == VerdictAgreement(1, 1, 0.5, None, None)


def test_without_verdicts_there_is_no_data() -> None:
    assert agree_with_verdicts([], []) == VerdictAgreement(0, 0, None, None, None)


def test_a_verdict_without_a_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="2 rates for 1 verdicts"):
        agree_with_verdicts([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="a rate that is a number"):
        agree_with_verdicts([float("nan")], [True])
