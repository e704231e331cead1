import pytest

from eval_pipeline.standins.limits import RateLimiter, RateLimits, duration


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_requests_over_the_limit_wait_for_the_refill() -> None:
    clock = Clock()
    limiter = RateLimiter(RateLimits(requests=2, window_s=10), clock=clock)

    assert [limiter.admit(1), limiter.admit(1), limiter.admit(1)] == [0, 0, 5]
    clock.now_s += 5
    assert [limiter.admit(1), limiter.admit(1)] == [0, 5]


def test_tokens_have_a_bucket_of_their_own() -> None:
    limiter = RateLimiter(RateLimits(tokens=100, window_s=10), clock=Clock())

    assert [limiter.admit(80), limiter.admit(40)] == [0, pytest.approx(2)]


def test_the_headers_tell_what_is_left_and_when_all_is_back() -> None:
    limiter = RateLimiter(RateLimits(requests=10, tokens=1000, window_s=10), clock=Clock())
    limiter.admit(500)

    assert limiter.headers() == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "500",
        "x-ratelimit-reset-tokens": "5s",
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0121, "13ms"), (1, "1s"), (1.5, "1.5s"), (360, "6m0s"), (90.25, "1m30.25s")],
)
def test_times_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
