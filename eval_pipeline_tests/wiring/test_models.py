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


EVERY_KEY = Credentials(
    langfuse_base_url="http://127.0.0.1:9",
    base_urls={Provider.OPENAI: "http://127.0.0.1:9/v1", Provider.GEMINI: "http://127.0.0.1:9"},
    api_keys={Provider.OPENAI: "sk-secret", Provider.GEMINI: "AIza-secret"},
)


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_is_reached_in_its_own_way_and_shows_no_key(provider: Provider) -> None:
    connection = models.open_connection(provider, EVERY_KEY, settings=SETTINGS, concurrency=2)
    batches = models.open_batches(provider, EVERY_KEY, settings=SETTINGS)
    endpoint = models.endpoint(EVERY_KEY, provider=provider, model="m")

    parts = (connection, batches, models.answerer(connection), models.transcriber(connection, host=None))
    for part in (*parts, models.embedder(connection, model="m", dimensions=None)):
        assert provider.value in type(part).__module__
    assert endpoint.provider.lower() == provider
    assert "secret" not in f"{parts!r}{endpoint!r}"
    batches.close()


@pytest.mark.parametrize("provider", Provider)
def test_a_speech_model_goes_out_in_batches_only_where_they_take_clips(provider: Provider) -> None:
    expected = RunMode.BATCH if provider is Provider.GEMINI else RunMode.FAST

    assert models.speech_mode(provider, mode=RunMode.BATCH) is expected
    assert models.speech_mode(provider, mode=RunMode.FAST) is RunMode.FAST


@pytest.mark.parametrize(
    ("provider", "path", "line"),
    [
        (Provider.OPENAI, "/v1/responses", b'"input":"Why?"'),
        (Provider.GEMINI, "models/m:batchGenerateContent", b'{"text":"Why?"}'),
    ],
)
def test_questions_go_out_in_the_lines_of_their_provider(provider: Provider, path: str, line: bytes) -> None:
    form = models.answer_form(provider, body={"model": "m"})

    assert form.endpoint == path
    assert line in form.lines.line("q1#1", "Why?")
    assert form.lines.line("q1#1", "Why?").endswith(b"}\n")


@pytest.mark.parametrize(
    ("provider", "path", "dimensions"),
    [
        (Provider.OPENAI, "/v1/embeddings", b'"dimensions":256'),
        (Provider.GEMINI, "models/m:asyncBatchEmbedContent", b"256"),
    ],
)
def test_texts_go_out_in_the_lines_of_their_provider(provider: Provider, path: str, dimensions: bytes) -> None:
    form = models.vector_form(provider, model="m", dimensions=256)

    assert form.endpoint == path
    assert dimensions in form.lines.line("t1", "text")
    assert dimensions not in models.vector_form(provider, model="m", dimensions=None).lines.line("t1", "text")


def test_only_gemini_keeps_clips_and_takes_them_in_batches() -> None:
    host = models.open_file_host(Provider.GEMINI, EVERY_KEY, settings=SETTINGS)

    assert host is not None
    assert models.open_file_host(Provider.OPENAI, EVERY_KEY, settings=SETTINGS) is None
    assert models.transcription_endpoint("gemini-2.5-flash") == "models/gemini-2.5-flash:batchGenerateContent"
    assert {Provider.GEMINI} == models.SPEECH_BATCHES
    host.close()


def test_gemini_has_two_days_for_a_batch_and_openai_one() -> None:
    one, two = (models.batch_policy(SETTINGS, provider=provider) for provider in (Provider.OPENAI, Provider.GEMINI))

    assert two.window_s == 2 * one.window_s == 2 * 86_400


def test_gemini_takes_two_days_and_keeps_its_files_as_long() -> None:
    openai, gemini = (models.batch_policy(SETTINGS, provider=provider) for provider in Provider)

    assert (openai.window_s, openai.results_kept_s) == (86_400, 30 * 86_400)
    assert (gemini.window_s, gemini.results_kept_s) == (172_800, 172_800)
    assert gemini.expiry_warning_s < gemini.results_kept_s
