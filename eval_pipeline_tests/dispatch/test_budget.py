import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.errors import IncompleteError, UsageError
from eval_pipeline.core.outcomes import PLAINLY, Attempt, AttemptOutcome, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.runs import RunMode
from eval_pipeline.dispatch.budget import Budget, EmbeddingPurse, ResponsePurse, RoundPurse
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.live import LiveOutcome, LiveRequest, run_live
from eval_pipeline_tests.dispatch.fake_provider import ENDPOINT, SERVER_ERROR, FakeAnswerer, Records, failure
from eval_pipeline_tests.dispatch.virtual_time import run_virtually, virtual_timing
from eval_pipeline_tests.storage.records import a_job

CENT = Decimal("0.01")


class CentATokenBook:
    """Prices of a model that takes a cent a token."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        del mode, at, served
        return Price(usd=CENT * (usage.input + usage.output), rate="standard") if model == "gpt-4o" else None


TARIFF = Tariff(CentATokenBook(), "gpt-4o", RunMode.FAST)


def body_bytes(body: Mapping[str, Any]) -> int:
    return len(body["input"])


def answer(input_tokens: int, output_tokens: int) -> Attempt:
    total = input_tokens + output_tokens
    usage = Usage(input=input_tokens, output=output_tokens, total=total)
    return Attempt(outcome=AttemptOutcome.OK, text="an answer", usage=usage, model="gpt-4o")


def run(answerer: FakeAnswerer, budget: Budget, bodies: list[dict[str, Any]], *, concurrency: int = 4) -> LiveOutcome:
    async def work() -> LiveOutcome:
        return await run_live(
            [LiveRequest(f"q{n}", body) for n, body in enumerate(bodies)],
            answerer=answerer,
            record=Records(),
            policy=RetryPolicy(),
            concurrency=concurrency,
            endpoint=ENDPOINT,
            purse=ResponsePurse(budget, TARIFF, measure=body_bytes),
            timing=virtual_timing(),
        )

    return run_virtually(work())


@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50), st.floats(0.1, 9)),
        min_size=1,
        max_size=30,
    ),
    limit_cents=st.integers(0, 3000),
    concurrency=st.integers(1, 12),
)
def test_a_budget_is_never_overshot(
    sizes: list[tuple[int, int, int, float]], limit_cents: int, concurrency: int
) -> None:
    budget = Budget(limit_usd=limit_cents * CENT)
    bodies = [
        {"input": str(n).rjust(size, "x"), "max_output_tokens": most} for n, (size, most, _, _) in enumerate(sizes)
    ]
    truth = {
        body["input"]: answer(min(size, 50), min(used, most))
        for body, (size, most, used, _) in zip(bodies, sizes, strict=True)
    }
    spent = [Decimal(0)]

    class Model(FakeAnswerer):
        async def ask(self, body: Mapping[str, Any]) -> Attempt:
            await asyncio.sleep(sizes[bodies.index(dict(body))][3])
            usage = truth[body["input"]].usage or Usage()
            spent[0] += CENT * (usage.input + usage.output)
            return truth[body["input"]]

    outcome = run(Model(), budget, bodies, concurrency=concurrency)

    assert spent[0] <= budget.limit_usd
    assert budget.spent_usd == spent[0]
    assert budget.reserved_usd == 0
    assert (outcome.stopped is StopReason.BUDGET) == (outcome.recorded < len(bodies))


def test_a_budget_that_suffices_stops_nothing() -> None:
    answerer = FakeAnswerer(lambda *_: answer(5, 5))

    outcome = run(answerer, Budget(limit_usd=Decimal(100)), [{"input": "hello", "max_output_tokens": 9}] * 20)

    assert outcome == LiveOutcome(recorded=20, ok=20, calls=20, stopped=None)


def test_the_stage_stops_between_items_when_the_next_one_does_not_fit() -> None:
    answerer = FakeAnswerer(lambda *_: answer(5, 5))
    budget = Budget(limit_usd=Decimal("1.50"))

    outcome = run(answerer, budget, [{"input": "hello", "max_output_tokens": 20}] * 50)

    assert outcome.stopped is StopReason.BUDGET
    assert budget.spent_usd == 10 * CENT * outcome.recorded <= budget.limit_usd
    assert budget.spent_usd + (5 + 64 + 20) * CENT > budget.limit_usd


def test_what_was_spent_before_counts() -> None:
    budget = Budget(limit_usd=Decimal(2), spent_usd=Decimal("1.99"))

    outcome = run(FakeAnswerer(lambda *_: answer(5, 5)), budget, [{"input": "hello", "max_output_tokens": 20}])

    assert outcome == LiveOutcome(recorded=0, ok=0, calls=0, stopped=StopReason.BUDGET)


def test_without_an_output_limit_one_call_goes_alone_and_teaches_the_bound() -> None:
    answerer = FakeAnswerer(lambda *_: answer(5, 100))

    run(answerer, Budget(limit_usd=Decimal(1000)), [{"input": "hello"}] * 9, concurrency=4)

    assert sorted(answerer.started_at_s) == [0.0] + [1.0] * 4 + [2.0] * 4


def test_a_call_that_was_lost_counts_at_its_worst() -> None:
    lost = failure("timeout", transient=False, maybe_billed=True)
    budget = Budget(limit_usd=Decimal(10))

    run(FakeAnswerer(lambda *_: lost), budget, [{"input": "hello", "max_output_tokens": 20}])

    assert budget.spent_usd == (5 + 64 + 20) * CENT


def test_a_call_that_the_provider_refused_costs_nothing_and_its_retries_reserve_again() -> None:
    budget = Budget(limit_usd=Decimal(1))

    outcome = run(
        FakeAnswerer(lambda _, turn: SERVER_ERROR if turn < 4 else answer(5, 5)),
        budget,
        [{"input": "hello", "max_output_tokens": 20}],
    )

    assert outcome.calls == 4
    assert budget.spent_usd == 10 * CENT


def test_a_model_without_a_price_is_refused_before_any_call() -> None:
    unknown = Tariff(CentATokenBook(), "my-own-model", RunMode.FAST)

    with pytest.raises(UsageError, match="my-own-model") as caught:
        ResponsePurse(Budget(limit_usd=Decimal(1)), unknown, measure=body_bytes)

    assert caught.value.code == "budget_needs_price"


def test_a_pack_of_texts_is_paid_by_its_bytes_at_most() -> None:
    async def work() -> Budget:
        budget = Budget(limit_usd=Decimal("0.20"))
        purse = EmbeddingPurse(budget, TARIFF)
        first = await purse.reserve(["abcde", "fghij"])
        assert first is not None
        waiting = asyncio.ensure_future(purse.reserve(["klmnopqrstuvwx"]))
        await asyncio.sleep(1)
        assert not waiting.done()
        purse.settle(first, answer(3, 0))
        assert await waiting is not None
        return budget

    budget = run_virtually(work())

    assert (budget.spent_usd, budget.reserved_usd) == (3 * CENT, 14 * CENT)


TEN_REQUESTS = a_job(requests=10, size_bytes=100, model="gpt-4o")
"""A request may cost 10 cents: a token a byte."""


def round_purse(limit: str, *, spent: str = "0", tariff: Tariff = TARIFF) -> RoundPurse:
    def a_token_a_byte(size_bytes: int) -> Usage:
        return Usage(input=size_bytes, total=size_bytes)

    return RoundPurse(limit_usd=Decimal(limit), spent_usd=Decimal(spent), tariff=tariff, bound=a_token_a_byte)


@pytest.mark.parametrize(
    ("limit", "spent", "shards", "fits"),
    [("1", "0", 1, True), ("0.99", "0", 1, False), ("2", "1", 1, True), ("2", "0", 2, True), ("1.99", "0", 2, False)],
)
def test_a_round_of_batches_goes_out_whole_or_not_at_all(limit: str, spent: str, shards: int, fits: bool) -> None:
    purse = round_purse(limit, spent=spent)

    if fits:
        purse.pay([TEN_REQUESTS] * shards, earlier=[])
        return
    with pytest.raises(IncompleteError, match="none of them was sent") as raised:
        purse.pay([TEN_REQUESTS] * shards, earlier=[])
    assert raised.value.code == "budget_exceeded"
    assert "run retry first --max-cost-usd X" in raised.value.hint


def test_the_bytes_of_a_request_are_rounded_up() -> None:
    with pytest.raises(IncompleteError, match=r"10 requests of responses may cost \$1\.100000"):
        round_purse("1").pay([replace(TEN_REQUESTS, size_bytes=101)], earlier=[])


@pytest.mark.parametrize(
    ("earlier", "lost"),
    [
        (replace(TEN_REQUESTS, state=JobState.LOST, outcomes={"expired": 10}), "1.0"),
        (replace(TEN_REQUESTS, state=JobState.COLLECTED, outcomes={"ok": 7, "missing": 3}), "0.3"),
        (replace(TEN_REQUESTS, state=JobState.COLLECTED, outcomes={"ok": 7, "expired": 3}), "0.0"),
        (replace(TEN_REQUESTS, state=JobState.FAILED, outcomes={"failed": 10}), "0.0"),
    ],
)
def test_results_that_nobody_can_price_count_at_their_worst(earlier: BatchJob, lost: str) -> None:
    with pytest.raises(IncompleteError, match=rf"\${lost}00000 of \$0\.900000 is spent"):
        round_purse("0.9").pay([TEN_REQUESTS], earlier=[earlier])


def test_a_round_without_requests_costs_nothing() -> None:
    round_purse("0.5", spent="1").pay([], earlier=[TEN_REQUESTS])


def test_a_round_of_a_model_without_a_price_is_refused() -> None:
    with pytest.raises(UsageError) as raised:
        round_purse("1", tariff=replace(TARIFF, model="unheard-of"))
    assert raised.value.code == "budget_needs_price"
