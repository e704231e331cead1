"""Which experts are to be believed: weights, judges in a person's place, drift; on verdicts that others published."""

import numpy as np
import pytest

from eval_pipeline.judging.calibration import Weight, learn_weight
from eval_pipeline.judging.drift import find_drift
from eval_pipeline.judging.stand_in import EPSILONS, reject, stand_in_test
from eval_pipeline.statistics.coefficient import estimate
from eval_pipeline.statistics.kappa import cohen_kappa
from eval_pipeline_tests.judging.published_verdicts import devai, llmbar

PANEL = ("GPT-4", "ChatGPT", "LLaMA2", "PaLM2", "Falcon")


def test_kappas_of_agents_that_judged_requirements_are_the_published_ones() -> None:
    published = {"MetaGPT": (0.9208, 0.775), "GPT-Pilot": (0.8661, 0.730), "OpenHands": (0.9016, 0.800)}
    for agent, (share, kappa) in published.items():
        people, judge = devai()[agent].T
        assert (people == judge).mean() == pytest.approx(share, abs=5e-5)
        assert estimate(cohen_kappa(people, judge), seed=0, resamples=0).value == pytest.approx(kappa, abs=5e-4)


def test_a_judge_that_is_right_on_94_of_100_has_a_kappa_of_0878() -> None:
    """The published column says .264, since it compares the labels 1 and 2 with 0 and 1."""
    label, one_order, _ = np.array(list(llmbar(strategy="CoT", dataset="LLMBar/Natural")["GPT-4"].values())).T

    assert (label == one_order).mean() == pytest.approx(0.94)
    assert estimate(cohen_kappa(label, one_order), seed=0, resamples=0).value == pytest.approx(0.878, abs=5e-4)


def test_a_calibrated_panel_is_as_good_as_its_best_member_and_an_equal_one_is_not() -> None:
    """319 items made to mislead judges: most of a panel err in the same way. Weights by ten-fold cross-validation."""
    verdicts = llmbar(strategy="Metrics_Reference", dataset="Adversarial")
    items = sorted(verdicts["GPT-4"])
    labels = np.array([verdicts["GPT-4"][item][0] for item in items])
    # 1 or 2 where both orders agree, 1.5 where they do not or one brought no answer
    said = np.nan_to_num([[np.mean(verdicts[judge][item][1:]) for judge in PANEL] for item in items], nan=1.5)
    folds = np.random.default_rng(1).permutation(len(items)) % 10

    def accuracy(weights: list[float], chosen: np.ndarray) -> np.ndarray:
        lean = np.sign((said[chosen] - 1.5) @ np.array(weights))
        return np.where(lean == 0, 0.5, lean == np.sign(labels[chosen] - 1.5))

    equal = accuracy([1.0] * len(PANEL), np.full(len(items), fill_value=True)).mean()
    best = max(accuracy(list(row), folds >= 0).mean() for row in np.eye(len(PANEL)))
    calibrated = np.empty(len(items))
    for fold in range(10):
        learnt = [_learn(said[folds != fold, judge], labels[folds != fold]) for judge in range(len(PANEL))]
        calibrated[folds == fold] = accuracy([one.weight for one in learnt], folds == fold)

    assert equal == pytest.approx(0.654, abs=0.001)
    assert best == pytest.approx(0.845, abs=0.001)
    assert calibrated.mean() == pytest.approx(0.86, abs=0.005)
    whole = dict(zip(PANEL, (_learn(said[:, judge], labels) for judge in range(len(PANEL))), strict=True))
    assert whole["GPT-4"].weight > whole["PaLM2"].weight > 0
    assert {judge for judge, one in whole.items() if one.is_gated_out} == {"ChatGPT", "LLaMA2"}


def _learn(said: np.ndarray, labels: np.ndarray) -> Weight:
    return learn_weight(np.where(said == 1.5, np.nan, said), labels, is_binary=True)


def test_weights_are_learnt_from_thirty_labels_on() -> None:
    labels = np.array([0.0, 25, 50, 75, 100] * 6)

    few = learn_weight(labels[:29], labels[:29], is_binary=False)
    perfect = learn_weight(labels, labels, is_binary=False)
    contrary = learn_weight(100 - labels, labels, is_binary=False)
    absent = learn_weight(np.full(30, np.nan), labels, is_binary=False)

    assert (few.weight, few.kappa, few.labelled) == (1.0, None, 29)
    assert (perfect.weight, perfect.is_gated_out) == (1.0, False)
    assert (contrary.weight, contrary.is_gated_out) == (0.0, True)
    assert (absent.weight, absent.labelled) == (1.0, 0)
    yes_no = np.array([0.0, 1.0] * 20)
    nearly = np.concatenate([1 - yes_no[:4], yes_no[4:]])
    assert learn_weight(nearly, yes_no, is_binary=True).weight == pytest.approx(np.log(37 / 5))


def test_a_judge_stands_in_for_people_whom_it_agrees_with_as_well_as_they_do_with_each_other() -> None:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 2, 120).astype(float)
    people = np.stack([np.where(generator.random(120) < 0.2, 1 - truth, truth) for _ in range(3)], axis=1)
    people[:40, 2] = np.nan
    coin = generator.integers(0, 2, 120).astype(float)

    for epsilon in EPSILONS:
        good = stand_in_test(truth, people, epsilon=epsilon, is_nominal=True)
        bad = stand_in_test(coin, people, epsilon=epsilon, is_nominal=True)
        assert (good.may_stand_in, good.winning_rate) == (True, 1.0)
        assert (bad.may_stand_in, bad.winning_rate) == (False, 0.0)
        assert (good.advantage or 0) > 0.8
        assert [one.items for one in good.people] == [120, 120, 80]
    assert stand_in_test(truth, people[:, :2], epsilon=0.2, is_nominal=True).may_stand_in is None
    assert stand_in_test(truth[:29], people[:29], epsilon=0.2, is_nominal=False).may_stand_in is None


def test_false_discoveries_are_bounded_by_benjamini_and_yekutieli() -> None:
    # 4 hypotheses, harmonic sum 25/12: limits .006, .012, .018, .024
    assert reject([0.005, 0.011, 0.019, 0.02], rate=0.05) == [True] * 4
    assert reject([0.005, 0.013, 0.019, 0.5], rate=0.05) == [True, False, False, False]
    assert reject([], rate=0.05) == []


def test_drift_sounds_when_the_mean_the_agreement_or_the_gaps_moved() -> None:
    still = find_drift([75, 50, 100, 25], [75, 75, 100, 50])
    assert (still.shift, still.alarms) == (12.5, ())
    assert still.interval is not None
    assert (still.interval.low, still.interval.high) == (
        pytest.approx(-10.467, abs=1e-3),
        pytest.approx(35.467, abs=1e-3),
    )

    before = [0.0, 25, 50, 75] * 10
    milder = find_drift(before, [level + 25 for level in before])
    assert milder.alarms[0] == "the mean moved by +25.0"
    other = find_drift(before, before[::-1])
    assert (other.shift, other.alarms) == (0.0, ("agreement with the baseline is -1.00",))
    silent = find_drift(before, [None] * 4 + before[4:])
    assert silent.alarms == ("items without a level rose from 0% to 10%",)
