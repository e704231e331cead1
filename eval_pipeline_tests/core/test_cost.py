from datetime import UTC, datetime
from decimal import Decimal

import pytest

from eval_pipeline.core.cost import (
    Costs,
    Experience,
    StageCost,
    Tariff,
    estimate_tokens,
    estimate_usage,
    first_usage,
    worst_usage,
)
from eval_pipeline.core.outcomes import PLAINLY, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode

USAGE = Usage(input=10, cached_input=4, output=6, reasoning=2, total=16)


def dollars(amount: str) -> Price:
    return Price(usd=Decimal(amount), rate="standard")


def test_costs_add_up_exactly() -> None:
    cost = StageCost()
    for _ in range(10):
        cost = cost.plus(USAGE, dollars("0.1"), model="gpt-4o")

    assert cost.cost_usd == Decimal("1.0")
    assert cost.usage == Usage(input=100, cached_input=40, output=60, reasoning=20, total=160)


@pytest.mark.parametrize(("usage", "price"), [(USAGE, None), (None, dollars("1")), (None, None)])
def test_one_call_of_unknown_cost_makes_the_sum_unknown(usage: Usage | None, price: Price | None) -> None:
    cost = StageCost().plus(USAGE, dollars("1"), model="gpt-4o").plus(usage, price, model="gpt-4o")

    assert cost.cost_usd is None
    assert cost.unpriced == 1
    assert Costs.of({"first": StageCost(priced_usd=Decimal(3)), "second": cost}).cost_usd is None


def test_nothing_done_costs_nothing() -> None:
    assert StageCost().cost_usd == 0
    assert Costs.of({}).cost_usd == 0


def test_the_read_model_names_every_stage_and_the_total() -> None:
    response = StageCost().plus(USAGE, dollars("0.25"), model="gpt-4o")
    embedding = StageCost().plus(Usage(input=3, total=3), dollars("0.5"), model="text-embedding-3-small")

    assert Costs.of({"response": response, "embedding": embedding}).to_json() == {
        "response": {
            "model": "gpt-4o",
            "input_tokens": 10,
            "cached_input_tokens": 4,
            "output_tokens": 6,
            "reasoning_tokens": 2,
            "total_tokens": 16,
            "cost_usd": 0.25,
            "rate": "standard",
        },
        "embedding": {
            "model": "text-embedding-3-small",
            "input_tokens": 3,
            "cached_input_tokens": 0,
            "output_tokens": 0,
            "reasoning_tokens": 0,
            "total_tokens": 3,
            "cost_usd": 0.5,
            "rate": "standard",
        },
        "total_cost_usd": 0.75,
    }


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("भारत", 6), ("ab é", 2), ("\ud800", 2)]
)
def test_tokens_are_estimated_from_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_an_estimate_counts_what_every_call_repeats() -> None:
    usage = estimate_usage(["a" * 40, "b" * 80], repeated_text="c" * 400, output_tokens=50)

    assert usage == Usage(input=230, output=100, total=330)


def test_a_price_is_that_of_the_model_that_answered_else_of_the_one_that_was_asked() -> None:
    class Book:
        """Knows two models, and of one of them a tier."""

        def price(
            self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY
        ) -> Price | None:
            del usage, mode, at
            tiers = {("gpt-4o", "flex"): "0.5", ("gpt-4o", None): "1", ("gpt-4o-2024-08-06", None): "2"}
            amount = tiers.get((model, served.tier))
            return None if amount is None else dollars(amount)

    tariff = Tariff(Book(), "gpt-4o", RunMode.FAST)
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert tariff.price(USAGE, at=now, returned_model="gpt-4o-2024-08-06") == dollars("2")
    assert tariff.price(USAGE, at=now, returned_model="/models/local") == dollars("1")
    assert tariff.price(USAGE, at=now) == dollars("1")
    assert tariff.price(USAGE, at=now, served=Served("flex")) == dollars("0.5")
    assert tariff.price(USAGE, at=now, returned_model="gpt-4o-2024-08-06", served=Served("flex")) is None
    assert Tariff(Book(), "other", RunMode.FAST).price(USAGE, at=now) is None


def test_the_worst_case_is_every_byte_a_token_and_the_longest_answer_allowed() -> None:
    usage = worst_usage({"max_output_tokens": 100}, body_bytes=1000, experience=Experience())

    assert usage == Usage(input=1064, output=100, total=1164)


@pytest.mark.parametrize("body", [{}, {"max_output_tokens": None}, {"max_output_tokens": 9, "tools": []}])
def test_where_a_bound_must_be_learnt_there_is_none_before_the_first_call(body: dict[str, object]) -> None:
    assert worst_usage(body, body_bytes=10, experience=Experience()) is None
    assert first_usage(body, body_bytes=10).input == 74


def test_experience_bounds_the_output_and_the_input_that_was_never_sent() -> None:
    experience = Experience().after(Usage(input=300, output=80), body_bytes=100).after(USAGE, body_bytes=100)

    assert worst_usage({}, body_bytes=100, experience=experience) == Usage(input=414, output=100, total=514)
