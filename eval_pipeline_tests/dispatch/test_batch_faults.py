"""What a provider may do to a batch, over HTTP, and what is paid for in the end: time tells, not the number of looks.

A provider's clock goes on as a test says: nothing here waits.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from eval_pipeline.core.batches import BatchCallError, BatchJob, BatchPolicy, CallFault, JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import OPENAI, ApiProtocol
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.batch_results import VectorResults
from eval_pipeline.dispatch.batch_stage import Advance, BatchStage, BatchWork
from eval_pipeline.dispatch.closing import disown
from eval_pipeline.dispatch.collect import Handling, raw_key, results_key
from eval_pipeline.dispatch.lost import look_for_lost
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.request_files import ShardLimits
from eval_pipeline.dispatch.submit import Desk, Order, Parcel, utc_now
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.providers.openai.batch_lines import OpenAILines, read_embedding_line, read_response_line
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.runs.batch_items import answer_results, asks_again
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.ledger import SqlLedger, open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.dispatch.test_batch_crashes import Held
from eval_pipeline_tests.ledgers import make_ledger
from eval_pipeline_tests.storage.records import POLICY

ITEMS = [f"q{number}" for number in range(5)]
TEXTS = {sha256(item.encode()).hexdigest(): item for item in ITEMS}
EAGER = replace(POLICY, poll_s=0, create_timeout_s=0, settle_s=0, most_queue_wait_s=0)
"""Waits for nothing by our clock, and as long as ever by the provider's."""


