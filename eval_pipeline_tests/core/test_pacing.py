from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.pacing import Pace


def throttled(pace: Pace, *, called_at_s: float, now_s: float, retry_after_s: float | None = None) -> Pace:
    return pace.after_throttle(called_at_s=called_at_s, now_s=now_s, retry_after_s=retry_after_s)


def test_it_begins_at_the_concurrency_that_was_asked_for() -> None:
    assert Pace.start(10).slots == 10


def test_too_many_halves_it() -> None:
    assert throttled(Pace.start(10), called_at_s=0, now_s=1).slots == 5


def test_a_burst_of_refusals_is_one_signal() -> None:
    pace = Pace.start(16)
    for _ in range(16):
        pace = throttled(pace, called_at_s=0, now_s=1)

    assert pace.slots == 8


def test_a_refusal_of_a_later_call_is_another_signal() -> None:
    pace = throttled(Pace.start(16), called_at_s=0, now_s=1)

    assert throttled(pace, called_at_s=1.5, now_s=2).slots == 4


def test_it_grows_by_one_call_a_round_up_to_the_ceiling() -> None:
    pace = throttled(Pace.start(8), called_at_s=0, now_s=1)
    for _ in range(5):
        pace = pace.after_success()
    grown = pace.slots
    for _ in range(100):
        pace = pace.after_success()

    assert (grown, pace.slots) == (4, 8) or (grown, pace.slots) == (5, 8)


def test_the_longest_pause_that_was_asked_for_holds() -> None:
    pace = throttled(Pace.start(4), called_at_s=0, now_s=10, retry_after_s=30)
    pace = throttled(pace, called_at_s=0, now_s=11, retry_after_s=1)

    assert pace.resume_at_s == 40


@given(st.integers(1, 100), st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=60))
def test_there_is_always_at_least_one_call_and_never_more_than_the_ceiling(
    ceiling: int, events: list[float | None]
) -> None:
    pace = Pace.start(ceiling)
    for at_s, event in enumerate(events):
        pace = pace.after_success() if event is None else throttled(pace, called_at_s=at_s, now_s=at_s + event)

        assert 1 <= pace.slots <= ceiling
