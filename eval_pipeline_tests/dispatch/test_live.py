import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, BilledCall, ItemRecord, ItemStatus, Usage
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.live import LiveOutcome, LiveRequest, run_live
from eval_pipeline_tests.dispatch.fake_provider import (
    BAD_REQUEST,
    ENDPOINT,
    OK,
    REFUSED_CONNECTION,
    SERVER_ERROR,
    THROTTLED,
    WRONG_KEY,
    FakeAnswerer,
    Records,
    failure,
)
from eval_pipeline_tests.dispatch.virtual_time import run_virtually, virtual_timing


def requests(count: int) -> list[LiveRequest]:
    return [LiveRequest(f"q{n}#1", {"model": "gpt-4o", "input": f"question {n}"}) for n in range(count)]


def run(answerer: FakeAnswerer, *, items: int, records: Records | None = None, **options: Any) -> LiveOutcome:  # noqa: ANN401 - passed on
    options = {"concurrency": 4, "policy": RetryPolicy(), **options}
    dice = options.pop("dice", lambda: 0.5)

    async def work() -> LiveOutcome:
        return await run_live(
            requests(items),
            answerer=answerer,
            record=records or Records(),
            endpoint=ENDPOINT,
            timing=virtual_timing(dice),
            **options,
        )

    return run_virtually(work())


def test_every_item_is_recorded_once() -> None:
    answerer, records = FakeAnswerer(), Records()

    outcome = run(answerer, items=25, records=records)

    assert outcome == LiveOutcome(recorded=25, ok=25, calls=25, stopped=None)
    assert records.records.keys() == {f"q{n}#1" for n in range(25)}


def test_no_more_calls_than_the_concurrency_are_under_way() -> None:
    answerer = FakeAnswerer()

    run(answerer, items=50, concurrency=7)

    assert answerer.most_under_way == 7


def test_the_time_is_items_times_latency_over_concurrency() -> None:
    answerer = FakeAnswerer(latency_s=1.0)

    run(answerer, items=50, concurrency=10)

    assert max(answerer.started_at_s) == pytest.approx(4.0)


def test_an_item_is_durable_before_its_worker_takes_the_next_one() -> None:
    answerer, records = FakeAnswerer(latency_s=0.0), Records(delay_s=5.0)

    run(answerer, items=3, records=records, concurrency=1)

    assert answerer.started_at_s == [0.0, 5.0, 10.0]


def test_items_are_drawn_only_when_a_worker_is_free() -> None:
    drawn: list[int] = []
    answerer = FakeAnswerer()

    def draw() -> Iterator[LiveRequest]:
        for n in range(100):
            drawn.append(n)
            yield LiveRequest(str(n), {"input": str(n)})

    recorded: list[str] = []

    async def record(record: ItemRecord) -> None:
        assert len(drawn) <= len(recorded) + 4
        recorded.append(record.item_id)

    async def work() -> None:
        await run_live(
            draw(),
            answerer=answerer,
            record=record,
            policy=RetryPolicy(),
            concurrency=4,
            endpoint=ENDPOINT,
            timing=virtual_timing(),
        )

    run_virtually(work())
    assert len(drawn) == 100


def test_a_passing_fault_is_tried_again_after_a_growing_pause() -> None:
    answerer, records = FakeAnswerer(lambda _, turn: OK if turn == 4 else SERVER_ERROR, latency_s=0.0), Records()

    run(answerer, items=1, records=records)

    assert answerer.started_at_s == [0.0, 0.5, 1.5, 3.5]  # half of 1, 2, 4: the dice always show 0.5
    assert records.records["q0#1"].attempts == 4
    assert records.records["q0#1"].status is ItemStatus.OK


def test_an_item_that_never_recovers_fails_after_its_last_try() -> None:
    answerer, records = FakeAnswerer(lambda *_: SERVER_ERROR), Records()

    outcome = run(answerer, items=1, records=records, policy=RetryPolicy(max_attempts=3))

    assert outcome.failed == 1
    assert records.records["q0#1"].attempts == 3
    assert records.records["q0#1"].status is ItemStatus.FAILED
    assert not records.records["q0#1"].finished


def test_a_lasting_fault_is_not_tried_again() -> None:
    answerer = FakeAnswerer(lambda *_: BAD_REQUEST)

    outcome = run(answerer, items=8)

    assert outcome == LiveOutcome(recorded=8, ok=0, calls=8, stopped=None)


def test_tokens_of_earlier_attempts_stay_counted() -> None:
    billed = Attempt(
        outcome=AttemptOutcome.RETRYABLE, error=SERVER_ERROR.error, usage=Usage(input=10, output=2, total=12)
    )
    answerer, records = FakeAnswerer(lambda _, turn: OK if turn == 3 else billed), Records()

    run(answerer, items=1, records=records)

    assert records.records["q0#1"].retried == (BilledCall(Usage(input=10, output=2, total=12)),) * 2
    assert records.records["q0#1"].usage == OK.usage


