"""Everything that can happen to a Gemini batch of clips, each to one model of one run, and to the lines of another run.

One run proves more than one for each scenario would: what happens to one batch must not touch the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from eval_pipeline_tests.listening import RUN, Studio, recordings, studio

pytestmark = pytest.mark.slow

CLIPS = recordings(4)


@dataclass(frozen=True)
class Met:
    """What the batch of one model meets, and what its four clips come to.

    Args:
        scenario: of the batch.
        conditions: of the scenario.
        ok: clips with a transcript.
        rounds: batches with requests of the model, submissions for want of room not counted.
        twice: clips that the provider executed once more: their results were lost.
        status: of the other clips.
        code: of their error.
        words: in their error's message.
    """

    scenario: str
    conditions: Mapping[str, object] = field(default_factory=dict)
    ok: int = 4
    rounds: int = 1
    twice: int = 0
    status: str = ""
    code: str = ""
    words: str = ""


SCENARIOS = (
    Met("out_of_order"),
    Met("missing_line", {"lines": 2}, rounds=2, twice=2),
    Met("duplicate_line", {"lines": 4}),
    Met("unknown_line"),
    Met("cut_last_line", rounds=2, twice=1),
    Met("u2028"),
    Met("partially_succeeded", {"done": 2}, rounds=2),
    Met("failed", {"code": "INTERNAL"}, rounds=2),
    Met("failed", {"code": "UNAVAILABLE", "message": "try later"}, rounds=2),
    Met("token_limit"),
    Met("failed", {"code": "RESOURCE_EXHAUSTED", "message": "enqueued tokens reached their limit"}),
    Met("token_limit_on_create", {"first_n": 1}),
    Met("expired_no_files", rounds=2),
    Met("unknown_status", {"polls": 2}),
    Met("late_files", {"polls": 2}),
    Met("null_counts"),
    Met("forgotten", {"polls": 2}),
    Met("vanished", {"polls": 1}),
    Met("cancelled_no_files", ok=0, status="failed", code="batch_cancelled", words="the batch was cancelled"),
    Met(
        "all_bad_request",
        {"message": "no such audio"},
        ok=0,
        status="failed",
        code="invalid_argument",
        words="no such audio",
    ),
    Met("validation_failed", ok=0, status="failed", code="invalid_argument", words="Failed to parse line 1"),
    Met(
        "failed",
        {"code": "PERMISSION_DENIED", "message": "denied by policy"},
        ok=0,
        status="failed",
        code="permission_denied",
        words="denied by policy",
    ),
    Met("result_404", ok=0, status="missing", code="result_lost", words="run retry --resend-lost"),
)
REFUSED_AS_A_WHOLE = {"cancelled_no_files", "validation_failed", "failed"}
MODELS = [f"gemini-{number:02d}-{met.scenario.replace('_', '-')}" for number, met in enumerate(SCENARIOS)]
CASES = pytest.mark.parametrize(("model", "met"), list(zip(MODELS, SCENARIOS, strict=True)), ids=MODELS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Give a home in which every batch of the first round met its scenario, and calls failed meanwhile."""
    with studio(tmp_path_factory.mktemp("scenarios"), CLIPS) as opened:
        opened.gemini.spoil_batches(
            *(
                {"scenario": met.scenario, "match": f"r00-s{shard:04d}-a00", **met.conditions}
                for shard, met in enumerate(SCENARIOS)
            )
        )
        opened.gemini.spoil(
            {"kind": "accepted_then_reset", "endpoint": "batches.create", "match": "r00-s0000"},
            {"kind": "rate_limit", "endpoint": "batches.create", "match": "r00-s0002", "times": 1, "retry_after": 0},
            {"kind": "server_error", "endpoint": "batches.list", "first_n": 4},
            {"kind": "server_error", "endpoint": "batches.get", "first_n": 2},
            {"kind": "unavailable", "endpoint": "files.start", "match": "r00-s0001-a00", "times": 1},
            {"kind": "short", "endpoint": "files.download", "first_n": 1},
            {"kind": "reset_midway", "endpoint": "files.download", "first_n": 1},
            {"kind": "server_error", "endpoint": "files.download", "first_n": 1},
            {"kind": "unavailable", "endpoint": "files.start", "first_n": 1},
            {"kind": "no_upload_status", "endpoint": "files.upload", "first_n": 1},
            {"kind": "accepted_then_reset", "endpoint": "files.upload", "match": CLIPS[3].name, "times": 1},
        )
        ended = opened.run("--failure-threshold", "1", models=MODELS)
        assert (ended.code, ended.document["state"]) == (0, "completed"), ended.document["error"]
        yield opened


@CASES
def test_what_can_be_recovered_is_and_the_rest_is_told_in_the_providers_words(
    made: Studio, model: str, met: Met
) -> None:
    pairs = [one for (_, its), one in made.pairs().items() if its == model]
    failed = [one for one in pairs if one["status"] == "failed"]

    assert len(pairs) == len(CLIPS)
    assert len(pairs) - len(failed) == met.ok
    assert {one["outcome"] for one in failed} <= {met.status}
    assert {one["error"]["code"] for one in failed} <= {met.code}
    assert all(met.words in one["error"]["message"] for one in failed)
    assert all(one["transcript"] is None for one in failed), "a failure is no silence"
    for one in pairs:
        if one["status"] == "completed":
            assert words_of(one["transcript"]) == words_of(heard_by(made, model, one["file_name"]))


@CASES
def test_nothing_is_paid_twice_but_what_the_provider_lost(made: Studio, model: str, met: Met) -> None:
    number = MODELS.index(model) + 1
    executed = {item: count for item, count in made.gemini.executed().items() if item.endswith(f"m{number:02d}")}
    jobs = jobs_of(made, model)

    assert sum(count - 1 for count in executed.values()) == met.twice
    assert len({job["round"] for job in jobs}) == met.rounds
    assert all(sum(job["outcomes"].values()) == job["requests"] for job in jobs if job["outcomes"])


def test_every_batch_that_was_created_is_known(made: Studio) -> None:
    created = {batch["name"] for batch in made.gemini.batches()}

    assert created == {job["batch"] for job in made.shown()["batches"]} - {None}


def test_clips_are_deleted_at_the_provider_in_the_end(made: Studio) -> None:
    assert made.gemini.clips() == []


def test_a_lost_result_is_sent_again_when_a_person_says_so(made: Studio) -> None:
    model = MODELS[-1]
    before = made.gemini.executed()

    kept = made("run", "retry", RUN, "--json")
    sent = made.gemini.executed() - before
    never_sent = {
        f"m{number:02d}"
        for number, met in enumerate(SCENARIOS, start=1)
        if met.scenario in REFUSED_AS_A_WHOLE and not met.ok
    }
    assert {item[-3:] for item in sent} == never_sent, "what was refused or cancelled as a whole was never executed"
    assert set(sent.values()) == {1}
    again = made("run", "retry", RUN, "--resend-lost", "--json")

    assert (kept.code, again.code) == (0, 0)
    assert (kept.document["by_model"][model]["ok"], again.document["by_model"][model]["ok"]) == (0, 4)


def jobs_of(made: Studio, model: str) -> list[Any]:
    return [job for job in made.shown()["batches"] if job["model"] == model]


def heard_by(made: Studio, model: str, file: str) -> str:
    return str(made.gemini.planted(model)[made.known[file].sha256]["transcript"])


def words_of(text: str) -> list[str]:
    return text.split()
