from datetime import UTC, datetime

import pytest

from eval_pipeline.providers.headers import content_type, duration_s, retry_after_s

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:45 GMT"}, 45.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999999999"}, None),
        ({}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, None),
        ({"x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "2s"}, None),
    ],
)
def test_the_wait_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, http_status=429, now=NOW) == seconds


def test_a_limits_reset_says_nothing_about_a_server_error() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}

    assert retry_after_s(headers, http_status=500, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h2m3s", 3723.0), ("20ms", 0.02), ("1m", 60.0), ("", None), ("1.2.3s", None), ("5", None)]
)
def test_durations_are_read_as_openai_writes_them(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_a_content_type_is_read_without_its_parameters() -> None:
    assert content_type({"content-type": "Text/HTML; charset=utf-8"}) == "text/html"
