"""What every provider's files and batches must do, against the stand-in of each over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from eval_pipeline.core.batches import (
    BatchCallError,
    CallFault,
    Phase,
    ProviderBatch,
    Refusal,
    ResultLine,
    refusal_of,
)
from eval_pipeline.core.outcomes import AttemptOutcome
from eval_pipeline.core.ports.batch_provider import BatchProvider, RequestLines, SentAs, as_itself
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.providers.anthropic import batch_lines as anthropic_lines
from eval_pipeline.providers.anthropic.batches import AnthropicBatches
from eval_pipeline.providers.anthropic.custom_ids import custom_id
from eval_pipeline.providers.gemini import batch_lines as gemini_lines
from eval_pipeline.providers.gemini.account import embed_endpoint, generate_endpoint
from eval_pipeline.providers.gemini.batches import GeminiBatches
from eval_pipeline.providers.openai import batch_lines as openai_lines
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.providers.openai_chat import batch_lines as chat_lines
from eval_pipeline.standins.anthropic import app as anthropic
from eval_pipeline.standins.batch_faults import BatchRule, Scenario
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.server import serve

KEY = "the-right-key"
MODEL = "some-model"
SUBMISSION = "5c" * 32
ITEMS = 3
LABELS = {"run": "project/first", "stage": "responses", "part": "r00-s0000-a00"}


@dataclass(frozen=True)
class Kind:
    """One endpoint of a provider's batches."""

    endpoint: str
    lines: RequestLines
    read: Callable[[bytes], ResultLine]


@dataclass(frozen=True)
class House:
    """One provider, and how its stand-in is opened."""

    open: Callable[[str, str], BatchProvider]
    app: Callable[..., Starlette]
    answers: Kind
    vectors: Kind | None = None
    sent_as: SentAs = as_itself
    lists_keys: bool = True
    """Whether a list tells whose a batch is; else its results do."""
    fails_as_a_whole: bool = True


def anthropic_app(*rules: BatchRule, polls: int) -> Starlette:
    return anthropic.create_app(
        anthropic.AnthropicOptions(accepted_keys=frozenset({KEY}), batch_faults=rules, batch_polls=polls)
    )


def openai_app(*rules: BatchRule, polls: int) -> Starlette:
    return openai.create_app(
        openai.OpenAIOptions(accepted_keys=frozenset({KEY}), batch_faults=rules, batch_polls=polls)
    )


def gemini_app(*rules: BatchRule, polls: int) -> Starlette:
    return gemini.create_app(
        gemini.GeminiOptions(accepted_keys=frozenset({KEY}), batch_faults=rules, batch_polls=polls)
    )


def open_openai(url: str, key: str) -> BatchProvider:
    return OpenAIBatches(api_key=key, base_url=f"{url}/v1", timeout_s=5, sleep=lambda _: None)


OPENAI_VECTORS = Kind(
    "/v1/embeddings",
    openai_lines.OpenAILines(endpoint="/v1/embeddings", body={"model": MODEL, "encoding_format": "base64"}),
    openai_lines.read_embedding_line,
)
HOUSES = {
    "openai": House(
        open=open_openai,
        app=openai_app,
        answers=Kind(
            "/v1/responses",
            openai_lines.OpenAILines(endpoint="/v1/responses", body={"model": MODEL}),
            openai_lines.read_response_line,
        ),
        vectors=OPENAI_VECTORS,
    ),
    "openai_chat": House(
        open=open_openai,
        app=openai_app,
        answers=Kind(chat_lines.ENDPOINT, chat_lines.ChatLines(body={"model": MODEL}), chat_lines.read_completion_line),
        vectors=OPENAI_VECTORS,
    ),
    "gemini": House(
        open=lambda url, key: GeminiBatches(api_key=key, base_url=url, timeout_s=5, sleep=lambda _: None),
        app=gemini_app,
        answers=Kind(
            generate_endpoint(MODEL),
            gemini_lines.GeminiLines(body={"model": MODEL}),
            gemini_lines.read_generation_line,
        ),
        vectors=Kind(
            embed_endpoint(MODEL),
            gemini_lines.GeminiEmbeddingLines(dimensions=256),
            gemini_lines.read_embedding_line,
        ),
    ),
    "anthropic": House(
        open=lambda url, key: AnthropicBatches(api_key=key, base_url=url, timeout_s=5, sleep=lambda _: None),
        app=anthropic_app,
        answers=Kind(
            anthropic_lines.ENDPOINT,
            anthropic_lines.AnthropicLines(body={"model": MODEL}),
            anthropic_lines.read_message_line,
        ),
        sent_as=custom_id,
        lists_keys=False,
        fails_as_a_whole=False,
    ),
}
WITH_VECTORS = [name for name, house in HOUSES.items() if house.vectors is not None]
FAILING_AS_A_WHOLE = [name for name, house in HOUSES.items() if house.fails_as_a_whole]


