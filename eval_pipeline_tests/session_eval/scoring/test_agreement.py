"""Agreement, calibration and drift of sessions, beside formulas of others."""

import math
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from eval_pipeline.judging.aggregation import CellState
from eval_pipeline.session_eval.scoring.agreement import (
    PANEL,
    AxisRatings,
    learnt_weights,
    low_axes,
    measure_axis,
    nearest_level,
)
from eval_pipeline.session_eval.scoring.calibration import (
    Direction,
    Labelled,
    liked,
    predict,
    succeeded,
)
from eval_pipeline.session_eval.scoring.cells import Cell, CellVerdict
from eval_pipeline.session_eval.scoring.drift import moved, rate
from eval_pipeline_tests.judging.published_verdicts import devai

STEPS = (0.0, 25.0, 50.0, 75.0, 100.0)
NAN = math.nan


def ratings(levels: np.ndarray, *, people: np.ndarray | None = None, steps: tuple[float, ...] = STEPS) -> AxisRatings:
    return AxisRatings(
        axis="goal_completion",
        steps=steps,
        experts=tuple(f"expert {number}" for number in range(levels.shape[1])),
        levels=levels,
        panel=np.nanmean(levels, axis=1),
        people=() if people is None else tuple(f"person {number}" for number in range(people.shape[1])),
        labels=people,
    )


def noisy(truth: np.ndarray, *, share: float, generator: np.random.Generator) -> np.ndarray:
    return np.where(generator.random(len(truth)) < share, generator.choice(STEPS, len(truth)), truth)


def test_judges_stand_beside_people_and_people_beside_each_other() -> None:
    generator = np.random.default_rng(3)
    truth = generator.choice(STEPS, 120)
    experts = np.stack([noisy(truth, share=share, generator=generator) for share in (0.1, 0.3, 0.9)], axis=1)
    people = np.stack([noisy(truth, share=0.2, generator=generator) for _ in range(3)], axis=1)
    people[60:, 1] = NAN
    found = measure_axis(ratings(experts, people=people), seed="run", resamples=200)

    assert (found.sessions, found.rated_by_people, len(found.experts), len(found.people)) == (120, 120, 3, 3)
    assert found.alpha.interval is not None
    assert found.alpha.interval.low < (found.alpha.value or 0) < found.alpha.interval.high
    by_name = {one.judge: one for one in found.against_people}
    assert list(by_name) == ["expert 0", "expert 1", "expert 2", PANEL]
    consensus = np.nanmean(people, axis=1)
    for number, name in enumerate(("expert 0", "expert 1", "expert 2")):
        one, said = by_name[name], experts[:, number]
        assert one.spearman.value == pytest.approx(stats.spearmanr(said, consensus).statistic)
        assert one.mean_error == pytest.approx(np.abs(said - consensus).mean())
        assert one.bias == pytest.approx((said - consensus).mean())
        label = nearest_level(consensus, steps=STEPS)
        # quadratic kappa from its definition: squares apart, over squares apart by chance
        apart = ((said - label) ** 2).mean() / ((said[:, None] - label[None, :]) ** 2).mean()
        assert one.kappa.value == pytest.approx(1 - apart)
        assert one.weight is not None
        assert one.weight.weight == pytest.approx(max(0.0, one.weight.kappa or 0.0)) or one.weight.is_gated_out
    assert by_name["expert 0"].stand_in[0].may_stand_in
    assert not by_name["expert 2"].stand_in[0].may_stand_in
    assert by_name["expert 2"].weight is not None
    assert by_name[PANEL].weight is None
    assert found.people_kappa is not None
    assert 0.4 < found.people_kappa < 0.95
    weights = learnt_weights([ratings(experts, people=people)])
    assert weights["expert 0", "goal_completion"].weight > weights["expert 1", "goal_completion"].weight
    assert learnt_weights([ratings(experts[:29], people=people[:29])]) == {}
    assert learnt_weights([ratings(experts, people=np.full((120, 1), 100.0))]) == {}


def test_agreement_with_nobody_is_undefined_and_low_agreement_is_told_from_twenty_sessions_on() -> None:
    alone = measure_axis(ratings(np.array([[50.0], [75.0]])), seed="s", resamples=0)
    assert (alone.alpha.value, alone.experts, alone.against_people, alone.people_kappa) == (None, (), (), None)
    same = measure_axis(ratings(np.full((30, 2), 75.0)), seed="s", resamples=50)
    assert (same.alpha.value, str(same.alpha.undefined), same.is_low) == (None, "no_variation", False)

    generator = np.random.default_rng(4)
    chance = generator.choice(STEPS, (40, 3))
    low = measure_axis(ratings(chance), seed="s", resamples=0)
    few = measure_axis(ratings(chance[:19]), seed="s", resamples=0)
    assert low_axes({"a": low, "b": few, "c": same}) == ("a",)
    assert low.to_json()["alpha_ordinal"]["value"] == low.alpha.value
    assert same.to_json()["alpha_ordinal"] == {
        "value": None,
        "low": None,
        "high": None,
        "n": 30,
        "undefined": "no_variation",
    }


