"""Secrets that come back in any form and place, and ordinary words that stay."""

import traceback
from datetime import UTC, datetime

import pytest

from eval_pipeline.core.batches import LineError, Phase, ProviderBatch
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError, Served
from eval_pipeline.core.secrets import (
    excerpt,
    holds_secret,
    know_secrets,
    label,
    redact,
    redact_bytes,
    secrets_in_url,
    without_secrets,
)

KEY = "sk-proj-a/b+c=0123456789"


@pytest.fixture(autouse=True)
def _known() -> None:
    know_secrets([KEY])


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        KEY.upper(),
        KEY.lower(),
        "sk-proj-a%2Fb%2Bc%3D0123456789",
        "sk-proj-a/b%2Bc%3D0123456789",
        "sk-proj-a\\/b+c=0123456789",
    ],
)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    assert redact(f"({form})") == "([key])"
    assert holds_secret(form)


def test_a_secret_is_found_in_a_long_text_of_any_script() -> None:
    text = "नमस्ते " * 2_000 + KEY

    assert redact(text).endswith("नमस्ते [key]")
    assert redact_bytes(text.encode()).endswith(b"[key]")


def test_a_secret_that_ends_otherwise_in_lower_case_is_found_in_a_short_text() -> None:
    know_secrets(["κωδικός-ΑΣ"])

    assert redact("see κωδικός-ΑΣω") == "see [key]ω"
    assert redact("too short") == "too short"


def test_short_secrets_and_ordinary_words_stay() -> None:
    know_secrets(["none", "test", "", None, "postgres", "password"])

    text = "the latest test: none of the postgres passwords"
    assert redact(text) == text
    assert redact_bytes(text.encode()) == text.encode()


def test_no_half_of_a_secret_stays_where_a_text_is_cut() -> None:
    for most in range(1, 60):
        assert "sk-" not in excerpt(f"see {KEY} {KEY} there", most=most).replace("[key", "")
        assert "sk-" not in shown("x" * most + KEY)
        assert "sk-" not in label(f"see {KEY} {KEY} there", most=most)


def test_errors_and_records_hold_no_secret_in_any_field() -> None:
    error = UsageError(f"a {KEY}", code=f"b {KEY}", hint=f"c {KEY}")
    item = ItemError(code=KEY, type=KEY, message=KEY, transient=False)
    served = Served(tier=f"flex {KEY}", tools=((f"search {KEY}", 1),))
    attempt = Attempt(AttemptOutcome.OK, text=KEY, response_id=KEY, model=KEY, raw=KEY, error=item, served=served)
    batch = ProviderBatch(
        id="batch_1",
        phase=Phase.FAILED,
        status=KEY,
        key=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        errors=(LineError(code=KEY, message=KEY),),
    )

    for made in (error, error.args, error.message, error.code, error.hint, item, attempt, batch):
        assert KEY not in f"{made} {made!r}"
    assert ProviderBatch(KEY, Phase.WORKING, "", None, None).repeats_secret


class _VendorError(Exception):
    """Shows what it holds besides its arguments."""

    def __str__(self) -> str:
        return f"401 {KEY}"


def test_an_exception_is_stored_without_secrets_and_without_causes_that_hold_some() -> None:
    error, cause = RuntimeError("outermost"), ValueError(f"with {KEY}")
    error.__cause__, cause.__cause__ = cause, _VendorError()

    told = "".join(traceback.format_exception(without_secrets(error)))
    assert "outermost" in told
    assert "with [key]" in told
    assert KEY not in told
    assert str(without_secrets(_VendorError())) == "_VendorError: 401 [key]"


def test_what_is_secret_of_an_address() -> None:
    address = "https://me:p%40ssw0rd-1@gateway.example/v1/0a1b2c3d4e5f60718293/openai-compatible/models"

    assert list(secrets_in_url(address)) == ["p%40ssw0rd-1", "p@ssw0rd-1", "0a1b2c3d4e5f60718293"]
    assert list(secrets_in_url("http://[x")) == []
