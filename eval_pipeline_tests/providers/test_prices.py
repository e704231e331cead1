import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode
from eval_pipeline.providers.prices import ANTHROPIC, GOOGLE, PublishedPrices

AT = datetime(2026, 11, 1, tzinfo=UTC)
USAGE = Usage(input=1000, cached_input=200, output=500, reasoning=100, total=1500)


def price(model: str, *, mode: RunMode = RunMode.FAST, usage: Usage = USAGE) -> Price | None:
    return PublishedPrices().price(model=model, usage=usage, mode=mode, at=AT)


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o", "GPT-4o"])
def test_a_model_is_found_by_any_of_its_names(model: str) -> None:
    # 800 at 2.50, 200 cached at 1.25, 500 at 10.00 dollars a million
    assert price(model) == Price(usd=Decimal("0.00725"), rate="standard")


def test_batch_jobs_have_their_own_rate() -> None:
    assert price("gpt-4o-mini", mode=RunMode.BATCH, usage=Usage(input=1_000_000, total=1_000_000)) == Price(
        usd=Decimal("0.075"), rate="batch"
    )


def test_embeddings_in_a_batch_cost_half_and_it_is_said_how_that_was_found() -> None:
    usage = Usage(input=1_000_000, total=1_000_000)

    assert price("text-embedding-3-small", usage=usage) == Price(usd=Decimal("0.02"), rate="standard")
    assert price("text-embedding-3-small", mode=RunMode.BATCH, usage=usage) == Price(
        usd=Decimal("0.01"), rate="batch (half of standard)"
    )


def test_a_model_without_a_batch_rate_costs_the_standard_one_and_says_so() -> None:
    found = price("gpt-4o-audio-preview", mode=RunMode.BATCH)

    assert found is not None
    assert found.rate == "standard (no batch rate is published)"


@pytest.mark.parametrize("model", ["my-own-model", "", "a/b", "openai/", "/gpt-4o", "gpt-4o-my-own"])
def test_a_model_without_a_published_price_has_none_and_not_zero(model: str) -> None:
    assert price(model) is None


def test_no_tokens_cost_nothing() -> None:
    found = price("gpt-4o", usage=Usage())

    assert found is not None
    assert found.usd == 0


def test_more_cached_tokens_than_tokens_are_no_error() -> None:
    assert price("gpt-4o", usage=Usage(input=5, cached_input=9, total=5)) is not None


def test_prices_are_the_bundled_ones_and_nothing_fetches_newer_ones() -> None:
    price("gpt-4o")

    assert sys.modules["genai_prices.data_snapshot"]._custom_snapshot is None


def google(model: str, *, mode: RunMode = RunMode.FAST, usage: Usage = USAGE) -> Price | None:
    return PublishedPrices(GOOGLE).price(model=model, usage=usage, mode=mode, at=AT)


MILLION = Usage(input=1_000_000, total=1_000_000)
HEARD = Usage(input=1_000_000, audio_input=900_000, total=1_000_000)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "models/gemini-2.5-flash", "gemini-2.5-flash-001"])
def test_a_gemini_model_is_found_by_any_of_its_names(model: str) -> None:
    assert google(model, usage=MILLION) == Price(usd=Decimal("0.3"), rate="standard")


def test_audio_is_priced_at_its_own_rate() -> None:
    # 100,000 at 0.30 and 900,000 at 1.00 dollars a million
    assert google("gemini-2.5-flash", usage=HEARD) == Price(usd=Decimal("0.93"), rate="standard")


def test_audio_costs_what_text_does_where_the_model_makes_no_difference() -> None:
    assert google("gemini-2.5-pro", usage=HEARD) == google("gemini-2.5-pro", usage=MILLION)


def test_a_gemini_batch_has_the_tables_batch_rate_or_half_and_it_is_said_which() -> None:
    heard = google("gemini-2.5-flash", mode=RunMode.BATCH, usage=HEARD)
    newer = google("gemini-3-pro-preview", mode=RunMode.BATCH, usage=MILLION)
    vectors = google("gemini-embedding-001", mode=RunMode.BATCH, usage=MILLION)

    assert heard == Price(usd=Decimal("0.465"), rate="batch")
    assert newer is not None
    assert newer.rate == "batch (half of standard)"
    assert vectors == Price(usd=Decimal("0.075"), rate="batch (half of standard)")


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "deepseek-chat", "gemma-3-27b-it", "gemini-99", ""])
def test_nothing_is_priced_as_another_sellers_or_as_free(model: str) -> None:
    assert google(model) is None


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe"])
def test_what_is_billed_by_the_second_has_no_price_of_tokens(model: str) -> None:
    assert price(model) is None


def test_no_model_of_another_name_is_taken_for_a_gemini_one() -> None:
    found = price("gpt-4o-audio-preview", mode=RunMode.BATCH)

    assert found is not None
    assert "half" not in found.rate


def test_claude_is_charged_for_what_its_cache_gives_and_takes_and_half_of_all_in_a_batch() -> None:
    usage = Usage(input=1_000_000, cached_input=200_000, output=10_000, cache_written=300_000, cache_written_1h=100_000)
    prices = PublishedPrices(ANTHROPIC)
    live = prices.price(model="claude-sonnet-5", usage=usage, mode=RunMode.FAST, at=AT)
    batch = prices.price(model="claude-sonnet-5", usage=usage, mode=RunMode.BATCH, at=AT)

    # 500,000 at 2, 200,000 read at 0.20, 200,000 written at 2.50, 100,000 for an hour at 4, 10,000 at 10 dollars
    assert live == Price(usd=Decimal("2.04"), rate="standard")
    assert batch == Price(usd=Decimal("1.02"), rate="batch")


@pytest.mark.parametrize(
    ("address", "model", "usd"),
    [
        ("https://openrouter.ai/api/v1", "google/gemini-2.5-flash", "2.8"),
        ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile", "1.38"),
        ("https://api.groq.com/openai/v1", "gpt-4o-mini", None),
        ("https://api.openai.com/v1", "gpt-4o-mini", "0.75"),
        ("http://127.0.0.1:4000/v1", "gpt-4o-mini", "0.75"),
        ("http://127.0.0.1:4000/v1", "openai/gpt-4o-mini", "0.75"),
        ("http://127.0.0.1:11434/v1", "gpt-oss-20b", None),
        ("http://127.0.0.1:11434/v1", "gemma3", None),
        ("http://127.0.0.1:11434/v1", "deepseek-chat", None),
        ("http://gpu-1:8000/v1", "llama-3.3-70b-versatile", None),
        ("http://gpu-1:8000/v1", "google/gemma-3-27b-it", None),
    ],
)
def test_at_an_address_the_list_of_its_owner_holds_and_own_machines_are_on_none(
    address: str, model: str, usd: str | None
) -> None:
    usage = Usage(input=1_000_000, output=1_000_000, total=2_000_000)

    found = PublishedPrices(address=address).price(model=model, usage=usage, mode=RunMode.FAST, at=AT)

    assert found == (None if usd is None else Price(usd=Decimal(usd), rate="standard"))