@dataclass
class Place:
    """One stage of a run at one provider."""

    folder: Path
    server: BatchServer
    ledger: SqlLedger
    objects: LocalObjectStore
    key: str = "sk-x"
    policy: BatchPolicy = EAGER
    embeds: bool = False
    first_round: int = 0
    resend_lost: bool = False
    reports: list[str] = field(default_factory=list)

    @property
    def stage(self) -> StageRef:
        name = "embeddings" if self.embeds else "responses"
        return StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="faulty"), stage=name)

    @property
    def jobs(self) -> list[BatchJob]:
        return list(self.ledger.stage_jobs(self.stage))

    def outcomes(self) -> dict[str, int]:
        """Return what the newest job says of its items."""
        return dict(self.jobs[-1].outcomes or {})

    def submit(self) -> None:
        """Do what the submitting stage does when a person begins a run, or takes it up again."""
        with self.open() as stage:
            stage.submit_first()

    def advance(self) -> Advance:
        """Take the stage on."""
        with self.open() as stage:
            advance = stage.advance()
        self.reports += [*advance.report.trouble, advance.report.paused or ""]
        return advance

    def live(self, *, every_s: float = 5.0, most: int = 12) -> bool:
        """Take the stage on again and again, while the provider's clock goes on; tells whether it came to an end."""
        for _ in range(most):
            if self.advance().finished:
                return True
            self.server.ahead_s += every_s
        return False

    def retry(self, *, resend_lost: bool = False) -> bool:
        """Take the run up again, as a person does whose run has ended."""
        self.first_round = 1 + max(job.round for job in self.jobs)
        self.resend_lost = resend_lost
        self.submit()
        self.resend_lost = False  # runs that the sensor asks for do not say so again
        return self.live()

    def look_for_lost(self, *, later: timedelta = timedelta()) -> list[BatchJob]:
        """Look, as the sensor does so much later, for what is to be looked for by then; returns what turned up."""
        now = utc_now() + later
        with closing(self.provider()) as provider:
            due = self.ledger.lost_jobs(protocols=[ApiProtocol.OPENAI_RESPONSES], due=now, limit=10)
            return look_for_lost(self.ledger, provider, due, policy=self.policy, now=now)

    def provider(self) -> OpenAIBatches:
        """Open the account."""
        return OpenAIBatches(api_key=self.key, base_url=self.server.url, sleep=lambda _: None)

    @contextmanager
    def open(self) -> Iterator[BatchStage]:
        """Open the stage in a new process."""
        provider = self.provider()
        desk = Desk(
            ledger=self.ledger,
            ledger_id="ledger",
            objects=self.objects,
            provider=provider,
            policy=self.policy,
            fence=Held(),
        )
        (self.folder / "work").mkdir(exist_ok=True)
        try:
            yield BatchStage(desk, self.work(), folder=self.folder / "work")
        finally:
            provider.close()

    def work(self) -> BatchWork:
        """Ask for answers, or for vectors."""
        handling = Handling(read=read_response_line, writer=lambda job: answer_results(self.objects, job))
        if self.embeds:
            handling = Handling(read=read_embedding_line, writer=lambda _: VectorResults(dimensions=None))
        return BatchWork(
            stage=self.stage,
            provider=OPENAI,
            parcels=self.parcels,
            handling=handling,
            first_round=self.first_round,
            resend_lost=self.resend_lost,
        )

    @contextmanager
    def parcels(self, number: int, anew: bool) -> Iterator[list[Parcel]]:
        """Give the requests of what is not finished."""
        endpoint = "/v1/embeddings" if self.embeds else "/v1/responses"
        order = Order(
            stage=self.stage,
            round=number,
            provider=OPENAI,
            protocol=ApiProtocol.OPENAI_RESPONSES,
            model="some-model",
            endpoint=endpoint,
            limits=ShardLimits(requests=10, size_bytes=10_000),
        )
        lines = OpenAILines(endpoint=endpoint, body={"model": "some-model"})
        with Journal(self.objects, self.stage).spool() as spool:
            if self.embeds:
                index = VectorIndex.read(spool)
                wanted = [
                    lines.line(digest, text)
                    for digest, text in TEXTS.items()
                    if index.wants(bytes.fromhex(digest), anew=anew, resend_lost=self.resend_lost)
                ]
            else:
                asks = asks_again(RecordIndex(spool), anew=anew, resend_lost=self.resend_lost)
                wanted = [lines.line(item, f"about {item}") for item in ITEMS if asks is None or asks(item)]
            yield [Parcel(order, wanted)]

    def answered(self) -> int:
        """Count the items with an answer, or the texts with a vector."""
        with Journal(self.objects, self.stage).spool() as spool:
            if self.embeds:
                vectors = VectorIndex.read(spool)
                return sum(vectors.vector(text) is not None for text in ITEMS)
            records = RecordIndex(spool)
            return sum((record := records.find(item)) is not None and record.answer is not None for item in ITEMS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with batch_server() as server:
        ledger = open_sqlite_ledger(make_ledger(tmp_path / "ledger.sqlite"))
        yield Place(tmp_path, server, ledger, LocalObjectStore(tmp_path / "store"))
        ledger.close()


PASSES = [
    ("hidden", 20),
    ("files_later", 20),
    ("output_late", 3),
    ("file_not_found_yet", 2),
    ("create_400", 2),
    ("download_403", 3),
    ("list_without_metadata", 1),
    ("bare_list", 1),
]


@pytest.mark.parametrize(("scenario", "times"), PASSES, ids=[name for name, _ in PASSES])
def test_what_passes_within_minutes_loses_nothing_and_is_paid_once(place: Place, scenario: str, times: int) -> None:
    """A batch that is not shown, files that are named late, a file that is not found yet, a list that tells little."""
    place.server.scenario, place.server.times = scenario, times

    assert place.live(every_s=1.0, most=40)

    assert place.answered() == len(ITEMS)
    assert set(place.server.executed.values()) == {1}
    assert len(place.server.batches) == 1
    assert [job.state for job in place.jobs] == [JobState.COLLECTED]


@pytest.mark.parametrize("scenario", ["hidden", "files_later", "output_late"])
def test_what_was_paid_for_and_is_lost_is_offered_and_never_sent_unasked(place: Place, scenario: str) -> None:
    place.server.scenario, place.server.times = scenario, 10**6

    assert place.live(every_s=60.0)
    [job] = place.jobs
    assert (job.state, job.error_code, job.outcomes) == (JobState.LOST, "result_lost", {"missing": 5})
    assert "run retry --resend-lost sends it again" in f"{job.error_message} {job.anomalies}"
    assert place.retry()
    assert (len(place.server.batches), len(place.jobs)) == (1, 1), "nobody has said that it may be charged twice"

    place.retry(resend_lost=True)
    assert len(place.server.batches) == 2


@pytest.mark.parametrize("scenario", ["hidden", "files_later", "output_late"])
def test_what_was_lost_and_turns_up_later_is_collected_for_nothing(place: Place, scenario: str) -> None:
    place.server.scenario, place.server.times = scenario, 10**6
    assert place.live(every_s=60.0)
    place.server.scenario = None

    assert place.retry(resend_lost=True)

    assert place.answered() == len(ITEMS)
    assert (len(place.server.batches), set(place.server.executed.values())) == (1, {1})


@pytest.mark.parametrize("scenario", ["hidden", "files_later"])
def test_what_was_lost_is_looked_for_at_growing_intervals_and_taken_back_by_itself(place: Place, scenario: str) -> None:
    place.server.scenario, place.server.times = scenario, 10**6
    assert place.live(every_s=60.0)
    looks: list[timedelta] = []
    for hours in (1, 3, 12):
        later = timedelta(hours=hours)
        assert place.look_for_lost(later=later) == []
        [job] = place.jobs
        assert job.waits_until is not None
        looks.append(job.waits_until - utc_now() - later)
        assert place.look_for_lost(later=later) == [], "nobody is asked before that"
    assert [round(look / timedelta(hours=1), 1) for look in looks] == [1.0, 3.0, 6.0]
    assert place.look_for_lost(later=timedelta(days=40)) == []
    assert place.jobs[0].waits_until is None, "the provider has deleted it"
    place.ledger.change_job(place.jobs[0], waits_until=utc_now())
    place.server.scenario = None

    [back] = place.look_for_lost()

    assert back.state is (JobState.SUBMITTED if scenario == "hidden" else JobState.ENDED)
    assert place.live()
    assert (place.answered(), place.jobs[0].state, place.jobs[0].error_code) == (5, JobState.COLLECTED, None)
    assert (len(place.server.batches), set(place.server.executed.values())) == (1, {1})


def test_what_nobody_wants_any_more_is_never_taken_back_and_stopped_when_it_turns_up(place: Place) -> None:
    """The run is asked anew; a run that dies before its new round is recorded must not find the old one either."""
    place.server.scenario, place.server.times = "hidden", 10**6
    assert place.live(every_s=60.0)
    disown(place.ledger, place.jobs[0])
    place.server.scenario = "stuck"
    place.server.spoiled["batch_0"] = "stuck"
    place.server.batches["batch_0"]["status"] = "in_progress"

    place.first_round = 1
    place.advance()
    assert [job.state for job in place.jobs] == [JobState.LOST]
    assert place.look_for_lost(later=timedelta(hours=1)) == []

    first = place.jobs[0]
    assert (first.state, first.error_code, place.server.batches["batch_0"]["status"]) == (
        JobState.CANCELLED,
        "superseded",
        "cancelled",
    )
    assert "batch_0 turned up when nobody wanted its results any more" in first.anomalies[-1]
    assert "may have been charged" in first.anomalies[-1]


def test_a_creation_that_was_given_up_is_stopped_when_it_turns_up_beside_what_was_sent_in_its_place(
    place: Place,
) -> None:
    place.server.scenario = "nameless"
    assert not place.live(every_s=60.0, most=4)
    assert place.live(every_s=86_400.0, most=4)
    assert place.jobs[0].state is JobState.LOST
    assert place.retry(resend_lost=True)
    place.server.scenario = None

    assert place.look_for_lost(later=timedelta(hours=1)) == []

    first = place.jobs[0]
    assert (first.state, first.provider_id) == (JobState.CANCELLED, "batch_0")
    assert "turned up" in first.anomalies[-1]


@pytest.mark.parametrize("scenario", ["endless", "bomb"])
def test_results_without_an_end_fill_no_disk_and_are_collected_once_they_may_be_so_large(
    place: Place, scenario: str
) -> None:
    place.server.scenario, place.server.times = scenario, 10**6
    place.policy = replace(EAGER, most_result_bytes=200_000)

    assert place.live()

    [job] = place.jobs
    assert (job.state, job.outcomes, job.waits_until) == (JobState.LOST, {"missing": 5}, None)
    assert "has more than 200,000 bytes (EVAL_BATCH_MAX_RESULT_BYTES)" in (job.error_message or "")
    assert max(path.stat().st_size for path in place.folder.rglob("*.jsonl*")) < 200_000
    place.server.scenario, place.policy = None, EAGER
    assert place.retry()
    assert (place.answered(), len(place.server.batches), set(place.server.executed.values())) == (5, 1, {1})


@pytest.mark.parametrize("scenario", ["cancelled_lines", "cancelled_lines_answered", "cancelled_no_files"])
def test_what_somebody_else_cancelled_is_not_sent_again_until_a_person_takes_the_run_up(
    place: Place, scenario: str
) -> None:
    place.server.scenario = scenario

    assert place.live()
    assert len(place.server.batches) == 1
    assert place.jobs[0].outcomes is not None
    assert place.jobs[0].outcomes["cancelled"] == (5 if scenario == "cancelled_no_files" else 2)

    assert place.retry()
    assert place.answered() == len(ITEMS)
    assert set(place.server.executed.values()) == {1}


@pytest.mark.parametrize("scenario", ["create_400", "model_refused"])
def test_what_was_refused_as_a_whole_was_never_sent_and_is_sent_when_a_person_comes_back(
    place: Place, scenario: str
) -> None:
    place.server.scenario, place.server.times = scenario, 10**6
    assert place.live()
    assert place.outcomes() == {"failed": 5}
    place.server.scenario = None

    assert place.retry()

    assert place.answered() == len(ITEMS)
    assert set(place.server.executed.values()) == {1}


def test_an_address_without_batches_is_said_once_and_sent_elsewhere_when_a_person_comes_back(place: Place) -> None:
    place.server.scenario = "no_batch_api"

    with pytest.raises(BatchCallError) as refused:
        place.submit()

    assert refused.value.fault is CallFault.UNSUPPORTED
    assert "there is no batch API at this address: start the run with --mode fast" in refused.value.hint
    assert [job.state for job in place.jobs] == [JobState.FAILED], "nobody tries it again by itself"
    place.server.scenario = None
    place.submit()
    assert place.live()
    assert place.answered() == len(ITEMS)
    assert set(place.server.executed.values()) == {1}


def test_an_account_that_is_refused_while_results_wait_is_a_pause(place: Place) -> None:
    """Neither are items failed, nor is a round or the run: the results lie at the provider."""
    place.server.scenario, place.server.times = "download_403", 3
    place.policy = replace(POLICY, poll_s=30, create_timeout_s=0, settle_s=0)
    place.advance()

    advance = place.advance()

    assert not advance.finished
    assert "HTTP 403" in (advance.report.paused or "")
    [job] = place.jobs
    assert (job.state, job.error_code) == (JobState.ENDED, "provider_account")
    assert job.waits_until is not None
    asked = place.server.times
    place.advance()
    assert place.server.times == asked, "it is left alone for a while"


def test_what_a_provider_asks_for_is_kept_by_everything_that_asks_it(place: Place) -> None:
    place.server.scenario, place.server.times = "create_throttled", 1
    place.advance()
    place.server.scenario, place.server.times = "throttled", 5

    for _ in range(5):
        place.advance()

    assert place.server.calls["create"] == 1
    assert place.server.calls["throttled"] == 0
    assert "slow down" in (place.jobs[0].error_message or "")


def test_nothing_is_created_beside_a_batch_that_may_be_ours_and_tells_nothing(place: Place) -> None:
    """Neither its entry in the list nor itself names key or file."""
    place.server.scenario = "nameless"

    assert not place.live(every_s=60.0, most=4)
    assert len(place.server.batches) == 1
    assert place.live(every_s=86_400.0, most=4), "when its window is over, a person is asked"
    assert (len(place.server.batches), place.jobs[0].error_code) == (1, "result_lost")


def test_one_vector_of_another_width_is_that_texts_matter(place: Place) -> None:
    """It was the first line of the file, and all others were refused for its sake, paid for, and refused again."""
    place.embeds, place.server.spoils, place.server.scenario = True, "/v1/embeddings", "half_width"

    assert place.live()

    first, second = place.jobs
    assert (first.outcomes, second.outcomes) == ({"ok": 4, "malformed": 1}, {"ok": 1})
    assert place.answered() == len(ITEMS)
    assert sorted(place.server.executed.values()) == [1, 1, 1, 1, 2]


def test_lost_vectors_are_sent_again_when_a_person_says_so_and_only_then(place: Place) -> None:
    place.embeds, place.server.spoils, place.server.scenario = True, "/v1/embeddings", "output_404"
    assert place.live(every_s=30.0)
    assert place.outcomes() == {"missing": 5}
    assert place.retry()
    assert len(place.server.batches) == 1

    assert place.retry(resend_lost=True)

    assert (place.answered(), len(place.server.batches)) == (len(ITEMS), 2)


def test_ids_that_come_twice_with_different_answers_are_told(place: Place) -> None:
    place.server.scenario = "duplicate_differs"

    assert place.live()

    told = " ".join(place.jobs[0].anomalies)
    assert "2 ids came more than once, the first counts: 'q0', 'q2'" in told
    assert "1 of them came with different answers: 'q0'" in told
    assert place.answered() == len(ITEMS)


def test_the_first_journals_of_texts_can_still_be_read_and_their_lost_ones_sent_again() -> None:
    digest = sha256(b"q0").hexdigest()
    lost = {"digest": digest, "problem": "result_lost: its file is gone", "finished": True}
    bad = {"digest": sha256(b"q1").hexdigest(), "problem": "invalid_value: too long", "finished": True}

    @dataclass
    class Line:
        line: bytes
        offset: int = 0

        @property
        def length(self) -> int:
            return len(self.line)

    class Lines(list[Line]):
        def line_at(self, offset: int, length: int) -> bytes:
            raise AssertionError((offset, length))

    index = VectorIndex.read(Lines([Line(json.dumps(entry).encode()) for entry in (lost, bad)]))

    assert index.wants(bytes.fromhex(digest), anew=True, resend_lost=True)
    assert not index.wants(bytes.fromhex(digest), anew=True, resend_lost=False)
    assert not index.wants(sha256(b"q1").digest(), anew=True, resend_lost=True)


def test_a_line_that_nobody_can_read_is_found_again_among_marks_and_blank_lines(place: Place) -> None:
    place.server.scenario = "odd_lines"

    assert place.live()

    first = place.jobs[0]
    assert first.outcomes == {"ok": 4, "malformed": 1}
    assert first.anomalies == ("1 line of the results could not be read",)
    (told,) = re.findall(rb"kept as line (\d+) of ([^)]+)", place.objects.read(results_key(first)))
    number, key = int(told[0]), told[1].decode()
    damaged = place.objects.read(key).split(b"\n")[number - 1]
    assert (number, key) == (2, raw_key(first, "output"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(damaged)
