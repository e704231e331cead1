"""What a run asks with, built from the endpoints of its project."""

import asyncio
from decimal import Decimal

import pytest

from eval_pipeline.core.endpoints import frozen_of
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.ports.models import Vectors
from eval_pipeline.core.protocols import BUILT_IN, GEMINI, OPENAI, ApiProtocol
from eval_pipeline.core.runs import RunMode
from eval_pipeline.wiring import models
from eval_pipeline.wiring.credentials import read_credentials
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.endpoints import endpoints_of_project
from eval_pipeline.wiring.settings import Settings

SETTINGS = Settings.from_environment({"EVAL_RETRY_MAX_ATTEMPTS": "7", "EVAL_ITEM_TIME_BUDGET_SECONDS": "90"})
PLACES = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9"}
KEYS = {"OPENAI_API_KEY": "sk-secret", "GEMINI_API_KEY": "AIza-secret"}


def endpoint(name: str, **variables: str) -> Endpoint:
    """Return a built-in endpoint of an environment."""
    return endpoints_of_project(read_credentials("default", file=None, environ=PLACES | variables)).find(name)


def test_a_model_needs_a_key_and_says_which_variable_gives_it() -> None:
    with pytest.raises(UsageError) as raised:
        models.answerer(endpoint(OPENAI), settings=SETTINGS, concurrency=1)

    assert raised.value.code == "missing_api_key"
    assert "OPENAI_API_KEY" in raised.value.hint


def test_a_model_is_named_in_the_words_of_its_endpoints_configuration() -> None:
    asked = models.asked_model(endpoint(OPENAI, **KEYS), "gpt-5")

    assert (asked.base_url, asked.model) == ("http://127.0.0.1:9/v1", "gpt-5")
    assert (asked.key_variable, asked.url_variable) == ("OPENAI_API_KEY", "OPENAI_BASE_URL")
    assert "sk-secret" not in repr(asked)


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
    tariff = models.tariff(frozen_of({}, OPENAI), "gpt-4o-mini", mode=RunMode.FAST)

    assert (tariff.model, tariff.mode) == ("gpt-4o-mini", RunMode.FAST)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_vendor_is_reached_in_its_own_way_and_shows_no_key(name: str) -> None:
    asked = endpoint(name, **KEYS)
    batches = models.open_batches(asked, settings=SETTINGS)

    async def opened() -> list[object]:
        async with (
            models.answerer(asked, settings=SETTINGS, concurrency=2) as answerer,
            models.embedder(asked, Vectors("m", None), settings=SETTINGS, concurrency=2) as embedder,
            models.transcriber(asked, host=None, settings=SETTINGS, concurrency=2) as transcriber,
        ):
            return [answerer, embedder, transcriber]

    parts = [batches, *asyncio.run(opened())]
    for part in parts:
        assert name in type(part).__module__
    assert asked.title.lower() == name
    assert "secret" not in f"{parts!r}{asked!r}{asked.reach(SETTINGS)!r}"
    batches.close()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_speech_model_goes_out_in_batches_only_where_they_take_clips(name: str) -> None:
    expected = RunMode.BATCH if name == GEMINI else RunMode.FAST

    assert models.speech_mode(frozen_of({}, name), mode=RunMode.BATCH) is expected
    assert models.speech_mode(frozen_of({}, name), mode=RunMode.FAST) is RunMode.FAST


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        (OPENAI, "/v1/responses", b'"input":"Why?"'),
        (GEMINI, "models/m:batchGenerateContent", b'{"text":"Why?"}'),
    ],
)
def test_questions_go_out_in_the_lines_of_their_protocol(name: str, path: str, line: bytes) -> None:
    form = models.answer_form(endpoint(name), body={"model": "m"})

    assert form.endpoint == path
    assert line in form.lines.line("q1#1", "Why?")
    assert form.lines.line("q1#1", "Why?").endswith(b"}\n")


@pytest.mark.parametrize(
    ("name", "path", "dimensions"),
    [
        (OPENAI, "/v1/embeddings", b'"dimensions":256'),
        (GEMINI, "models/m:asyncBatchEmbedContent", b"256"),
    ],
)
def test_texts_go_out_in_the_lines_of_their_protocol(name: str, path: str, dimensions: bytes) -> None:
    form = models.vector_form(endpoint(name), Vectors("m", 256))

    assert form.endpoint == path
    assert dimensions in form.lines.line("t1", "text")
    assert dimensions not in models.vector_form(endpoint(name), Vectors("m", None)).lines.line("t1", "text")


def test_only_gemini_keeps_clips_and_takes_them_in_batches() -> None:
    host = models.open_file_host(endpoint(GEMINI, **KEYS), settings=SETTINGS)

    assert host is not None
    assert models.open_file_host(endpoint(OPENAI, **KEYS), settings=SETTINGS) is None
    assert models.clip_form(endpoint(GEMINI)).endpoint("gemini-2.5-flash") == (
        "models/gemini-2.5-flash:batchGenerateContent"
    )
    with pytest.raises(UsageError, match="batches of clips") as refused:
        models.clip_form(endpoint(OPENAI))
    assert refused.value.code == "not_offered_by_endpoint"
    host.close()


def test_gemini_takes_two_days_and_keeps_its_files_as_long() -> None:
    openai, gemini = (
        models.batch_policy(SETTINGS, protocol=protocol)
        for protocol in (ApiProtocol.OPENAI_RESPONSES, ApiProtocol.GEMINI)
    )

    assert (openai.window_s, openai.results_kept_s) == (86_400, 30 * 86_400)
    assert (gemini.window_s, gemini.results_kept_s) == (172_800, 172_800)
    assert gemini.expiry_warning_s < gemini.results_kept_s


def test_a_request_file_holds_no_more_than_its_provider_takes_whatever_is_set() -> None:
    """Anthropic takes 100,000 requests and 256 MB a batch, and each id may grow by its 64 characters on the way out."""
    wide = Settings.from_environment(
        {
            "EVAL_BATCH_MAX_REQUESTS": "400000",
            "EVAL_BATCH_MAX_BYTES": "9000000000",
            "EVAL_BATCH_MAX_EMBEDDING_INPUTS": "7",
        }
    )
    claude = models.shard_limits(wide, protocol=ApiProtocol.ANTHROPIC)
    gemini = models.shard_limits(wide, protocol=ApiProtocol.GEMINI)
    others = models.shard_limits(wide, protocol=ApiProtocol.OPENAI_CHAT)

    assert claude.requests == 100_000
    assert claude.size_bytes + 64 * claude.requests <= 256_000_000
    assert (gemini.requests, gemini.size_bytes) == (400_000, 2_000_000_000)
    assert (others.requests, others.size_bytes) == (400_000, 9_000_000_000)
    assert models.shard_limits(wide, protocol=ApiProtocol.OPENAI_RESPONSES, embeds=True).requests == 7
    assert models.shard_limits(SETTINGS, protocol=ApiProtocol.ANTHROPIC).requests == 50_000