@dataclass(frozen=True)
class Visit:
    """A provider whose stand-in runs, and the work that is done there."""

    house: House
    provider: BatchProvider
    folder: Path
    url: str

    def submit(self, kind: Kind, *, items: int = ITEMS) -> ProviderBatch:
        """Upload a request file and make a batch of it."""
        requests = self.folder / "requests.jsonl"
        requests.write_bytes(b"".join(kind.lines.line(f"q{n}", f"Question {n}?") for n in range(items)))
        uploads = self.provider.uploads
        source = self.provider.upload(requests, name="requests.jsonl") if uploads else requests
        return self.provider.create(source, endpoint=kind.endpoint, key=SUBMISSION, labels=LABELS)

    def results(self, kind: Kind, batch: ProviderBatch) -> list[ResultLine]:
        """Download what a batch brought and read it, each line under the id of its item."""
        assert batch.output_file_id is not None
        self.provider.download(batch.output_file_id, self.folder / "output.jsonl")
        items = {self.house.sent_as(SUBMISSION, f"q{number}"): f"q{number}" for number in range(ITEMS)}
        with (self.folder / "output.jsonl").open("rb") as file:
            read = [kind.read(line) for line in file]
        return [replace(line, custom_id=items.get(line.custom_id or "", line.custom_id)) for line in read]

    def look(self, batch: ProviderBatch, *, times: int = 1) -> ProviderBatch:
        """Look a batch up several times."""
        for _ in range(times):
            batch = self.provider.find(batch.id)
        return batch


@contextmanager
def visiting(name: str, folder: Path, *rules: BatchRule, polls: int = 0) -> Iterator[Visit]:
    house = HOUSES[name]
    with serve(house.app(*rules, polls=polls)) as url:
        provider = house.open(url, KEY)
        try:
            yield Visit(house, provider, folder, url)
        finally:
            provider.close()


