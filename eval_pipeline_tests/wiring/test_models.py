from decimal import Decimal

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.providers import Provider
from eval_pipeline.core.runs import RunMode
from eval_pipeline.wiring import models
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.settings import Settings

SETTINGS = Settings.from_environment({"EVAL_RETRY_MAX_ATTEMPTS": "7", "EVAL_ITEM_TIME_BUDGET_SECONDS": "90"})


def _credentials(key: str | None = "sk-secret") -> Credentials:
    return Credentials(
        langfuse_base_url="http://127.0.0.1:9",
        base_urls={Provider.OPENAI: "http://127.0.0.1:9/v1", Provider.GEMINI: "http://127.0.0.1:9"},
        api_keys={} if key is None else {Provider.OPENAI: key},
    )


def test_a_connection_needs_a_key_and_says_which_variable_gives_it() -> None:
    with pytest.raises(UsageError) as raised:
        models.open_connection(Provider.OPENAI, _credentials(None), settings=SETTINGS, concurrency=1)

    assert raised.value.code == "missing_api_key"
    assert "OPENAI_API_KEY" in raised.value.hint


def test_an_endpoint_is_named_in_the_words_of_its_configuration() -> None:
    endpoint = models.endpoint(_credentials(), provider=Provider.OPENAI, model="gpt-5")

    assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:9/v1", "gpt-5")
    assert (endpoint.key_variable, endpoint.url_variable) == ("OPENAI_API_KEY", "OPENAI_BASE_URL")
    assert "sk-secret" not in repr(endpoint)


def test_patience_comes_from_the_settings() -> None:
    policy = models.retry_policy(SETTINGS)

    assert (policy.max_attempts, policy.time_budget_s) == (7, 90)


def test_a_budget_counts_what_was_spent_before() -> None:
    budget = models.budget(0.1, spent_usd=Decimal("0.07"))

    assert budget is not None
    assert budget.fits(Decimal("0.03"))
    assert not budget.fits(Decimal("0.0300001"))


def test_without_limit_there_is_no_budget() -> None:
    assert models.budget(None, spent_usd=Decimal(1)) is None


def test_a_tariff_is_of_the_model_and_mode() -> None:
    tariff = models.tariff(Provider.OPENAI, "gpt-4o-mini", mode=RunMode.FAST)

    assert (tariff.model, tariff.mode) == ("gpt-4o-mini", RunMode.FAST)
