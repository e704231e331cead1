"""Clips on their way to Gemini and back: refused, deleted, expired, killed in the middle; nothing is paid twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline_tests.commands import PATIENCE_S
from eval_pipeline_tests.listening import FLASH, PRO, RUN, Recording, Studio, recordings, studio

pytestmark = pytest.mark.slow

CLIPS = recordings(4)
DAY_S = 86_400


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, CLIPS, EVAL_STT_UPLOAD_CONCURRENCY="1") as opened:
        yield opened


def name_of(one: Recording) -> str:
    """Return what a clip is called at the provider: nothing of its file's name goes there."""
    return one.sha256[:16]


def uploads(made: Studio) -> list[int]:
    """Count how often each clip was uploaded."""
    asked = made.gemini.counts()["files.upload"]["asked"]
    return [asked.get(f"{name_of(one)}.wav", 0) for one in CLIPS]


def test_a_clip_that_the_provider_does_not_take_fails_alone(made: Studio) -> None:
    refused, unprocessed = CLIPS[0], CLIPS[1]
    made.gemini.spoil(
        {"kind": "bad_request", "endpoint": "files.start", "match": name_of(refused)},
        {"kind": "processing_failed", "endpoint": "files.upload", "match": name_of(unprocessed)},
    )

    ended = made.run(models=(FLASH, PRO))

    assert (ended.code, ended.document["counts"]["ok"], ended.document["counts"]["failed"]) == (0, 4, 4)
    told = {name: one["error"] for (name, _), one in made.pairs().items() if one["error"]}
    assert {name: error["code"] for name, error in told.items()} == {
        refused.name: "clip_refused",
        unprocessed.name: "clip_refused",
    }
    assert "Request contains an invalid argument" in told[refused.name]["message"]
    assert "The file could not be processed" in told[unprocessed.name]["message"]
    assert made.gemini.executed().total() == 4
    assert made.gemini.clips() == []


def test_a_clip_that_was_deleted_before_its_batch_ran_is_uploaded_again(made: Studio) -> None:
    made.gemini.set(batch_polls=1)
    made.submit()
    deleted, *_ = made.gemini.clips()
    made.gemini.delete(deleted)

    ended = made("run", "retry", RUN, "--json")

    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    assert sorted(uploads(made)) == [1, 1, 1, 2]
    assert set(made.gemini.executed().values()) == {1}
    assert [job["outcomes"] for job in ended.document["batches"]] == [{"ok": 3, "retryable": 1}, {"ok": 1}]


def test_a_clip_that_goes_bad_between_two_rounds_keeps_nobody_else_waiting(made: Studio) -> None:
    """The round is recorded, its file is not sent yet: the account has no credit. Meanwhile everything expires."""
    made.gemini.spoil({"kind": "forbidden", "endpoint": "batches.create"})
    assert made.run().error_code == "provider_account"
    made.gemini.set(ahead_s=2 * DAY_S)
    made.gemini.spoil({"kind": "processing_failed", "endpoint": "files.upload", "match": name_of(CLIPS[3])})

    ended = made("run", "retry", RUN, "--json")

    assert (ended.code, ended.document["counts"]["ok"], ended.document["counts"]["failed"]) == (0, 3, 1)
    assert made.pairs()[CLIPS[3].name, FLASH]["error"]["code"] == "clip_refused"
    assert set(made.gemini.executed().values()) == {1}


def test_a_request_file_that_waits_for_room_is_filled_anew(made: Studio) -> None:
    """The addresses of its clips may expire in the meantime, signed ones above all."""
    made.gemini.spoil({"kind": "rate_limit", "endpoint": "batches.create", "first_n": 1, "retry_after": 0})

    ended = made.run()

    files = {name: count for name, count in made.gemini.counts()["files.start"]["asked"].items() if "jsonl" in name}
    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    assert list(files.values()) == [2]
    assert uploads(made) == [1, 1, 1, 1]
    assert (made.gemini.files(), set(made.gemini.executed().values())) == ([], {1})


def test_everything_that_expired_while_a_person_was_away_goes_out_again(made: Studio) -> None:
    """Clips and the request file: the provider keeps both for two days, and a weekend is longer."""
    made.gemini.spoil({"kind": "forbidden", "endpoint": "batches.create"})
    refused = made.run()
    made.gemini.spoil()
    made.gemini.set(ahead_s=2 * DAY_S)

    ended = made("run", "retry", RUN, "--json")

    assert (refused.code, refused.error_code) == (1, "provider_account")
    assert "check GEMINI_API_KEY" in refused.document["error"]["hint"]
    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    assert set(made.gemini.executed().values()) == {1}


@pytest.mark.parametrize(
    ("method", "path", "after", "again"),
    [
        ("POST", "/upload/", 2, [1, 1, 2, 1]),
        ("POST", ":batchGenerateContent", 0, [1, 1, 1, 1]),
        ("GET", ":download", 0, [1, 1, 1, 1]),
        ("DELETE", "/files/", 1, [1, 1, 1, 1]),
    ],
    ids=["while it uploads", "after a batch was created", "while it collects", "while it tidies up"],
)
def test_a_run_that_is_killed_loses_nothing_and_pays_nothing_twice(
    made: Studio, method: str, path: str, after: int, again: list[int]
) -> None:
    """The provider has executed the call; the process that made it dies before it knows."""
    made.gemini.door.hold(method, path, after=after)
    arguments = ("stt", "run", RUN, "--dataset", "clips", "--model", FLASH, "--json")
    with made.commands.begin(*arguments) as process:
        assert made.gemini.door.reached.wait(PATIENCE_S)
        process.kill()
    made.gemini.door.opened.set()
    assert made.state() == "interrupted"

    ended = made("run", "retry", RUN, "--json")

    assert (ended.code, ended.document["state"], ended.document["counts"]["ok"]) == (0, "completed", 4)
    assert uploads(made) == again
    assert len(made.gemini.batches()) == 1
    assert (len(made.gemini.executed()), set(made.gemini.executed().values())) == (4, {1})


def test_a_live_run_that_is_killed_asks_again_only_what_was_under_way(made: Studio) -> None:
    made.gemini.door.hold("POST", ":generateContent", after=2)
    arguments = ("stt", "run", RUN, "--dataset", "clips", "--model", FLASH, "--mode", "fast", "--concurrency", "1")
    with made.commands.begin(*arguments) as process:
        assert made.gemini.door.reached.wait(PATIENCE_S)
        process.kill()
    made.gemini.door.opened.set()
    assert made.shown()["counts"]["failed"] == 0

    ended = made("run", "retry", RUN, "--json")

    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    billed = made.gemini.counts()["generate"]["billed"]
    assert [billed[one.sha256] for one in CLIPS] == [1, 1, 2, 1]


@pytest.mark.slow
def test_a_clip_that_the_provider_looks_through_for_long_follows_the_others(made: Studio) -> None:
    """It was waited for by all, for up to ten minutes."""
    made.gemini.spoil({"kind": "processing_slowly", "endpoint": "files.upload", "match": name_of(CLIPS[2])})

    ended = made.run()

    others, late = sorted(ended.document["batches"], key=lambda job: job["submitted_at"])
    assert (others["requests"], late["requests"]) == (3, 1)
    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    assert set(made.gemini.executed().values()) == {1}
    assert uploads(made) == [1, 1, 1, 1]
