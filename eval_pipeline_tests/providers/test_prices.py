import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.ports import Price
from eval_pipeline.core.runs import RunMode
from eval_pipeline.providers.prices import PublishedPrices

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
