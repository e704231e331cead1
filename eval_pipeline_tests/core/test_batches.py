"""The decisions about batch jobs, over all states and over random histories of a provider that misbehaves."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.batches import (
    FINAL,
    OPEN,
    BatchJob,
    IntentStep,
    JobState,
    LineError,
    Phase,
    ProviderBatch,
    Refusal,
    StageStep,
    Verdict,
    can_move,
    counts_as_list,
    deadline_of,
    expiry_words,
    is_gone,
    may_become,
    pause_after_refusal_s,
    pause_s,
    queue_wait_s,
    refusal_of,
    results_deleted_at,
    step_of_intent,
    step_of_stage,
    submission_key,
    verdict_of,
    wants_a_run,
)
from eval_pipeline_tests.storage.records import POLICY, a_job

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE_S = POLICY.create_timeout_s + POLICY.settle_s
INTENT = a_job(at=NOON, id=1, submission_key="key")
STAGE = INTENT.stage
SUBMITTED = replace(INTENT, state=JobState.SUBMITTED, provider_id="batch_1", provider_created_at=NOON)
ENDED = replace(SUBMITTED, state=JobState.ENDED)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seen(
    phase: Phase, *, output: str | None = None, errors: str | None = None, completed: int | None = None
) -> ProviderBatch:
    return ProviderBatch(
        id="batch_1",
        phase=phase,
        status=str(phase),
        key="key",
        created_at=NOON,
        output_file_id=output,
        error_file_id=errors,
        completed=completed,
    )


def test_every_open_state_has_a_way_to_an_end_and_only_what_was_lost_may_be_found_again() -> None:
    ways = {before: {state for state in JobState if may_become(before, state)} for before in JobState}

    assert all(ways[state] & FINAL for state in OPEN)
    assert all(not ways[state] for state in FINAL - {JobState.LOST})
    assert ways[JobState.LOST] == {JobState.SUBMITTED, JobState.ENDED, JobState.CANCELLED}
    assert JobState.ENDED not in ways[JobState.INTENT], "nothing ends that was never submitted"
    assert JobState.COLLECTED not in ways[JobState.SUBMITTED], "nothing is collected before it has ended"


PARTS = {"ledger_id": "one", "shard": 0, "round_": 0, "attempt": 0, "fingerprint": "sha", "stage": STAGE}
OTHER_PARTS = {
    "ledger_id": "two",
    "shard": 1,
    "round_": 1,
    "attempt": 1,
    "fingerprint": "another",
    "stage": replace(STAGE, stage="embeddings"),
}


def test_the_same_submission_has_the_same_key() -> None:
    assert submission_key(**PARTS) == submission_key(**PARTS)


@pytest.mark.parametrize("name", OTHER_PARTS)
def test_whatever_differs_makes_another_key(name: str) -> None:
    assert submission_key(**(PARTS | {name: OTHER_PARTS[name]})) != submission_key(**PARTS)


class TestIntents:
    """A batch is created only when none with its key can exist."""

    def test_one_that_was_never_sent_is_created_at_once(self) -> None:
        assert step_of_intent(INTENT, now=NOON, policy=POLICY) is IntentStep.CREATE

    def test_one_that_waits_for_room_is_created_when_its_time_has_come(self) -> None:
        waiting = replace(INTENT, waits_until=after(60))

        assert step_of_intent(waiting, now=NOON, policy=POLICY) is IntentStep.WAIT
        assert step_of_intent(waiting, now=after(60), policy=POLICY) is IntentStep.CREATE

    def test_a_clock_that_was_set_back_does_not_prolong_a_wait(self) -> None:
        waiting = replace(INTENT, waits_until=after(60))

        assert step_of_intent(waiting, now=after(-86_400), policy=POLICY) is IntentStep.CREATE

    @given(
        age_s=st.floats(-86_400, 86_400) | st.just(PATIENCE_S),
        empty_lists=st.integers(0, 4),
        now_s=st.floats(-1e6, 1e6),
    )
    def test_one_whose_creation_was_begun_is_looked_for_until_two_late_lists_were_empty(
        self, age_s: float, empty_lists: int, now_s: float
    ) -> None:
        begun = replace(INTENT, create_started_at=NOON, empty_lists=empty_lists, listed_at=after(age_s))
        proven = empty_lists >= 2 and age_s >= PATIENCE_S

        step = step_of_intent(begun, now=after(now_s), policy=POLICY)

        assert step is (IntentStep.CREATE if proven else IntentStep.LOOK)

    def test_one_that_no_list_has_missed_yet_is_looked_for_however_old_it_is(self) -> None:
        begun = replace(INTENT, create_started_at=NOON)

        assert step_of_intent(begun, now=after(1e6), policy=POLICY) is IntentStep.LOOK

    def test_lists_count_when_they_are_a_poll_apart(self) -> None:
        listed = replace(INTENT, listed_at=NOON)

        assert counts_as_list(INTENT, now=NOON, policy=POLICY)
        assert not counts_as_list(listed, now=after(POLICY.poll_s - 1), policy=POLICY)
        assert counts_as_list(listed, now=after(POLICY.poll_s), policy=POLICY)


class TestVerdicts:
    """What a look at a submitted job means."""

    @given(phase=st.sampled_from(Phase), late_s=st.floats(-1e6, 1e6), cancelled=st.booleans(), looks=st.integers(0, 9))
    def test_there_is_one_for_everything_that_can_be_seen(
        self, phase: Phase, late_s: float, cancelled: bool, looks: int
    ) -> None:
        job = replace(SUBMITTED, cancel_requested_at=NOON if cancelled else None, looks_without_files=looks)
        now = deadline_of(job, policy=POLICY) + timedelta(seconds=late_s)

        verdict = verdict_of(job, seen(phase), now=now, policy=POLICY)

        if phase in {Phase.EXPIRED, Phase.CANCELLED, Phase.FAILED}:
            assert verdict is Verdict.END, "nothing of it was done"
        if verdict is Verdict.CANCEL:
            assert now >= deadline_of(job, policy=POLICY)
            assert not cancelled, "a batch is asked to stop once"
        if verdict is Verdict.GIVE_UP:
            assert cancelled
            assert now - NOON >= timedelta(seconds=POLICY.cancel_grace_s)

    @pytest.mark.parametrize("phase", [Phase.WORKING, Phase.FINALIZING, Phase.UNKNOWN])
    def test_a_batch_is_cancelled_when_its_window_and_the_slack_are_over(self, phase: Phase) -> None:
        end_s = POLICY.window_s + POLICY.slack_s

        assert verdict_of(SUBMITTED, seen(phase), now=after(end_s - 1), policy=POLICY) is Verdict.WAIT
        assert verdict_of(SUBMITTED, seen(phase), now=after(end_s), policy=POLICY) is Verdict.CANCEL

    @given(
        batch=st.builds(
            seen,
            st.sampled_from([Phase.COMPLETED, Phase.EXPIRED, Phase.CANCELLED]),
            output=st.none() | st.just("f"),
            errors=st.none() | st.just("e"),
            completed=st.none() | st.integers(0, 5),
        ),
        looks=st.integers(0, 1_000),
        age_s=st.floats(0, 1e6),
    )
    def test_what_was_paid_for_is_waited_for_minutes_and_never_sent_again_unasked(
        self, batch: ProviderBatch, looks: int, age_s: float
    ) -> None:
        """However often it is looked at: servers name files a minute late, and a poll may come every second."""
        job = replace(SUBMITTED, looks_without_files=looks, unseen_since=NOON if looks else None)

        verdict = verdict_of(job, batch, now=after(age_s), policy=POLICY)

        uncounted = batch.completed is None and batch.phase is Phase.COMPLETED and batch.error_file_id is None
        if batch.output_file_id is not None:
            assert verdict is Verdict.END
        elif batch.completed or uncounted:
            over = looks > 0 and age_s >= POLICY.lost_s
            assert verdict is (Verdict.LOSE if over else Verdict.WAIT_FOR_FILES)
        else:
            assert verdict in {Verdict.END, Verdict.WAIT_FOR_FILES}
            assert age_s < POLICY.most_file_wait_s or not looks or verdict is Verdict.END

    @given(looks=st.integers(0, 1_000), age_s=st.none() | st.floats(0, 2 * POLICY.window_s))
    def test_a_batch_that_is_not_found_is_lost_after_minutes_and_two_whole_lists(
        self, looks: int, age_s: float | None
    ) -> None:
        job = replace(SUBMITTED, unseen_since=None if age_s is None else NOON)

        gone = is_gone(job, looks=looks, now=after(age_s or 0.0), policy=POLICY)

        by_lists = looks >= 2 and (age_s or 0.0) >= POLICY.lost_s
        too_late = (age_s or 0.0) >= POLICY.window_s + POLICY.slack_s
        assert gone is (age_s is not None and (by_lists or too_late))

    def test_a_refused_creation_is_tried_again_for_as_long_as_its_file_is_new(self) -> None:
        refused = replace(INTENT, unseen_since=NOON)

        def pause(job: BatchJob, age_s: float, *, about_file: bool) -> float | None:
            return pause_after_refusal_s(job, about_file=about_file, now=after(age_s), policy=POLICY)

        assert pause(INTENT, 0, about_file=True) == pause(INTENT, 0, about_file=False) == 1.0
        assert pause(refused, 4, about_file=False) == 4.0
        assert pause(refused, POLICY.refusal_s, about_file=False) is None
        assert pause(refused, POLICY.refusal_s, about_file=True) == POLICY.refusal_s
        assert pause(refused, POLICY.file_new_s, about_file=True) is None

    @given(begun=st.booleans(), lists=st.integers(0, 3), age_s=st.floats(0, 1e6))
    def test_an_intent_that_was_cancelled_is_never_created(self, begun: bool, lists: int, age_s: float) -> None:
        job = replace(
            INTENT,
            cancel_requested_at=NOON,
            create_started_at=NOON if begun else None,
            empty_lists=lists,
            listed_at=after(age_s),
        )

        assert step_of_intent(job, now=after(age_s), policy=POLICY) in {IntentStep.LOOK, IntentStep.DROP}

    def test_the_window_counts_from_the_providers_own_moment_of_creation(self) -> None:
        ours_was_ahead = replace(SUBMITTED, created_at=after(86_400), create_started_at=after(86_400))

        assert deadline_of(ours_was_ahead, policy=POLICY) == after(POLICY.window_s + POLICY.slack_s)


DAY_S = 86_400
COLLECTABLE = replace(ENDED, ended_at=after(DAY_S), output_file_id="file-out")


def test_results_are_kept_thirty_days_from_the_end_of_their_batch() -> None:
    assert results_deleted_at(COLLECTABLE, policy=POLICY) == after(31 * DAY_S)
    assert results_deleted_at(replace(COLLECTABLE, output_file_id=None, error_file_id="file-err"), policy=POLICY)


def test_a_batch_that_nobody_can_ask_about_may_have_ended_as_soon_as_it_was_made() -> None:
    assert results_deleted_at(SUBMITTED, policy=POLICY) == after(30 * DAY_S)


@pytest.mark.parametrize(
    "job",
    [
        INTENT,
        replace(COLLECTABLE, output_file_id=None),
        *(replace(COLLECTABLE, state=state) for state in FINAL),
    ],
    ids=["never-sent", "brought-nothing", *sorted(FINAL)],
)
def test_what_cannot_be_lost_does_not_expire(job: BatchJob) -> None:
    assert expiry_words([job], now=after(60 * DAY_S), policy=POLICY) is None


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (24 * DAY_S, None),
        (24 * DAY_S + 1, "not collected and expire in 6 days, on 2026-04-01 12:00 UTC"),
        (31 * DAY_S - 1, "not collected and expire in 0 days, on 2026-04-01 12:00 UTC"),
        (31 * DAY_S + 1, "not collected and may be deleted at the provider since 2026-04-01 12:00 UTC"),
    ],
)
def test_a_person_is_told_a_week_before_results_expire(age_s: int, expected: str | None) -> None:
    later = replace(COLLECTABLE, ended_at=after(20 * DAY_S), provider_id="batch_2")

    words = expiry_words([later, COLLECTABLE], now=after(age_s), policy=POLICY)

    assert words == (None if expected is None else f"the results of batch batch_1 are {expected}")


def test_waits_for_room_grow_and_are_bounded() -> None:
    waits = [queue_wait_s(replace(INTENT, attempt=attempt), policy=POLICY) for attempt in range(50)]

    assert waits == sorted(waits)
    assert waits[0] == POLICY.poll_s
    assert waits[-1] == POLICY.most_queue_wait_s


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((), Refusal.UNEXPLAINED),
        ((LineError("server_error", "?"),), Refusal.UNEXPLAINED),
        ((LineError("token_limit_exceeded", "queue"),), Refusal.NO_ROOM),
        ((LineError("RESOURCE_EXHAUSTED", "queue"),), Refusal.NO_ROOM),
        ((LineError("invalid_json_line", "?", 3),), Refusal.LINES),
        ((LineError("model_not_found", "?"),), Refusal.ALL),
        ((LineError("a_word_of_tomorrow", "?"),), Refusal.ALL),
        ((LineError("invalid_json_line", "?", 3), LineError("token_limit_exceeded", "queue")), Refusal.NO_ROOM),
    ],
)
def test_why_a_batch_was_refused_decides_about_its_items(errors: tuple[LineError, ...], expected: Refusal) -> None:
    assert refusal_of(errors) is expected


class TestRuns:
    """When a run is worth starting."""

    def test_results_of_one_shard_wait_for_those_of_the_others(self) -> None:
        assert not wants_a_run([ENDED, SUBMITTED], now=NOON, policy=POLICY)
        assert wants_a_run([ENDED, ENDED], now=NOON, policy=POLICY)

    def test_an_intent_that_may_be_created_is_reason_enough(self) -> None:
        assert wants_a_run([SUBMITTED, INTENT], now=NOON, policy=POLICY)

    def test_what_only_waits_is_none(self) -> None:
        waiting = replace(INTENT, waits_until=after(60))

        assert not wants_a_run([waiting, ENDED], now=NOON, policy=POLICY)
        assert not wants_a_run([], now=NOON, policy=POLICY)

    def test_what_could_not_be_collected_is_left_alone_for_longer_and_longer_without_an_end(self) -> None:
        since, waits = 0.0, []
        for _ in range(20):
            job = replace(ENDED, unseen_since=NOON)
            waits.append(pause_s(job, now=after(since), retry_after_s=None, policy=POLICY))
            paused = replace(job, waits_until=after(since + waits[-1]))
            assert not wants_a_run([paused], now=after(since), policy=POLICY)
            since += waits[-1]
            assert wants_a_run([paused], now=after(since), policy=POLICY)

        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (POLICY.poll_s, POLICY.most_queue_wait_s)
        assert pause_s(ENDED, now=NOON, retry_after_s=90, policy=POLICY) == 90

    def test_whatever_wants_a_run_can_be_moved_by_it(self) -> None:
        for jobs in ([ENDED], [INTENT], [INTENT, SUBMITTED]):
            assert wants_a_run(jobs, now=NOON, policy=POLICY)
            assert any(can_move(job, now=NOON, policy=POLICY) for job in jobs)


class TestStages:
    """What a stage does next."""

    def step(self, *jobs: BatchJob, unfinished: int = 0, rounds_left: int = 2) -> StageStep:
        return step_of_stage(jobs, unfinished=unfinished, rounds_left=rounds_left, now=NOON, policy=POLICY)

    def test_it_submits_waits_acts_repeats_and_ends(self) -> None:
        collected = replace(ENDED, state=JobState.COLLECTED)

        assert self.step() is StageStep.SUBMIT_FIRST
        assert self.step(SUBMITTED) is StageStep.WAIT
        assert self.step(SUBMITTED, ENDED) is StageStep.ACT
        assert self.step(collected, unfinished=2) is StageStep.SUBMIT_ROUND
        assert self.step(collected, unfinished=2, rounds_left=0) is StageStep.FINISH
        assert self.step(collected) is StageStep.FINISH
        assert self.step(collected, SUBMITTED, unfinished=2) is StageStep.WAIT, "no round goes out beside another"


PERMANENT, PASSING = "failed", "retryable"


@dataclass
class History:
    """One shard's life against a provider that a random script drives; what a stage does is carried out plainly."""

    items: int
    now_s: float = 0.0
    jobs: list[BatchJob] = field(default_factory=list)
    at_provider: dict[str, float] = field(default_factory=dict)
    """Batches that exist, by key, with the moment at which they come to be listed."""
    created: Counter[str] = field(default_factory=Counter)
    open_items: set[int] = field(default_factory=set)
    asked: Counter[int] = field(default_factory=Counter)
    settled: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open_items = set(range(self.items))
        self.record()

    @property
    def now(self) -> datetime:
        return after(self.now_s)

    def record(self) -> None:
        """Record the intent of the next round."""
        number = len(self.jobs)
        self.jobs.append(
            replace(INTENT, id=number, round=number, submission_key=f"key-{number}", requests=len(self.open_items))
        )

    def change(self, *, to: JobState | None = None, **changes: object) -> None:
        """Change the last job along a way that exists."""
        job = self.jobs[-1]
        if to is not None:
            assert may_become(job.state, to)
        self.jobs[-1] = replace(job, **changes, state=to or job.state)  # type: ignore[arg-type]

    def take_step(self, fate: str, item_fates: list[str]) -> None:
        """Let time pass, and do what is decided."""
        self.now_s += POLICY.poll_s
        job = self.jobs[-1]
        match job.state:
            case JobState.INTENT:
                self.settle(fate)
            case JobState.SUBMITTED:
                phase = {"stuck": Phase.WORKING, "odd": Phase.UNKNOWN}.get(fate, Phase.COMPLETED)
                self.look(seen(phase, output="file"))
            case JobState.ENDED:
                self.collect(item_fates)

    def settle(self, fate: str) -> None:
        job = self.jobs[-1]
        match step_of_intent(job, now=self.now, policy=POLICY):
            case IntentStep.WAIT:
                return
            case IntentStep.LOOK:
                if self.at_provider.get(job.submission_key, float("inf")) <= self.now_s:
                    self.change(to=JobState.SUBMITTED, provider_created_at=self.now)
                elif counts_as_list(job, now=self.now, policy=POLICY):
                    self.change(empty_lists=job.empty_lists + 1, listed_at=self.now)
            case IntentStep.CREATE:
                if fate == "no_room":
                    self.change(waits_until=after(self.now_s + queue_wait_s(job, policy=POLICY)))
                    return
                self.change(create_started_at=self.now, empty_lists=0, listed_at=None, waits_until=None)
                if fate == "killed_before":
                    return
                self.created[job.submission_key] += 1
                assert self.created[job.submission_key] == 1, "paid twice"
                slow = fate == "answer_lost_and_listed_late"
                self.at_provider[job.submission_key] = self.now_s + (PATIENCE_S - POLICY.poll_s if slow else 0)
                if fate not in {"answer_lost", "answer_lost_and_listed_late"}:
                    self.change(to=JobState.SUBMITTED, provider_created_at=self.now)

    def look(self, batch: ProviderBatch) -> None:
        job = self.jobs[-1]
        batch = replace(batch, created_at=job.provider_created_at)
        match verdict_of(job, batch, now=self.now, policy=POLICY):
            case Verdict.CANCEL:
                self.change(cancel_requested_at=self.now, cancelled_by_us=True)
            case Verdict.END | Verdict.LOSE | Verdict.GIVE_UP:
                self.change(to=JobState.ENDED)
            case Verdict.WAIT:
                self.now_s += POLICY.window_s / 4
            case Verdict.WAIT_FOR_FILES:
                self.change(looks_without_files=job.looks_without_files + 1, unseen_since=job.unseen_since or self.now)

    def collect(self, item_fates: list[str]) -> None:
        """Give every item of the job one outcome, as the provider's files would."""
        sent = sorted(self.open_items)
        outcomes = Counter(item_fates[item % len(item_fates)] for item in sent)
        for item in sent:
            assert item not in self.settled, "what is settled is not asked again"
            self.asked[item] += 1
            outcome = item_fates[item % len(item_fates)]
            if outcome != PASSING:
                self.settled[item] = outcome
                self.open_items.discard(item)
        assert sum(outcomes.values()) == self.jobs[-1].requests
        self.change(to=JobState.COLLECTED, outcomes=dict(outcomes))

    def goes_on(self) -> bool:
        """Record another round where one is due; False at the end."""
        unfinished = sum((job.outcomes or {}).get(PASSING, 0) for job in self.jobs[-1:])
        step = step_of_stage(
            self.jobs,
            unfinished=unfinished,
            rounds_left=POLICY.max_rounds - len(self.jobs),
            now=self.now,
            policy=POLICY,
        )
        if step is StageStep.SUBMIT_ROUND:
            self.record()
        return step is not StageStep.FINISH


FATES = st.sampled_from(
    ["well", "no_room", "killed_before", "answer_lost", "answer_lost_and_listed_late", "stuck", "odd"]
)
ITEM_FATES = st.lists(st.sampled_from(["ok", PERMANENT, PASSING]), min_size=1, max_size=5)


@settings(max_examples=300)
@given(items=st.integers(1, 6), fates=st.lists(st.tuples(FATES, ITEM_FATES), max_size=60))
def test_every_history_ends_with_each_key_paid_at_most_once_and_nothing_settled_asked_again(
    items: int, fates: list[tuple[str, list[str]]]
) -> None:
    history = History(items)
    script = iter(fates)
    for _ in range(2_000):
        if not history.goes_on():
            break
        fate, item_fates = next(script, ("well", ["ok"]))
        history.take_step(fate, item_fates)
    else:
        pytest.fail("the history does not end")

    assert all(job.state in FINAL for job in history.jobs)
    assert len(history.jobs) <= POLICY.max_rounds
    assert max(history.created.values()) == 1
    assert len(history.settled) + len(history.open_items) == items
    assert max(history.asked.values()) <= POLICY.max_rounds
