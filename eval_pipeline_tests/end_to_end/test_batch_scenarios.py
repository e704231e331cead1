"""Batch runs from request to report, over HTTP through the SDK and real Dagster runs, when the provider goes wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(5))
RUN = ("--dataset", "golden", "--scorer", "exact_match", "--model", "gpt-4o-mini")
KEY = "sk-test-7f3a9c1e5b"


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def commands(tmp_path: Path, server: BatchServer) -> Commands:
    (tmp_path / "golden.csv").write_text(GOLDEN)
    commands = Commands(
        tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url, EVAL_BATCH_POLL_SECONDS="0.1", NO_PROXY="127.0.0.1"
    )
    furnish(commands.home)
    assert commands("dataset", "add", "golden", "golden.csv").code == 0
    return commands


@pytest.fixture
def asking(request: pytest.FixtureRequest, commands: Commands, server: BatchServer) -> tuple[str, ...]:
    """The options that ask the server in a protocol, the first one's by default."""
    if getattr(request, "param", "openai_responses") == "openai_responses":
        return ()
    server.spoils = "/v1/chat/completions"
    own = f'{{protocol: openai_chat, base_url: "{server.url}", key: "${{OPENAI_API_KEY}}", batches: true}}'
    (commands.folder / "endpoints.yaml").write_text(f"endpoints: {{own: {own}}}\n")
    commands.set(EVAL_ENDPOINTS_FILE=str(commands.folder / "endpoints.yaml"))
    return ("--model", "own/gpt-4o-mini")


def run(commands: Commands, *options: str, **variables: str) -> dict[str, Any]:
    ended = commands("text", "run", "batch-1", *RUN, *options, "--json", **variables)
    return {**ended.document, "exit": ended.code}


IN_BOTH_PROTOCOLS = pytest.mark.parametrize("asking", ["openai_responses", "openai_chat"], indirect=True)
A_FILE = 5
"""Requests of one batch."""
ALL = frozenset(range(A_FILE))
NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Ending:
    """What became of the five items of one batch, by their places.

    Args:
        ok: those that have an answer.
        sent_again: those that went into a second batch.
        executed_again: those that the provider did twice.
        told: statuses and codes of the others.
    """

    ok: frozenset[int] = ALL
    sent_again: frozenset[int] = NONE
    executed_again: frozenset[int] = NONE
    told: frozenset[tuple[str, str]] = frozenset()


LATE, SECOND, LAST = frozenset({3, 4}), frozenset({1}), frozenset({4})
RECOVERED = {
    "all_well": Ending(),
    "out_of_order": Ending(),
    "expired": Ending(sent_again=LATE),
    "expired_no_files": Ending(sent_again=ALL),
    "token_limit": Ending(sent_again=ALL),
    "one_429": Ending(sent_again=SECOND),
    "one_error": Ending(sent_again=SECOND),
    "missing": Ending(sent_again=SECOND),
    "duplicate": Ending(),
    "unknown_id": Ending(),
    "cut_line": Ending(sent_again=LAST, executed_again=LAST),
    "empty_error_file": Ending(),
    "unknown_status": Ending(),
    "u2028": Ending(),
    "byte_order_mark": Ending(),
    "late_files": Ending(),
}
FINAL = {
    "cancelled_no_files": Ending(NONE, told=frozenset({("failed", "batch_cancelled")})),
    "all_400": Ending(NONE, told=frozenset({("failed", "invalid_value")})),
    "one_400": Ending(ALL - SECOND, told=frozenset({("failed", "invalid_value")})),
    "output_404": Ending(NONE, told=frozenset({("missing", "result_lost")})),
    "incomplete": Ending(NONE, told=frozenset({("incomplete", "max_output_tokens")})),
    "model_refused": Ending(NONE, told=frozenset({("failed", "model_not_found")})),
}


