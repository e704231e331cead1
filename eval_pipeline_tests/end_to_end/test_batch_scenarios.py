"""Batch runs from request to report, over HTTP through the SDK and real Dagster runs, when the provider goes wrong."""

from collections.abc import Iterator, Sequence
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


def in_both_protocols(cases: Sequence[tuple[Any, ...]], *, usual: frozenset[str]) -> list[Any]:
    """Return the cases in each protocol; those of chat completions that show what others show as well are slow."""
    return [
        pytest.param(protocol, case, id=f"{protocol}-{case[0]}", marks=() if quick else pytest.mark.slow)
        for protocol in ("openai_responses", "openai_chat")
        for case in cases
        for quick in [protocol == "openai_responses" or case[0] in usual]
    ]


RECOVERED = [
    ("all_well", 1, 1),
    ("out_of_order", 1, 1),
    ("expired", 1, 2),
    ("expired_no_files", 1, 2),
    ("token_limit", 1, 2),
    ("create_429", 1, 1),
    ("one_429", 1, 2),
    ("one_error", 1, 2),
    ("missing", 1, 2),
    ("duplicate", 1, 1),
    ("unknown_id", 1, 1),
    ("cut_line", 1, 2),
    ("poll_500", 4, 1),
    ("short_download", 2, 1),
    ("create_accepted_dropped", 1, 1),
    ("empty_error_file", 1, 1),
    ("unknown_status", 1, 1),
    ("u2028", 1, 1),
    ("byte_order_mark", 1, 1),
    ("late_files", 1, 1),
]


@pytest.mark.parametrize(
    ("asking", "case"),
    in_both_protocols(RECOVERED, usual=frozenset({"expired", "u2028"})),
    indirect=["asking"],
)
def test_what_can_be_recovered_ends_well_and_is_paid_once(
    commands: Commands, server: BatchServer, asking: tuple[str, ...], case: tuple[str, int, int]
) -> None:
    scenario, server.times, batches = case
    server.scenario = scenario

    document = run(commands, *asking)

    assert (document["exit"], document["state"], document["counts"]["ok"]) == (0, "completed", 5)
    assert len(server.batches) == batches
    assert set(server.keys().values()) == {1}
    twice = {"cut_line"}  # the provider executed what its file lost
    assert scenario in twice or set(server.executed.values()) == {1}
    assert all(sum(job["outcomes"].values()) == job["requests"] for job in document["batches"] if job["outcomes"])
    stages = {stage["stage"]: stage["note"] for stage in commands.json("run", "status", "batch-1")["stages"]}
    assert "not sent" not in stages["response_batch"]


FINAL = [
    ("cancelled_no_files", (0, "failed", "batch_cancelled")),
    ("all_400", (0, "failed", "invalid_value")),
    ("one_400", (4, "failed", "invalid_value")),
    ("output_404", (0, "missing", "result_lost")),
    ("incomplete", (0, "incomplete", "max_output_tokens")),
    ("model_refused", (0, "failed", "model_not_found")),
]


@pytest.mark.parametrize(
    ("asking", "case"),
    in_both_protocols(FINAL, usual=frozenset({"incomplete"})),
    indirect=["asking"],
)
def test_what_is_final_is_told_in_the_providers_words_and_not_sent_again(
    commands: Commands, server: BatchServer, asking: tuple[str, ...], case: tuple[str, tuple[int, str, str]]
) -> None:
    server.scenario, (ok, status, code) = case

    document = run(commands, *asking, EVAL_BATCH_LOST_SECONDS="0")

    assert document["exit"] == (0 if ok else 100)
    assert (document["counts"]["ok"], document["counts"]["by_status"][status]) == (ok, 5 - ok)
    assert len(server.batches) == 1
    detail = commands.json("text", "show", "batch-1", "--detail")
    assert {item["error"]["code"] for item in detail["traces"] if item["error"]} == {code}


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
