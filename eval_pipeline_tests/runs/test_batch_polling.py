"""Looking after open batches: whose they are, what a poll costs, what others that poll or a clock that jumps change."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch import rests
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.providers.batch_calls import account_digest
from eval_pipeline.runs import batch_polling
from eval_pipeline.runs.batch_polling import MOST_FOREIGN_LOOKUPS, Polled, poll_jobs, poll_run
from eval_pipeline.runs.closing import Cancelled, cancel_batches
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.protocols import protocols_of
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import a_job, as_it_stands

KEY = "sk-test-7f3a9c1e5b"
OPENAI_JOBS = protocols_of("openai")
PATIENCE_S = 60
DAY = timedelta(days=1)
REQUEST = {"custom_id": "q0", "url": "/v1/responses", "body": {"model": "gpt-4o-mini", "input": "?"}}
ACCOUNT_BACK = "give OPENAI_API_KEY and OPENAI_BASE_URL of that account back"


@dataclass
class Office:
    """One installation and the provider that its batches lie at."""

    home: Path
    server: BatchServer

    def open(self, **variables: str) -> Deployment:
        """Open the installation as a process of its own does."""
        environ = {"EVAL_PIPELINE_HOME": str(self.home), "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.server.url}
        return Deployment(environ={**environ, "NO_PROXY": "127.0.0.1", **variables})

    def submit(self, deployment: Deployment, *places: tuple[str, int], scenario: str | None = None) -> list[BatchJob]:
        """Record jobs of run and shard, each with a batch at the provider."""
        return list(deployment.ledger.add_jobs([self._submitted(deployment, *place, scenario) for place in places]))

    def _submitted(self, deployment: Deployment, run: str, shard: int, scenario: str | None) -> BatchJob:
        key = f"key-{run}-{shard}"
        batch = self.at_provider(key, scenario=scenario)
        job = an_intent(deployment, run, shard)
        created_at = datetime.fromtimestamp(batch["created_at"], job.created_at.tzinfo)
        return replace(
            job, submission_key=key, state=JobState.SUBMITTED, provider_id=batch["id"], provider_created_at=created_at
        )

    def at_provider(self, key: str, *, scenario: str | None = None) -> dict[str, Any]:
        """Make a batch at the provider."""
        self.server.files["file-in"] = json.dumps(REQUEST).encode()
        metadata = {"eval_pipeline_key": key}
        batch = self.server.create({"endpoint": "/v1/responses", "input_file_id": "file-in", "metadata": metadata})
        self.server.spoiled[batch["id"]] = scenario
        return batch

    @property
    def calls(self) -> int:
        """What polls have cost so far."""
        return self.server.calls["list"] + self.server.calls["find"]

    def cancelled(self) -> list[str]:
        """Return the batches that somebody cancelled."""
        return [name for name, batch in self.server.batches.items() if batch["status"].startswith("cancel")]


def stage_of(run: str, project: str = "default") -> StageRef:
    return StageRef(flow=Flow.TEXT, key=RunKey(project=project, run=run), stage="responses")


def an_intent(deployment: Deployment, run: str = "first", shard: int = 0, *, project: str = "default") -> BatchJob:
    """Return an intent under the key that the installation has now."""
    with closing(
        models.open_batches(deployment.endpoints("default").find(OPENAI), settings=deployment.settings)
    ) as provider:
        account, base_url = provider.account, provider.base_url
    key = f"key-{project}-{run}-{shard}"
    return a_job(
        run,
        project=project,
        at=utc_now(),
        shard=shard,
        submission_key=key,
        account=account,
        base_url=base_url,
        requests=1,
    )


def poll(deployment: Deployment, *, time_s: float = 40.0) -> Polled:
    """Poll all open jobs once."""
    return poll_jobs(deployment, deployment.ledger.open_jobs(protocols=OPENAI_JOBS), time_left=lambda: time_s)


def changed(job: BatchJob | None) -> BatchJob:
    assert job is not None
    return job


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with batch_server() as server:
        yield Office(home_with_ledger(tmp_path / "home"), server)


@pytest.fixture
def deployment(office: Office) -> Iterator[Deployment]:
    with closing(office.open()) as opened:
        yield opened


def test_a_batch_that_has_ended_makes_its_stage_ready(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0), ("second", 0))

    first, second = poll(deployment), poll(deployment)

    assert (first.ended, first.ready) == (0, [])
    assert (second.ended, second.ready) == (2, [stage_of("first"), stage_of("second")])
    assert second.sentence() == "2 open batches, 1 call, 2 ended, 2 stages ready"


def test_when_a_batch_ended_is_told_by_its_provider_and_not_by_the_look_that_saw_it(
    office: Office, deployment: Deployment
) -> None:
    """A collector that was down for three weeks must not believe that results are kept for another month."""
    [job] = office.submit(deployment, ("first", 0))
    ended_at = (utc_now() - timedelta(days=24)).replace(microsecond=0)
    office.server.batches["batch_0"]["completed_at"] = ended_at.timestamp()

    poll(deployment)
    polled = poll(deployment)

    assert as_it_stands(deployment.ledger, job).ended_at == ended_at
    assert "not collected and expire in 5 days" in polled.alerts[stage_of("first")]


@pytest.mark.parametrize("jump", [-10 * DAY, 10 * DAY], ids=["back", "ahead"])
def test_when_results_expire_is_told_by_the_providers_clock(
    office: Office, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    office.submit(deployment, ("out", 0), scenario="stuck")
    kept = replace(an_intent(deployment, "kept"), state=JobState.ENDED, provider_id="batch_9", output_file_id="file-9")
    late = replace(kept, stage=stage_of("late"), submission_key="late", provider_id="batch_8")
    deployment.ledger.add_jobs(
        [replace(kept, ended_at=utc_now() - 20 * DAY), replace(late, ended_at=utc_now() - 29.5 * DAY)]
    )
    monkeypatch.setattr(batch_polling, "utc_now", lambda: utc_now() + jump)

    alerts = poll(deployment).alerts

    assert stage_of("kept") not in alerts
    assert "not collected and expire in 0 days" in alerts[stage_of("late")]


def test_a_stage_is_not_ready_while_one_of_its_batches_is_out(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0))
    office.submit(deployment, ("first", 1), scenario="stuck")

    poll(deployment)
    polled = poll(deployment)

    assert (polled.ended, polled.ready) == (1, [])


def test_a_run_is_polled_alone_when_that_is_asked_for(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0), ("second", 0))

    polled = [poll_run(deployment, flow=Flow.TEXT, key=RunKey(project="default", run="first")) for _ in range(2)]

    assert [(one.jobs, one.ended) for one in polled] == [(1, 0), (1, 1)]
    assert [
        job.stage for job in deployment.ledger.open_jobs(protocols=OPENAI_JOBS) if job.state is JobState.SUBMITTED
    ] == [stage_of("second")]


@pytest.mark.parametrize("shown", [True, False], ids=["its-number-is-taken-there", "it-is-not-known-there"])
def test_a_batch_of_another_account_is_left_alone_and_a_person_is_told(
    office: Office, deployment: Deployment, shown: bool
) -> None:
    """A 404 of another account proves nothing, and a batch that has the same number there belongs to somebody else."""
    if shown:
        office.at_provider("somebody-else's")
    address = "https://elsewhere.example/v1"
    job = replace(an_intent(deployment), state=JobState.SUBMITTED, provider_id="batch_0", base_url=address)
    [job] = deployment.ledger.add_jobs([replace(job, account="another")])

    for _ in range(3):
        polled = poll(deployment)

        assert polled.ready == []
        assert ACCOUNT_BACK in polled.alerts[stage_of("first")]
        assert address in polled.sentence()
    assert as_it_stands(deployment.ledger, job) == job
    assert office.cancelled() == []


def test_batches_of_another_account_do_not_keep_ours_waiting(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("ours", 0))
    theirs = replace(
        an_intent(deployment, "theirs"), account="another", state=JobState.SUBMITTED, provider_id="batch_9"
    )
    deployment.ledger.add_jobs([theirs])

    poll(deployment)
    polled = poll(deployment)

    assert polled.ready == [stage_of("ours")]
    assert list(polled.alerts) == [stage_of("theirs")]


def test_a_rotated_key_takes_the_batches_of_its_account_over(office: Office, deployment: Deployment) -> None:
    jobs = office.submit(deployment, *(("first", shard) for shard in range(MOST_FOREIGN_LOOKUPS + 2)))

    with closing(office.open(OPENAI_API_KEY="sk-rotated")) as rotated:
        said = [poll(rotated) for _ in range(4)]

        taken = [as_it_stands(rotated.ledger, job) for job in jobs]

    assert stage_of("first") in said[0].alerts, "not all of them were asked for yet"
    assert said[-1].alerts == {}
    assert said[-1].ready == [stage_of("first")]
    assert len({job.account for job in taken}) == 1
    assert taken[0].account != jobs[0].account
    assert office.server.calls["create"] == 0
    assert office.cancelled() == []


def test_a_key_that_is_refused_pauses_and_says_what_to_do(office: Office, deployment: Deployment) -> None:
    [job] = office.submit(deployment, ("first", 0))
    office.server.key = "sk-another"

    polled = poll(deployment)

    words = polled.alerts[stage_of("first")]
    assert words.startswith("paused: ")
    assert "401" in words
    assert "check OPENAI_API_KEY" in words
    assert KEY not in polled.sentence()
    assert as_it_stands(deployment.ledger, job) == job

    office.server.key = None
    poll(deployment)
    assert poll(deployment).ready == [stage_of("first")]


def test_a_provider_that_fails_is_asked_again_and_no_person_is_called(office: Office, deployment: Deployment) -> None:
    [job] = office.submit(deployment, ("first", 0))
    office.server.scenario, office.server.times = "poll_500", 3

    for _ in range(3):
        polled = poll(deployment)
        assert (polled.alerts, polled.ready) == ({}, [])
        assert "HTTP 500: boom" in polled.sentence()
    assert as_it_stands(deployment.ledger, job) == job

    poll(deployment)
    assert poll(deployment).ready == [stage_of("first")]


def test_a_project_without_a_key_does_not_hide_the_others(office: Office, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"keyless": {}}')
    with closing(office.open(EVAL_PROJECT_CREDENTIALS_FILE=str(credentials))) as deployment:
        keyless = replace(an_intent(deployment, project="keyless"), state=JobState.SUBMITTED, provider_id="batch_9")
        deployment.ledger.add_jobs([keyless])
        office.submit(deployment, ("first", 0))

        poll(deployment)
        polled = poll(deployment)

    assert polled.ready == [stage_of("first")]
    assert "set OPENAI_API_KEY" in polled.alerts[keyless.stage]


def test_a_project_that_the_tick_has_no_time_for_has_its_turn_next_time(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0))

    polled = poll(deployment, time_s=0)

    assert polled.notes == ["project default has its turn at the next look"]
    assert office.calls == 0


@pytest.mark.slow
def test_a_thousand_open_batches_cost_at_most_twelve_calls(office: Office, deployment: Deployment) -> None:
    for number in range(150):
        office.at_provider(f"somebody-else's-{number}", scenario="stuck")
    office.submit(deployment, *((f"run-{n // 10}", n % 10) for n in range(1_000)), scenario="stuck")

    polled = poll(deployment)

    assert polled.jobs == 1_000
    assert polled.calls == office.calls <= 12
    assert {job.provider_status for job in deployment.ledger.open_jobs(protocols=OPENAI_JOBS)} == {"validating"}
    assert (polled.notes, polled.alerts) == ([], {})


def test_many_pollers_at_once_end_every_batch_once(office: Office, deployment: Deployment) -> None:
    jobs = office.submit(deployment, *((f"run-{number}", 0) for number in range(20)))
    pollers = 4
    meeting = Barrier(pollers)

    def work(_: int) -> int:
        with closing(office.open()) as mine:
            meeting.wait(PATIENCE_S)
            return poll(mine).ended + poll(mine).ended

    with ThreadPoolExecutor(pollers) as crowd:
        ended = list(crowd.map(work, range(pollers)))

    assert sum(ended) == len(jobs)
    assert {as_it_stands(deployment.ledger, job).state for job in jobs} == {JobState.ENDED}
    assert len(poll(deployment).ready) == len(jobs)


def test_many_pollers_at_once_cancel_an_overdue_batch_and_end_it_once(office: Office, deployment: Deployment) -> None:
    [job] = office.submit(deployment, ("first", 0), scenario="stuck")
    office.server.batches["batch_0"]["created_at"] -= 2 * DAY.total_seconds()
    pollers = 4
    meeting = Barrier(pollers)

    def work(_: int) -> Polled:
        with closing(office.open()) as mine:
            meeting.wait(PATIENCE_S)
            return poll(mine)

    with ThreadPoolExecutor(pollers) as crowd:
        said = list(crowd.map(work, range(pollers)))
    poll(deployment)

    assert sum("is overdue; cancelling it" in one.sentence() for one in said) == 1
    settled = as_it_stands(deployment.ledger, job)
    assert (settled.state, settled.provider_status, settled.cancelled_by_us) == (JobState.ENDED, "cancelled", True)


def test_a_second_batch_with_our_key_is_cancelled_once_and_recorded(office: Office, deployment: Deployment) -> None:
    [job] = office.submit(deployment, ("first", 0), scenario="stuck")
    double = office.at_provider(job.submission_key, scenario="stuck")

    said = [poll(deployment).sentence() for _ in range(3)]

    assert office.cancelled() == [double["id"]]
    assert sum("its requests may have been charged" in words for words in said) == 1
    kept = as_it_stands(deployment.ledger, job)
    assert (kept.provider_id, len(kept.anomalies)) == ("batch_0", 1)


def test_a_second_batch_that_cannot_be_cancelled_now_is_cancelled_by_a_later_poll(
    office: Office, deployment: Deployment
) -> None:
    [job] = office.submit(deployment, ("first", 0), scenario="stuck")
    double = office.at_provider(job.submission_key, scenario="stuck")
    office.server.scenario = "cancel_429"

    poll(deployment)
    assert office.cancelled() == []
    poll(deployment)

    assert office.cancelled() == [double["id"]]


def test_an_overdue_batch_that_cannot_be_cancelled_now_is_cancelled_by_a_later_poll(
    office: Office, deployment: Deployment
) -> None:
    """Else it works on, is given up, and what it does is paid for beside what goes out in its place."""
    late, punctual = office.submit(deployment, ("late", 0), ("punctual", 0), scenario="stuck")
    office.server.batches["batch_0"]["created_at"] -= 2 * DAY.total_seconds()
    office.server.batches["batch_1"]["status"] = "expired"
    office.server.scenario = "cancel_429"

    poll(deployment)
    assert office.cancelled() == []
    assert as_it_stands(deployment.ledger, punctual).state is JobState.ENDED
    poll(deployment)

    assert office.cancelled() == [late.provider_id]


def test_a_batch_is_believed_to_be_gone_only_when_it_is_missed_for_minutes(
    office: Office, deployment: Deployment
) -> None:
    [job] = office.submit(deployment, ("first", 0))
    office.server.batches.clear()

    for _ in range(5):
        polled = poll(deployment)
        assert "is not found at the provider; looking again" in polled.sentence()
        assert polled.ready == []
    office.server.ahead_s = 301

    assert poll(deployment).ready == [stage_of("first")]
    assert as_it_stands(deployment.ledger, job).error_code == "result_lost"


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a-day-ahead", "a-day-back"])
def test_a_clock_that_jumps_ends_no_batch_and_makes_no_second(
    office: Office, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    """Deadlines and the age of an unanswered creation are measured by the provider's clock."""
    [out] = office.submit(deployment, ("out", 0), scenario="stuck")
    unanswered = replace(an_intent(deployment, "unanswered"), create_started_at=utc_now(), token=1)
    [unanswered] = deployment.ledger.add_jobs([unanswered])
    office.at_provider("a-stranger's")
    poll(deployment)
    monkeypatch.setattr(batch_polling, "utc_now", lambda: utc_now() + jump)

    for _ in range(3):
        assert poll(deployment).ready == []

    assert office.cancelled() == []
    assert as_it_stands(deployment.ledger, out).state is JobState.SUBMITTED
    waiting = as_it_stands(deployment.ledger, unanswered)
    assert (waiting.state, waiting.provider_id) == (JobState.INTENT, None)

    late = office.at_provider(unanswered.submission_key)
    poll(deployment)
    assert as_it_stands(deployment.ledger, unanswered).provider_id == late["id"]


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a-day-ahead", "a-day-back"])
def test_what_has_ended_is_ready_whatever_the_clock_says(
    office: Office, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    office.submit(deployment, ("first", 0))
    poll(deployment)
    monkeypatch.setattr(batch_polling, "utc_now", lambda: utc_now() + jump)

    polled = poll(deployment)

    assert (polled.ended, polled.ready) == (1, [stage_of("first")])


def test_a_clock_that_was_a_day_late_when_a_run_was_cancelled_loses_nothing(
    office: Office, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is being cancelled still brings what was done of it."""
    [job] = office.submit(deployment, ("first", 0), scenario="stuck")
    monkeypatch.setattr(batch_polling, "utc_now", lambda: utc_now() - DAY)
    assert cancel_batches(deployment, flow=Flow.TEXT, key=job.stage.key) == Cancelled(asked=1, unsettled=0)
    office.server.batches["batch_0"]["status"] = "cancelling"

    poll(deployment)

    assert as_it_stands(deployment.ledger, job).state is JobState.SUBMITTED


def test_batches_of_another_account_do_not_keep_those_of_a_rotated_key_from_being_found(
    office: Office, deployment: Deployment
) -> None:
    foreign = replace(
        an_intent(deployment, "foreign"), account="another", state=JobState.SUBMITTED, provider_id="batch_99"
    )
    deployment.ledger.add_jobs(
        [replace(foreign, shard=shard, submission_key=f"theirs-{shard}") for shard in range(MOST_FOREIGN_LOOKUPS)]
    )
    [job] = office.submit(deployment, ("ours", 0))

    with closing(office.open(OPENAI_API_KEY="sk-rotated")) as rotated:
        for _ in range(3):
            poll(rotated)

        assert as_it_stands(rotated.ledger, job).account != job.account


def test_a_request_file_that_was_never_sent_goes_out_under_a_rotated_key(
    office: Office, deployment: Deployment
) -> None:
    [intent] = deployment.ledger.add_jobs([an_intent(deployment)])

    with closing(office.open(OPENAI_API_KEY="sk-rotated")) as rotated:
        polled = poll(rotated)

        assert polled.alerts == {}
        assert as_it_stands(rotated.ledger, intent).account != intent.account


def an_unanswered_creation(office: Office, deployment: Deployment, *, made: bool) -> BatchJob:
    """Record an intent whose creation nobody answered; its file is at the provider, its batch perhaps."""
    office.server.files["file-mine"] = json.dumps(REQUEST).encode()
    begun = replace(an_intent(deployment), create_started_at=utc_now(), input_file_id="file-mine", token=1)
    [job] = deployment.ledger.add_jobs([begun])
    if made:
        office.at_provider(job.submission_key, scenario="stuck")
    return job


def test_a_creation_that_nobody_answered_is_found_under_a_rotated_key(office: Office, deployment: Deployment) -> None:
    job = an_unanswered_creation(office, deployment, made=True)
    office.server.files.pop("file-mine")

    with closing(office.open(OPENAI_API_KEY="sk-rotated")) as rotated:
        polled = poll(rotated)

        found = as_it_stands(rotated.ledger, job)
    assert (found.state, found.provider_id, polled.alerts) == (JobState.SUBMITTED, "batch_0", {})


def test_a_rotated_key_that_knows_the_file_of_a_creation_settles_it(office: Office, deployment: Deployment) -> None:
    job = an_unanswered_creation(office, deployment, made=False)

    with closing(office.open(OPENAI_API_KEY="sk-rotated", EVAL_BATCH_POLL_SECONDS="0.1")) as rotated:
        for ahead_s in (0, 100, 130):
            office.server.ahead_s = ahead_s
            polled = poll(rotated)

    assert polled.ready == [job.stage], "it was not made, and may be made now"


def test_a_key_that_knows_nothing_of_a_creation_leaves_it_alone_and_says_what_a_person_can_do(
    office: Office, deployment: Deployment
) -> None:
    job = an_unanswered_creation(office, deployment, made=False)
    office.server.files.clear()

    with closing(office.open(OPENAI_API_KEY="sk-elsewhere")) as elsewhere:
        polled = poll(elsewhere)

        assert polled.ready == []
        assert "run retry --resend-lost sends again what may have been created" in polled.alerts[job.stage]
        assert as_it_stands(elsewhere.ledger, job) == job


@pytest.mark.parametrize("made", [True, False], ids=["created", "not-created"])
def test_a_run_is_not_called_cancelled_before_its_unanswered_creation_was_looked_for(
    office: Office, deployment: Deployment, made: bool
) -> None:
    job = an_unanswered_creation(office, deployment, made=made)

    cancelled = cancel_batches(deployment, flow=Flow.TEXT, key=job.stage.key)

    assert cancelled == (Cancelled(asked=1, unsettled=0) if made else Cancelled(asked=0, unsettled=1))
    assert office.cancelled() == (["batch_0"] if made else [])
    if not made:  # it turns up later
        late = office.at_provider(job.submission_key, scenario="stuck")
        poll(deployment)
        assert office.cancelled() == [late["id"]]


def test_an_account_that_hangs_keeps_nobody_waiting_for_long(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for no longer than a look may take, is the first by turns, and rests afterwards."""
    monkeypatch.setattr(models, "LOOK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(rests, "SLOW_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        file = tmp_path / "credentials.json"
        file.write_text(json.dumps({"hangs": {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": address}}))
        with closing(office.open(EVAL_PROJECT_CREDENTIALS_FILE=str(file))) as deployment:
            hanging = an_intent(deployment, project="hangs")
            account = account_digest(address, api_key=KEY)
            hanging = replace(hanging, state=JobState.SUBMITTED, provider_id="b", account=account, base_url=address)
            deployment.ledger.add_jobs([hanging])
            office.submit(deployment, ("first", 0))

            said = [poll(deployment, time_s=5) for _ in range(3)]

    assert said[-1].ready == [stage_of("first")]
    assert sum("project hangs is left alone for another" in one.sentence() for one in said) == 2


def test_what_a_provider_asks_for_is_kept_by_every_look(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0))
    office.server.scenario, office.server.times = "throttled", 9

    for _ in range(5):
        polled = poll(deployment)

    assert office.server.calls["throttled"] == 1
    assert "project default is left alone for another" in polled.sentence()


def test_a_rest_that_is_asked_for_without_measure_is_cut_and_told(office: Office, deployment: Deployment) -> None:
    office.submit(deployment, ("first", 0))
    office.server.scenario, office.server.times, office.server.retry_after = "throttled", 9, "1000000"

    poll(deployment)
    said = poll(deployment).sentence()

    assert office.server.calls["throttled"] == 1
    assert "project default is left alone for another 1,800 s" in said
    assert "its provider asked for 1,000,000 s and is asked again after 1,800 s" in said
