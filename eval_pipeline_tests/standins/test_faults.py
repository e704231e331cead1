import pytest

from eval_pipeline.standins.faults import FaultKind, FaultPlan, FaultRule, FaultRuleError, read_rules

TEXTS = [f"question {number}" for number in range(2000)]


def hits(rule: FaultRule, texts: list[str]) -> list[str]:
    plan = FaultPlan([rule])
    return [text for text in texts if plan.choose("responses", [text])]


def test_a_share_hits_about_that_share_and_the_same_inputs_in_any_order() -> None:
    rule = FaultRule(kind=FaultKind.RATE_LIMIT, share=0.2)

    forwards, backwards = hits(rule, TEXTS), hits(rule, TEXTS[::-1])

    assert 330 <= len(forwards) <= 470
    assert sorted(forwards) == sorted(backwards)


def test_a_share_is_drawn_again_at_the_next_attempt_unless_it_is_sticky() -> None:
    fickle = FaultPlan([FaultRule(kind=FaultKind.RATE_LIMIT, share=0.5)])
    sticky = FaultPlan([FaultRule(kind=FaultKind.RATE_LIMIT, share=0.5, sticky=True)])

    def outcomes(plan: FaultPlan) -> set[tuple[bool, ...]]:
        return {tuple(plan.choose("responses", [text]) is not None for _ in range(4)) for text in TEXTS[:50]}

    assert len(outcomes(fickle)) > 2
    assert outcomes(sticky) == {(True,) * 4, (False,) * 4}


def test_another_seed_hits_other_inputs() -> None:
    first = hits(FaultRule(kind=FaultKind.RESET, share=0.2), TEXTS)
    second = hits(FaultRule(kind=FaultKind.RESET, share=0.2, seed=1), TEXTS)

    assert first != second


def test_times_bounds_the_hits_of_one_input_and_first_n_those_of_all() -> None:
    twice = FaultPlan([FaultRule(kind=FaultKind.SERVER_ERROR, times=2)])
    three = FaultPlan([FaultRule(kind=FaultKind.SERVER_ERROR, first_n=3)])

    assert [bool(twice.choose("responses", ["a"])) for _ in range(4)] == [True, True, False, False]
    assert twice.choose("responses", ["b"])
    assert [bool(three.choose("responses", [text])) for text in "abcde"] == [True, True, True, False, False]


def test_a_matching_input_is_recognised_in_whatever_pack_it_comes() -> None:
    plan = FaultPlan([FaultRule(kind=FaultKind.BAD_REQUEST, match="bad", times=1)])

    assert plan.choose("embeddings", ["good", "a bad one"])
    assert not plan.choose("embeddings", ["a bad one", "another good one"])
    assert not plan.choose("embeddings", ["good"])


def test_a_rule_leaves_other_endpoints_alone_and_the_first_rule_that_hits_wins() -> None:
    plan = FaultPlan(
        [
            FaultRule(kind=FaultKind.NAN, endpoint="embeddings"),
            FaultRule(kind=FaultKind.RESET, match="x"),
            FaultRule(kind=FaultKind.REFUSAL),
        ],
    )

    chosen = [plan.choose("responses", [text]) for text in ("x", "y")]

    assert [rule.kind for rule in chosen if rule] == [FaultKind.RESET, FaultKind.REFUSAL]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "reset"},
        ["reset"],
        [{"kind": "earthquake"}],
        [{"kind": "reset", "sahre": 0.5}],
        [{"kind": "reset", "share": 1.5}],
        [{"kind": "reset", "share": "half"}],
        [{"kind": "reset", "times": -1}],
        [{"kind": "reset", "times": 1.5}],
        [{"kind": "reset", "sticky": 1}],
        [{"kind": "reset", "match": 3}],
    ],
)
def test_rules_that_cannot_be_understood_are_refused(document: object) -> None:
    with pytest.raises(FaultRuleError):
        read_rules(document)


def test_null_in_a_rule_means_the_default() -> None:
    assert read_rules([{"kind": "reset", "match": None, "times": None}]) == [FaultRule(kind=FaultKind.RESET)]