def test_published_verdicts_of_a_judge_have_their_published_kappa_here_too() -> None:
    """DevAI: of two levels, the quadratic kappa is the plain one; weights are log odds of being right."""
    for agent, (share, kappa) in {
        "MetaGPT": (0.9208, 0.775),
        "GPT-Pilot": (0.8661, 0.730),
        "OpenHands": (0.9016, 0.800),
    }.items():
        people, judge = (devai()[agent] * 100).T
        one = measure_axis(
            ratings(judge[:, None], people=people[:, None], steps=(0.0, 100.0)), seed=agent, resamples=0
        ).against_people[0]
        assert one.kappa.value == pytest.approx(kappa, abs=5e-4)
        assert one.mean_error == pytest.approx(100 * (1 - share), abs=5e-3)
        assert one.weight is not None
        assert one.weight.weight == pytest.approx(math.log(share / (1 - share)), abs=0.1)


def test_judges_stand_beside_what_the_length_of_a_session_tells() -> None:
    generator = np.random.default_rng(6)
    labels = generator.integers(0, 2, 200).astype(float)
    labels[:20] = NAN
    judge = np.where(generator.random(200) < 0.8, labels * 100, 50.0)
    length = 1000 - 300 * np.nan_to_num(labels) + generator.normal(0, 400, 200)
    found = predict(
        labels, by=Labelled.OUTCOMES, judges={PANEL: judge}, baselines={"length": length}, seed="s", resamples=100
    )

    known = ~np.isnan(labels)
    wins = stats.mannwhitneyu(-length[known & (labels == 1)], -length[known & (labels == 0)]).statistic
    [baseline] = found.baselines
    assert (baseline.direction, found.good + found.bad) == (Direction.LOWER, 180)
    assert baseline.area.value == pytest.approx(wins / found.good / found.bad)
    assert found.is_above_baselines(PANEL) is True
    assert found.is_above_baselines("nobody") is None
    worse = predict(
        labels, by=Labelled.OUTCOMES, judges={PANEL: length}, baselines={"length": length}, seed="s", resamples=0
    )
    assert worse.is_above_baselines(PANEL) is False
    assert (found.note, found.to_json()["baselines"][0]["direction"]) == (None, "lower")


def test_likes_tell_from_ten_of_each_on_and_that_they_are_not_everybodys() -> None:
    thumbs = [liked(1, 0)] * 10 + [liked(0, 2)] * 9 + [liked(1, 1), liked(0, 0)]
    scores = np.linspace(100, 0, 21)
    few = predict(np.array(thumbs), by=Labelled.LIKES, judges={PANEL: scores}, baselines={}, seed="s", resamples=0)
    enough = predict(
        np.array([*thumbs, 0.0]), by=Labelled.LIKES, judges={PANEL: np.append(scores, 0)}, baselines={}, seed="s"
    )

    assert (few.is_enough, few.good, few.bad, few.judges) == (False, 10, 9, ())
    assert (enough.is_enough, enough.judges[0].area.value) == (True, 1.0)
    assert enough.note is not None
    assert "Only those who cared" in enough.note
    assert [succeeded(one) for one in ({"reward": 0.5}, {"success": False, "reward": 1.0}, {"reward": 1})] == [0, 0, 1]
    assert math.isnan(succeeded({"source": "nobody"}))


def test_an_expert_is_held_against_itself_on_the_sessions_that_it_judged_twice() -> None:
    def judged(levels: list[float], *, names: str) -> dict[str, list[Cell]]:
        return {
            name: [
                Cell(
                    expert_id="outcome",
                    sample=0,
                    variant="plain",
                    status="ok",
                    verdicts={"goal_completion": CellVerdict(CellState.SCORED, level)},
                    cost_usd=Decimal(0),
                )
            ]
            for name, level in zip(names, levels, strict=True)
        }

    owners = {"goal_completion": ["outcome"], "efficiency": ["operator"]}
    before = rate(judged([75, 50, 100, 25, 0], names="ABCDE"), owners=owners)
    now = rate(judged([75, 75, 100, 50, 0], names="ABCDF"), owners={"goal_completion": ["outcome", "new"]})
    [found] = moved(before, now)

    assert (found.expert_id, found.drift.items, found.drift.shift, found.drift.alarms) == ("outcome", 4, 12.5, ())
    assert found.to_json()["low"] == pytest.approx(-10.47, abs=5e-3)
    assert found.to_json()["high"] == pytest.approx(35.47, abs=5e-3)