def run_each(
    commands: Commands, server: BatchServer, scenarios: Sequence[str], *options: str, **variables: str
) -> dict[str, Any]:
    """Let one run meet every scenario, each with a batch of five: what befalls one must not touch the others."""
    count = A_FILE * len(scenarios)
    commands.add("many", "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(count)))
    server.meets = {_item(shard, 0): scenario for shard, scenario in enumerate(scenarios)}
    settings = {"EVAL_BATCH_MAX_REQUESTS": str(A_FILE), **variables}
    return run(commands, "--dataset", "many", *options, **settings)


def _item(shard: int, place: int) -> str:
    return f"q{shard * A_FILE + place + 1:06d}#1"


def endings(commands: Commands, server: BatchServer, scenarios: Sequence[str]) -> dict[str, Ending]:
    """Return what every scenario came to, as the run and its provider tell."""
    shown = {trace["question_id"]: trace for trace in commands.json("text", "show", "batch-1", "--detail")["traces"]}

    def ending(shard: int) -> Ending:
        items = {place: _item(shard, place) for place in range(A_FILE)}
        traces = {place: shown[item.removesuffix("#1")] for place, item in items.items()}
        return Ending(
            ok=frozenset(place for place, trace in traces.items() if trace["llm_answer"] is not None),
            sent_again=frozenset(place for place, item in items.items() if server.sent[item] > 1),
            executed_again=frozenset(place for place, item in items.items() if server.executed[item] > 1),
            told=frozenset((one["status"], one["error"]["code"]) for one in traces.values() if one["error"]),
        )

    return {scenario: ending(shard) for shard, scenario in enumerate(scenarios)}


@IN_BOTH_PROTOCOLS
def test_what_can_be_recovered_ends_well_and_is_paid_once(
    commands: Commands, server: BatchServer, asking: tuple[str, ...]
) -> None:
    document = run_each(commands, server, list(RECOVERED), *asking)

    assert (document["exit"], document["state"]) == (0, "completed")
    assert document["counts"]["by_status"] == {"ok": A_FILE * len(RECOVERED)}
    assert endings(commands, server, list(RECOVERED)) == RECOVERED
    assert max(server.sent.values()) == 2
    assert set(server.keys().values()) == {1}
    assert all(sum(job["outcomes"].values()) == job["requests"] for job in document["batches"] if job["outcomes"])


@pytest.mark.parametrize(
    ("scenario", "times"),
    [("create_429", 1), ("poll_500", 4), ("short_download", 2), ("create_accepted_dropped", 1)],
)
@pytest.mark.parametrize(
    "asking", ["openai_responses", pytest.param("openai_chat", marks=pytest.mark.slow)], indirect=True
)
def test_a_call_that_goes_wrong_is_made_again_and_nothing_is_paid_twice(
    commands: Commands, server: BatchServer, asking: tuple[str, ...], scenario: str, times: int
) -> None:
    server.scenario, server.times = scenario, times

    document = run(commands, *asking)

    assert (document["exit"], document["state"], document["counts"]["ok"]) == (0, "completed", 5)
    assert len(server.batches) == 1
    assert set(server.executed.values()) == {1}
    notes = {stage["stage"]: stage["note"] for stage in commands.json("run", "status", "batch-1")["stages"]}
    assert "not sent" not in notes["response_batch"]


@IN_BOTH_PROTOCOLS
def test_what_is_final_is_told_in_the_providers_words_and_not_sent_again(
    commands: Commands, server: BatchServer, asking: tuple[str, ...]
) -> None:
    document = run_each(commands, server, list(FINAL), *asking, EVAL_BATCH_LOST_SECONDS="0")

    assert (document["exit"], document["state"]) == (100, "failed")
    assert document["counts"]["ok"] == A_FILE - 1
    assert endings(commands, server, list(FINAL)) == FINAL
    assert set(server.keys().values()) == {1}


def test_a_line_that_fails_validation_fails_alone(commands: Commands, server: BatchServer) -> None:
    server.scenario = "bad_line"

    document = run(commands)

    assert (document["exit"], document["counts"]["ok"], document["counts"]["by_status"]["failed"]) == (0, 4, 1)
    detail = commands.json("text", "show", "batch-1", "--detail")
    [failed] = [item["error"]["message"] for item in detail["traces"] if item["error"]]
    assert "line 2" in failed


def test_a_lost_result_is_sent_again_only_when_a_person_says_so(commands: Commands, server: BatchServer) -> None:
    server.scenario = "output_404"
    assert run(commands, EVAL_BATCH_LOST_SECONDS="0")["exit"] == 100
    server.scenario = None
    assert commands("run", "retry", "batch-1", "--json").code == 100
    assert len(server.batches) == 1

    again = commands("run", "retry", "batch-1", "--resend-lost", "--json")

    assert (again.code, again.document["counts"]["ok"], len(server.batches)) == (0, 5, 2)


def test_fast_and_batch_store_the_same_kind_of_record(commands: Commands, server: BatchServer) -> None:
    document = run(commands)

    assert document["cost"]["response"]["rate"] == "batch"
    detail = commands.json("text", "show", "batch-1", "--detail")
    assert [item["llm_answer"] for item in detail["traces"]] == [f"answer to what is {n}?" for n in range(5)]
    assert KEY not in str(detail)


def test_answers_are_sharded_and_embedded_by_batches(commands: Commands, server: BatchServer) -> None:
    document = run(commands, "--scorer", "cosine_similarity", EVAL_BATCH_MAX_REQUESTS="2")

    assert (document["exit"], document["counts"]["ok"]) == (0, 5)
    shards = [(job["stage"], job["shard"], job["requests"]) for job in document["batches"]]
    assert shards[:3] == [("responses", 0, 2), ("responses", 1, 2), ("responses", 2, 1)]
    assert {stage for stage, _, _ in shards[3:]} == {"embeddings"}
    assert set(server.executed.values()) == {1}
    [similarity] = [score for score in document["summary_scores"] if score["name"] == "cosine_similarity"]
    assert similarity["total_pairs"] == 5


def test_a_wrong_key_is_an_action_for_a_person_and_loses_nothing(commands: Commands, server: BatchServer) -> None:
    server.key = "sk-another"

    refused = commands("text", "run", "batch-1", *RUN, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (1, "provider_account")
    assert not server.batches

    server.key = None
    assert commands("run", "retry", "batch-1", "--json").document["counts"]["ok"] == 5
    assert len(server.batches) == 1


def test_an_address_without_batches_is_said_with_the_way_that_works_and_stays_failed(
    commands: Commands, server: BatchServer
) -> None:
    server.scenario = "no_batch_api"

    refused = commands("text", "run", "batch-1", *RUN, "--json")

    assert (refused.code, refused.error_code) == (1, "provider_unsupported")
    assert "--mode fast" in refused.document["error"]["hint"]
    status = commands.json("run", "status", "batch-1")
    assert (status["state"], [job["state"] for job in status["batches"]]) == ("failed", ["failed"])
    [note] = [stage["note"] for stage in status["stages"] if stage["stage"] == "response_batch"]
    assert note.startswith("nothing was sent: ")

    server.scenario = None
    again = commands("run", "retry", "batch-1", "--json")
    assert (again.code, again.document["counts"]["ok"], len(server.batches)) == (0, 5, 1)


def test_what_was_odd_about_batches_is_in_the_status_and_in_the_report(commands: Commands, server: BatchServer) -> None:
    server.scenario = "duplicate_differs"
    document = run(commands)

    words = "1 of them came with different answers: &#39;q000001#1&#39;"
    report = Path(document["report"].removeprefix("file://")).read_text()
    assert words in report
    assert "came with different answers" in commands("run", "status", "batch-1").out


def test_lost_vectors_are_sent_again_when_a_person_says_so(commands: Commands, server: BatchServer) -> None:
    server.scenario, server.spoils = "output_404", "/v1/embeddings"
    lost = run(commands, "--scorer", "cosine_similarity", EVAL_BATCH_LOST_SECONDS="0")
    assert lost["exit"] == 100
    assert "--resend-lost" in lost["error"]["hint"]
    server.scenario = None

    again = commands("run", "retry", "batch-1", "--resend-lost", "--json")

    assert (again.code, again.document["counts"]["ok"], len(server.batches)) == (0, 5, 3)