def test_nobody_starts_before_the_moment_that_the_provider_named() -> None:
    busy = failure("rate_limit_exceeded", transient=True, throttled=True, retry_after_s=20.0)
    answerer = FakeAnswerer(lambda text, turn: busy if text == "question 0" and turn == 1 else OK, latency_s=1.0)

    run(answerer, items=30, concurrency=4)

    late = [moment for moment in answerer.started_at_s if moment > 1.0]
    assert min(late) >= 21.0


def test_one_item_with_a_long_pause_does_not_hold_up_the_others() -> None:
    busy = failure("server_error", transient=True, retry_after_s=50.0)
    answerer = FakeAnswerer(lambda text, turn: busy if text == "question 0" and turn == 1 else OK, latency_s=1.0)

    run(answerer, items=20, concurrency=4)

    assert sorted(answerer.started_at_s)[-2] < 8.0
    assert max(answerer.started_at_s) == pytest.approx(51.0)


def test_the_pace_falls_while_the_provider_throttles_and_every_item_still_gets_through() -> None:
    class Limited(FakeAnswerer):
        """Lets two calls a second through."""

        level = 2.0
        filled_at_s = 0.0

        async def ask(self, body: Mapping[str, Any]) -> Attempt:
            answered = await super().ask(body)
            now_s = asyncio.get_running_loop().time()
            self.level = min(2.0, self.level + 2.0 * (now_s - self.filled_at_s))
            self.filled_at_s = now_s
            if self.level < 1.0:
                return THROTTLED
            self.level -= 1.0
            return answered

    answerer = Limited(latency_s=0.1)

    outcome = run(answerer, items=60, concurrency=20, dice=random.Random(1).random)  # noqa: S311 - dice

    assert outcome.ok == 60
    assert outcome.calls < 60 * 2.5


def test_a_provider_that_only_throttles_costs_each_item_its_attempts_and_no_more() -> None:
    answerer = FakeAnswerer(lambda *_: THROTTLED)

    outcome = run(answerer, items=10, policy=RetryPolicy(max_attempts=5))

    assert outcome == LiveOutcome(recorded=10, ok=0, calls=50, stopped=None)


def test_a_wrong_key_stops_the_stage_and_records_nothing() -> None:
    answerer, records = FakeAnswerer(lambda *_: WRONG_KEY), Records()

    with pytest.raises(EvalPipelineError, match="refused the key") as caught:
        run(answerer, items=1000, records=records)

    assert caught.value.code == "provider_auth_failed"
    assert "OPENAI_API_KEY" in caught.value.hint
    assert records.records == {}
    assert answerer.tries.total() <= 5 + 4


def test_two_items_and_a_wrong_key_are_the_accounts_fault_too() -> None:
    with pytest.raises(EvalPipelineError, match="refused the key"):
        run(FakeAnswerer(lambda *_: WRONG_KEY), items=2)


def test_a_single_account_fault_among_answers_is_an_item_failure() -> None:
    records = Records()

    outcome = run(
        FakeAnswerer(lambda text, _: WRONG_KEY if text in {"question 3", "question 9"} else OK),
        items=10,
        records=records,
    )

    assert (outcome.recorded, outcome.ok) == (10, 8)
    assert not records.records["q3#1"].finished


def test_a_remainder_of_account_faults_is_recorded_when_the_account_is_proven() -> None:
    outcome = run(FakeAnswerer(lambda *_: WRONG_KEY), items=2, proven=True)

    assert outcome.recorded == 2


def test_an_address_where_nobody_listens_is_reported_after_three_attempts() -> None:
    answerer = FakeAnswerer(lambda *_: REFUSED_CONNECTION, latency_s=0.0)

    with pytest.raises(EvalPipelineError, match="cannot be reached") as caught:
        run(answerer, items=1000, concurrency=10)

    assert caught.value.code == "provider_unreachable"
    assert "OPENAI_BASE_URL" in caught.value.hint
    assert max(answerer.tries.values()) == 3
    assert max(answerer.started_at_s) < 10.0


def test_what_was_answered_before_the_account_failed_is_kept() -> None:
    records = Records()

    with pytest.raises(EvalPipelineError, match="refused the key"):
        run(FakeAnswerer(lambda text, _: OK if text < "question 3" else WRONG_KEY), items=10, records=records)

    assert sorted(records.records) == ["q0#1", "q1#1", "q2#1"]


def test_a_cancelled_stage_ends_at_an_item_boundary() -> None:
    records = Records()

    outcome = run(
        FakeAnswerer(),
        items=100,
        records=records,
        should_stop=lambda: StopReason.CANCELLED if len(records.records) >= 10 else None,
    )

    assert outcome.stopped is StopReason.CANCELLED
    assert 10 <= outcome.recorded <= 14


def test_a_stop_does_not_wait_for_a_long_pause() -> None:
    busy = failure("rate_limit_exceeded", transient=True, throttled=True, retry_after_s=300.0)

    async def work() -> float:
        loop = asyncio.get_running_loop()
        await run_live(
            requests(10),
            answerer=FakeAnswerer(lambda *_: busy),
            record=Records(),
            policy=RetryPolicy(),
            concurrency=4,
            endpoint=ENDPOINT,
            should_stop=lambda: StopReason.INTERRUPTED if loop.time() > 10.0 else None,
            timing=virtual_timing(),
        )
        return loop.time()

    assert run_virtually(work()) < 12.0


