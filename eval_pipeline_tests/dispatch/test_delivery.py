"""Clips on their way to a provider: each once, a bounded number at a time, recorded as they arrive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Barrier, Lock

import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.ports.file_host import HostedState
from eval_pipeline.core.ports.models import Clip
from eval_pipeline.dispatch.delivery import (
    ATTEMPTS,
    LONGEST_PAUSE_S,
    MOST_UNANSWERED,
    Delivery,
    DeliveryPolicy,
    address,
    named_clips,
    still_processed,
    write_filled,
)
from eval_pipeline.providers.gemini.batch_lines import TranscriptionLines
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.dispatch.fake_file_host import FakeFileHost, fault

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PREFIX = "stt_eval/default/first/transcripts"
AT_ONCE = 4
PATIENCE_S = 30
PASSING = (CallFault.AMBIGUOUS, CallFault.UNREACHABLE, CallFault.BUSY)


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


class Bench:
    """Clips in a folder, a store, a host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = FakeFileHost(keeps_until=NOW + timedelta(hours=48))
        self.store = LocalObjectStore(folder / "store")
        self.time = Time()
        self.now = NOW
        self.open_clips = 0
        self.most_open_clips = 0
        self._counting = Lock()

    def delivery(self, host: FakeFileHost | None = None) -> Delivery:
        """Make what a new process has."""
        policy = DeliveryPolicy(at_once=AT_ONCE, sleep=self.time.sleep, clock=lambda: self.time.now_s)
        return Delivery(host or self.host, self.store, prefix=PREFIX, now=lambda: self.now, policy=policy)

    def clip(self, number: int) -> Clip:
        content = f"sound {number}".encode()
        digest = sha256(content).hexdigest()
        return Clip(digest, "audio/wav", len(content), f"{number}.wav", open=lambda: self._opened(digest, content))

    def clips(self, count: int) -> list[Clip]:
        return [self.clip(number) for number in range(count)]

    def record_file(self) -> Path:
        """Return the file of the first delivery's records."""
        [path] = [path for path in (self.folder / "store").rglob("*") if path.is_file()]
        return path

    @contextmanager
    def _opened(self, digest: str, content: bytes) -> Iterator[Path]:
        path = self.folder / digest
        path.write_bytes(content)
        with self._counting:
            self.open_clips += 1
            self.most_open_clips = max(self.most_open_clips, self.open_clips)
        yield path
        with self._counting:
            self.open_clips -= 1


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def failing(*kinds: CallFault) -> Callable[[str], None]:
    """Return what makes the first calls fail, each in its way."""
    left = list(kinds)

    def call(name: str) -> None:
        del name
        if left:
            raise fault(left.pop(0))

    return call


def test_every_clip_arrives_once_with_its_bytes(bench: Bench) -> None:
    told: list[int] = []

    found = bench.delivery().deliver(bench.clips(10), on_progress=told.append)

    assert sorted(bench.host.uploads) == sorted(f"{number}.wav" for number in range(10))
    assert set(found) == {clip.sha256 for clip in bench.clips(10)}
    assert all(sha256(bench.host.contents[file.name]).hexdigest() == digest for digest, file in found.items())
    assert {file.state for file in found.values()} == {HostedState.ACTIVE}
    assert told == list(range(1, 11))


def test_as_many_clips_are_under_way_as_the_policy_says_and_no_more(bench: Bench) -> None:
    together = Barrier(AT_ONCE, timeout=PATIENCE_S)
    bench.host.before_upload = lambda _: (together.wait(), None)[1]

    bench.delivery().deliver(bench.clips(3 * AT_ONCE))

    assert bench.most_open_clips == AT_ONCE
    assert bench.open_clips == 0


def test_clips_are_drawn_as_they_are_needed(bench: Bench) -> None:
    drawn, ahead = 0, []
    done: list[int] = [0]

    def clips() -> Iterator[Clip]:
        nonlocal drawn
        for number in range(100):
            drawn += 1
            ahead.append(drawn - done[-1])
            yield bench.clip(number)

    bench.delivery().deliver(clips(), on_progress=done.append)

    assert drawn == 100
    assert max(ahead) <= 2 * AT_ONCE


def test_what_arrived_is_not_brought_again_by_the_same_process_nor_looked_at(bench: Bench) -> None:
    delivery = bench.delivery()
    first = delivery.deliver(bench.clips(5))

    again = delivery.deliver(bench.clips(6))

    assert {digest: again[digest] for digest in first} == first
    assert len(bench.host.uploads) == 6
    assert bench.host.looks == []


def test_after_a_kill_only_what_is_missing_goes_out(bench: Bench) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def die(done: int) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        bench.delivery().deliver(bench.clips(20), on_progress=die)
    arrived = len(bench.host.uploads)

    found = bench.delivery().deliver(bench.clips(20))

    assert 5 <= arrived < 20
    assert len(bench.host.uploads) == 20
    assert len(bench.host.looks) == arrived, "another process looks whether clips are still there"
    assert len(found) == 20