@pytest.fixture(params=list(HOUSES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visit(name: str, tmp_path: Path) -> Iterator[Visit]:
    with visiting(name, tmp_path) as visit:
        yield visit


def test_every_item_comes_back_under_its_id(visit: Visit) -> None:
    batch = visit.look(visit.submit(visit.house.answers), times=2)

    lines = visit.results(visit.house.answers, batch)
    assert batch.phase is Phase.COMPLETED
    assert (batch.total, batch.completed, batch.failed) == (3, 3, 0)
    assert {line.custom_id for line in lines} == {"q0", "q1", "q2"}
    assert {line.attempt.outcome for line in lines} == {AttemptOutcome.OK}
    assert all(line.attempt.usage is not None and line.attempt.text for line in lines)


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_vectors_come_back_checked(visit: Visit) -> None:
    vectors = visit.house.vectors
    assert vectors is not None
    batch = visit.look(visit.submit(vectors), times=2)

    lines = visit.results(vectors, batch)
    assert {line.custom_id for line in lines} == {"q0", "q1", "q2"}
    assert all(isinstance(line.payload, EmbeddingReply) and line.payload.vectors[0] for line in lines)


def test_a_batch_is_found_again_by_the_key_it_carries(visit: Visit) -> None:
    made = visit.submit(visit.house.answers)

    listing = visit.provider.list(since=datetime.now(UTC) - timedelta(hours=1), most_calls=5)

    assert made.key == SUBMISSION
    told = listing.batches if visit.house.lists_keys else (visit.provider.identify(made.id),)
    assert [(batch.id, batch.key) for batch in told] == [(made.id, SUBMISSION)]
    assert [batch.id for batch in listing.batches] == [made.id]
    assert listing.whole
    assert listing.provider_now is not None
    assert made.created_at is not None
    assert abs(listing.provider_now - made.created_at) < timedelta(minutes=1)


def test_a_list_shows_the_newest_first_whatever_its_pages(visit: Visit) -> None:
    made = [visit.submit(visit.house.answers, items=1) for _ in range(3)]

    listing = visit.provider.list(since=None, most_calls=5)

    ages = [batch.created_at for batch in listing.batches if batch.created_at is not None]
    assert {batch.id for batch in listing.batches} == {batch.id for batch in made}
    assert ages == sorted(ages, reverse=True)


def test_a_batch_is_cancelled_once_and_an_ended_one_stays_as_it_is(name: str, tmp_path: Path) -> None:
    with visiting(name, tmp_path, polls=3) as visit:
        batch = visit.submit(visit.house.answers)

        first = visit.provider.cancel(batch.id)
        ended = visit.look(batch, times=10)
        again = visit.provider.cancel(batch.id)

    assert first.phase in {Phase.CANCELLING, Phase.CANCELLED}
    assert ended.phase is Phase.CANCELLED
    assert again.phase is Phase.CANCELLED


def test_a_wrong_key_is_a_fault_of_the_account_and_does_not_show(visit: Visit) -> None:
    stranger = visit.house.open(visit.url, "a-wrong-secret")
    with pytest.raises(BatchCallError) as caught:
        stranger.list(since=None, most_calls=1)
    stranger.close()

    assert caught.value.fault is CallFault.ACCOUNT
    assert "a-wrong-secret" not in f"{caught.value}{stranger!r}{stranger.account}"
    assert stranger.account != visit.provider.account


def test_what_is_gone_is_said_to_be(visit: Visit, tmp_path: Path) -> None:
    made = visit.submit(visit.house.answers)
    looked = visit.look(made, times=2)
    kept = looked.input_file_id or looked.output_file_id
    assert kept is not None

    if visit.provider.uploads:
        visit.provider.delete_file(kept)
        visit.provider.delete_file(kept)
    else:  # what it would have to delete is the batch
        headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
        httpx.delete(f"{visit.url}{visit.house.answers.endpoint}/{kept}", headers=headers).raise_for_status()
    with pytest.raises(BatchCallError) as no_batch:
        visit.provider.find(f"{made.id}x")
    with pytest.raises(BatchCallError) as no_file:
        visit.provider.download(kept, tmp_path / "nothing")

    assert (no_batch.value.fault, no_file.value.fault) == (CallFault.GONE, CallFault.GONE)
    assert not (tmp_path / "nothing").exists()


def test_a_queue_that_is_full_at_once_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    with visiting(name, tmp_path, BatchRule(scenario=Scenario.TOKEN_LIMIT_ON_CREATE)) as visit:
        with pytest.raises(BatchCallError) as caught:
            visit.submit(visit.house.answers)

        assert visit.provider.list(since=None, most_calls=1).batches == ()
    assert caught.value.fault is CallFault.BUSY


@pytest.mark.parametrize("name", FAILING_AS_A_WHOLE)
def test_a_batch_that_found_no_room_says_so(name: str, tmp_path: Path) -> None:
    with visiting(name, tmp_path, BatchRule(scenario=Scenario.TOKEN_LIMIT)) as visit:
        batch = visit.look(visit.submit(visit.house.answers), times=3)

    assert batch.phase is Phase.FAILED
    assert refusal_of(batch.errors) is Refusal.NO_ROOM


def test_a_word_of_tomorrow_is_unknown_and_not_an_end(name: str, tmp_path: Path) -> None:
    with visiting(name, tmp_path, BatchRule(scenario=Scenario.UNKNOWN_STATUS)) as visit:
        batch = visit.look(visit.submit(visit.house.answers), times=3)

    assert batch.phase is Phase.UNKNOWN
    assert "paused_by_policy" in batch.status


def test_results_that_are_lost_are_gone(name: str, tmp_path: Path) -> None:
    with visiting(name, tmp_path, BatchRule(scenario=Scenario.RESULT_404)) as visit:
        batch = visit.look(visit.submit(visit.house.answers), times=3)
        with pytest.raises(BatchCallError) as caught:
            visit.results(visit.house.answers, batch)

    assert caught.value.fault is CallFault.GONE


@pytest.mark.parametrize(
    ("scenario", "ids"),
    [
        (Scenario.OUT_OF_ORDER, {"q0", "q1", "q2"}),
        (Scenario.MISSING_LINE, {"q1", "q2"}),
        (Scenario.CUT_LAST_LINE, {"q0", "q1", "q2"}),
        (Scenario.U2028, {"q0", "q1", "q2"}),
    ],
)
def test_lines_are_split_at_line_breaks_and_told_by_id(
    name: str, tmp_path: Path, scenario: Scenario, ids: set[str | None]
) -> None:
    with visiting(name, tmp_path, BatchRule(scenario=scenario)) as visit:
        batch = visit.look(visit.submit(visit.house.answers), times=3)
        lines = visit.results(visit.house.answers, batch)

    assert {line.custom_id for line in lines} == ids