def test_a_given_up_item_whose_tokens_were_billed_is_recorded_as_unfinished() -> None:
    billed = Attempt(
        outcome=AttemptOutcome.RETRYABLE, error=SERVER_ERROR.error, usage=Usage(input=10, output=2, total=12)
    )
    answerer, records = FakeAnswerer(lambda *_: billed), Records()

    run(answerer, items=1, records=records, should_stop=lambda: StopReason.CANCELLED if answerer.tries else None)

    assert records.records["q0#1"].usage == Usage(input=10, output=2, total=12)
    assert not records.records["q0#1"].finished


def test_a_record_that_cannot_be_stored_ends_the_stage_with_that_error() -> None:
    async def full(record: ItemRecord) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run_with(full)


def run_with(record: Callable[[ItemRecord], Awaitable[None]]) -> None:
    async def work() -> None:
        await run_live(
            requests(100),
            answerer=FakeAnswerer(),
            record=record,
            policy=RetryPolicy(),
            concurrency=4,
            endpoint=ENDPOINT,
            timing=virtual_timing(),
        )

    run_virtually(work())


def test_what_an_earlier_record_was_billed_for_is_carried_on() -> None:
    records = Records()
    earlier = (BilledCall(Usage(input=7, total=7), "gpt-4o"),)
    before = ItemRecord("q", ItemStatus.MISSING, retried=earlier, unreported_calls=2, attempts=5)
    resumed = LiveRequest.after(before, item_id="q", body={"input": "x"})

    async def work() -> None:
        await run_live(
            [resumed],
            answerer=FakeAnswerer(),
            record=records,
            policy=RetryPolicy(),
            concurrency=1,
            endpoint=ENDPOINT,
            timing=virtual_timing(),
        )

    run_virtually(work())
    assert records.records["q"].retried == earlier
    assert records.records["q"].unreported_calls == 2
    assert records.records["q"].attempts == 6


LOST = Attempt(outcome=AttemptOutcome.RETRYABLE, error=SERVER_ERROR.error, maybe_billed=True)


def test_a_call_that_was_lost_is_counted_though_a_later_one_succeeds() -> None:
    records = Records()

    run(FakeAnswerer(lambda _, turn: OK if turn == 3 else LOST), items=1, records=records)

    assert records.records["q0#1"].status is ItemStatus.OK
    assert records.records["q0#1"].unreported_calls == 2


def test_a_given_up_item_whose_call_was_lost_is_recorded_as_unfinished() -> None:
    answerer, records = FakeAnswerer(lambda *_: LOST), Records()

    run(answerer, items=1, records=records, should_stop=lambda: StopReason.CANCELLED if answerer.tries else None)

    assert records.records["q0#1"].unreported_calls == 1
    assert not records.records["q0#1"].finished


DAYS_S = 1_000_000.0


def asks_for_days(**facts: bool) -> Attempt:
    """Return a refusal by a provider that wants to be left alone for eleven days."""
    return failure("rate_limit_exceeded", transient=True, retry_after_s=DAYS_S, **facts)


@pytest.mark.parametrize("throttled", [True, False], ids=["429", "503"])
@pytest.mark.parametrize("items", [3, 40])
def test_a_provider_that_asks_for_days_ends_the_run_within_the_time_of_an_item(items: int, throttled: bool) -> None:
    answerer, records = FakeAnswerer(lambda _text, _turn: asks_for_days(throttled=throttled)), Records()

    with pytest.raises(EvalPipelineError) as stopped:
        run(answerer, items=items, records=records, concurrency=8)

    assert stopped.value.code == "provider_told_to_wait"
    assert "1,000,000 s" in stopped.value.message
    assert "600 s (EVAL_ITEM_TIME_BUDGET_SECONDS)" in stopped.value.message
    assert max(answerer.started_at_s) <= 610
    assert records.records == {}, "the retry asks all of them"


def test_a_wish_for_days_that_means_nothing_costs_no_item() -> None:
    answerer = FakeAnswerer(
        lambda text, turn: asks_for_days(throttled=True) if (text, turn) == ("question 3", 1) else OK
    )

    outcome = run(answerer, items=20, concurrency=2)

    assert (outcome.ok, outcome.stopped) == (20, None)
    assert max(answerer.started_at_s) <= 620


def test_one_item_whose_provider_always_asks_for_days_stops_no_other() -> None:
    answerer, records = FakeAnswerer(lambda text, _turn: asks_for_days() if text == "question 3" else OK), Records()

    outcome = run(answerer, items=20, records=records, concurrency=2)

    assert (outcome.ok, outcome.failed, outcome.stopped) == (19, 1, None)
    error = records.records["q3#1"].error
    assert error is not None
    assert "it asks to be left alone for 1,000,000 s" in error.message
    assert not records.records["q3#1"].finished