def test_a_torn_last_record_is_no_record(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(3))
    path = bench.record_file()
    path.write_bytes(path.read_bytes()[:-10])

    found = bench.delivery().deliver(bench.clips(3))

    assert len(bench.host.uploads) == 4
    assert len(found) == 3
    bench.delivery().deliver(bench.clips(3))
    assert len(bench.host.uploads) == 4, "what was recorded behind the torn line counts"


def test_a_clip_that_expires_before_its_batch_may_end_is_brought_again(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(2))
    bench.now = NOW + timedelta(hours=12)
    bench.delivery().deliver(bench.clips(2))
    assert len(bench.host.uploads) == 2

    bench.now = NOW + timedelta(hours=12, seconds=1)
    bench.host.keeps_until = bench.now + timedelta(hours=48)
    bench.delivery().deliver(bench.clips(2))
    bench.delivery().deliver(bench.clips(2))

    assert len(bench.host.uploads) == 4, "the last record of a clip counts"


def test_a_clip_whose_expiry_nobody_told_is_kept(bench: Bench) -> None:
    bench.host.keeps_until = None
    bench.delivery().deliver(bench.clips(1))
    bench.now = NOW + timedelta(days=400)

    bench.delivery().deliver(bench.clips(1))

    assert len(bench.host.uploads) == 1


def test_verifying_looks_at_every_clip_and_brings_those_that_are_gone(bench: Bench) -> None:
    delivery = bench.delivery()
    delivery.deliver(bench.clips(3))
    bench.host.delete("files/2")

    found = delivery.deliver(bench.clips(3), verify=True)

    assert len(bench.host.uploads) == 4
    assert sorted(set(bench.host.looks)) == ["files/1", "files/2", "files/3"]
    assert "files/2" not in {file.name for file in found.values()}


def test_files_of_another_account_do_not_count(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(2))
    other = FakeFileHost(account="another")

    bench.delivery(other).deliver(bench.clips(2))

    assert len(other.uploads) == 2
    assert other.looks == []


def test_a_clip_that_is_looked_through_is_waited_for(bench: Bench) -> None:
    bench.host.looks_processing = 3

    [file] = bench.delivery().deliver(bench.clips(1)).values()

    assert file.state is HostedState.ACTIVE
    assert bench.time.slept == [0.2, 0.5, 1.0]


def test_a_clip_that_is_looked_through_for_long_holds_nobody_back(bench: Bench) -> None:
    bench.host.looks_processing = 10**9
    delivery = bench.delivery()

    found = delivery.deliver(bench.clips(3))

    assert still_processed(found) == found.keys()
    assert 20 < bench.time.now_s < 30, "all three are waited for together"
    delivery.deliver(bench.clips(3))
    assert len(bench.host.uploads) == 3


def test_a_clip_that_turns_out_to_be_none_fails_alone_with_the_reason(bench: Bench) -> None:
    bench.host.looks_processing = 1
    bench.host.unusable = {"1.wav"}

    found = bench.delivery().deliver(bench.clips(3))

    failed = [file for file in found.values() if file.state is HostedState.FAILED]
    assert [file.problem for file in failed] == ["no sound in it"]


def test_a_clip_that_failed_is_sent_again_by_a_later_delivery(bench: Bench) -> None:
    bench.host.looks_processing = 1
    bench.host.unusable = {"0.wav"}
    bench.delivery().deliver(bench.clips(1))
    bench.host.unusable = set()

    [file] = bench.delivery().deliver(bench.clips(1)).values()

    assert len(bench.host.uploads) == 2
    assert file.state is HostedState.ACTIVE


def test_a_refused_clip_is_that_clips_matter(bench: Bench) -> None:
    def refuse(name: str) -> None:
        if name == "1.wav":
            raise fault(CallFault.REFUSED)

    bench.host.before_upload = refuse

    found = bench.delivery().deliver(bench.clips(3))

    refused = found[bench.clip(1).sha256]
    assert (refused.state, refused.problem) == (HostedState.FAILED, "in vain: refused")
    assert sum(file.state is HostedState.ACTIVE for file in found.values()) == 2
    assert bench.time.slept == [], "asking again would not help"


@pytest.mark.parametrize("kind", [CallFault.ACCOUNT, CallFault.GONE])
def test_a_fault_of_the_account_is_raised_at_once(bench: Bench, kind: CallFault) -> None:
    bench.host.before_upload = failing(*[kind] * 100)

    with pytest.raises(BatchCallError) as caught:
        bench.delivery().deliver(bench.clips(50))

    assert caught.value.fault is kind
    assert bench.host.uploads == []
    assert bench.time.slept == []


@pytest.mark.parametrize("kind", PASSING)
def test_an_upload_that_nobody_confirmed_is_made_again(bench: Bench, kind: CallFault) -> None:
    bench.host.before_upload = failing(*[kind] * (ATTEMPTS - 1))

    [file] = bench.delivery().deliver(bench.clips(1)).values()

    assert file.state is HostedState.ACTIVE
    assert bench.time.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("kind", PASSING)
def test_a_provider_that_stays_away_is_no_clips_fault(bench: Bench, kind: CallFault) -> None:
    bench.host.before_upload = failing(*[kind] * ATTEMPTS)

    with pytest.raises(BatchCallError):
        bench.delivery().deliver(bench.clips(1))


@pytest.mark.parametrize("kind", PASSING)
def test_a_look_that_fails_in_passing_is_made_again(bench: Bench, kind: CallFault) -> None:
    bench.delivery().deliver(bench.clips(1))
    bench.host.before_look = failing(*[kind] * (ATTEMPTS - 1))

    bench.delivery().deliver(bench.clips(1))

    assert len(bench.host.uploads) == 1


@pytest.mark.parametrize("kind", [*PASSING, CallFault.ACCOUNT])
def test_a_clip_that_nobody_can_be_asked_about_is_not_called_unusable(bench: Bench, kind: CallFault) -> None:
    bench.host.looks_processing = 1
    bench.host.before_look = failing(*[kind] * ATTEMPTS)

    with pytest.raises(BatchCallError):
        bench.delivery().deliver(bench.clips(1))


def test_a_wait_that_the_provider_asks_for_is_kept_up_to_a_minute(bench: Bench) -> None:
    waits = [7.0, 86_400.0]

    def busy(name: str) -> None:
        del name
        if waits:
            raise fault(CallFault.BUSY, retry_after_s=waits.pop(0))

    bench.host.before_upload = busy
    bench.delivery().deliver(bench.clips(1))

    assert bench.time.slept == [7.0, LONGEST_PAUSE_S]


def test_what_was_delivered_can_be_taken_away_and_is_forgotten(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(7))

    assert bench.delivery().take_away() == 7

    assert sorted(bench.host.deletions) == sorted(f"files/{number}" for number in range(1, 8))
    assert list(bench.store.list(PREFIX)) == []
    bench.delivery().deliver(bench.clips(7))
    assert len(bench.host.uploads) == 14


def test_a_file_that_cannot_be_deleted_is_left_to_its_expiry(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(3))
    bench.host.before_delete = failing(CallFault.AMBIGUOUS)

    assert bench.delivery().take_away() == 3

    assert len(bench.host.deletions) == 2


def test_a_provider_that_is_away_is_not_asked_about_every_single_file(bench: Bench) -> None:
    bench.delivery().deliver(bench.clips(100))
    asked: list[str] = []

    def refuse(name: str) -> None:
        asked.append(name)
        raise fault(CallFault.UNREACHABLE)

    bench.host.before_delete = refuse

    bench.delivery().take_away()

    assert MOST_UNANSWERED <= len(asked) < MOST_UNANSWERED + AT_ONCE


SHA = [sha256(bytes([number])).hexdigest() for number in range(3)]
HOSTILE = (
    address(SHA[2]),
    f'"{address(SHA[2])}"',
    f'"file_uri":"{address(SHA[2])}"',
    f'\\"file_uri":"{address(SHA[2])}"',
    f'{{"file_data":{{"file_uri":"{address(SHA[2])}"}}}}',
    f'\n"file_uri":"{address(SHA[2])}"\u2028',
)


def request_file(folder: Path, *prompts: str) -> Path:
    """Write lines that name two clips in turn."""
    lines = TranscriptionLines()
    path = folder / "requests.jsonl"
    path.write_bytes(
        b"".join(
            lines.line(f"s{number:06d}m01", prompt=prompt, mime_type="audio/wav", file_uri=address(SHA[number % 2]))
            for number, prompt in enumerate(prompts)
        )
    )
    return path


def test_clips_are_found_each_once_and_get_their_addresses(tmp_path: Path) -> None:
    stored = request_file(tmp_path, "a", "b", "c")
    uris = {SHA[0]: 'https://host/0?x=1&y="2"', SHA[1]: "https://host/1"}

    filled = write_filled(stored, tmp_path / "filled", uris=uris).read_bytes()

    assert list(named_clips(stored)) == SHA[:2]
    assert b"clip://" not in filled
    assert filled.count(b'"https://host/0?x=1&y=\\"2\\""') == 2
    assert filled.count(b"\n") == 3


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_prompt_that_looks_like_a_clip_stays_a_prompt(tmp_path: Path, prompt: str) -> None:
    stored = request_file(tmp_path, prompt, prompt)
    lines = TranscriptionLines()
    uris = {sha: f"https://host/{number}" for number, sha in enumerate(SHA)}

    filled = write_filled(stored, tmp_path / "filled", uris=uris).read_bytes()

    assert list(named_clips(stored)) == SHA[:2]
    assert filled == b"".join(
        lines.line(f"s{number:06d}m01", prompt=prompt, mime_type="audio/wav", file_uri=f"https://host/{number}")
        for number in range(2)
    )


def test_records_of_several_deliveries_add_up(bench: Bench) -> None:
    delivery = bench.delivery()
    clips = iter(bench.clips(9))

    while pack := list(islice(clips, 2)):
        delivery.deliver(pack)

    assert len(bench.host.uploads) == 9
    assert bench.delivery().take_away() == 9
