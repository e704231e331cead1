"""What stands in a run's way: keys, addresses, budgets, full disks, lost stores. Told, kept, resumable."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider, provider

QUESTIONS = 10
GOLDEN = "question,answer\n" + "".join(f"Question {number}?,Answer {number}\n" for number in range(QUESTIONS))
RUN = ("--dataset", "golden", "--mode", "fast", "--scorer", "exact_match")
LANGFUSE_SECRET = "sk-lf-9d2e4b6a8c"


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory, openai: Provider) -> Commands:
    made = Commands(
        tmp_path_factory.mktemp("obstacles"),
        OPENAI_BASE_URL=openai.base_url,
        OPENAI_API_KEY=KEY,
        EVAL_RETRY_MAX_ATTEMPTS="1",
    )
    furnish(made.home)
    made.add("golden", GOLDEN)
    return made


def test_without_a_key_nothing_is_claimed(commands: Commands) -> None:
    ended = commands("text", "run", "keyless", *RUN, "--json", OPENAI_API_KEY="")

    assert (ended.code, ended.error_code) == (1, "missing_api_key")
    assert "OPENAI_API_KEY" in ended.document["error"]["hint"]
    assert commands("run", "status", "keyless", "--json").error_code == "run_not_found"


def test_a_provider_that_refuses_everything_is_asked_no_further_and_the_reason_is_told(
    commands: Commands, openai: Provider
) -> None:
    """It was asked 300 times of 300, and neither run, show nor status said why."""
    commands.add("many", "question,answer\n" + "".join(f"Question {number}?,Answer\n" for number in range(60)))
    words = "Unsupported parameter: 'temperature' is not supported with this model."
    chosen = ("--dataset", "many", "--mode", "fast", "--scorer", "exact_match")
    with openai.behaving({"kind": "bad_request", "endpoint": "responses", "message": words}):
        stopped = commands("text", "run", "unsupported", *chosen, "--json", EVAL_FAST_MAX_UNIQUE_ROWS="100")
        asked = stopped.document["counts"]["failed"]
        shown = commands("text", "show", "unsupported")
        retried = commands("run", "retry", "unsupported", "--json")
    status = commands("run", "status", "unsupported")

    assert (stopped.code, stopped.error_code) == (101, "provider_refuses_all")
    assert words in stopped.document["error"]["message"]
    assert 20 <= asked <= 40
    assert stopped.document["threshold"]["reasons"][0]["count"] == asked
    assert f"{asked} x " in shown.out
    assert words in shown.out
    assert (retried.code, retried.document["counts"]["failed"]) == (100, 60)
    assert "60 of them with" in retried.document["error"]["message"]
    assert words in status.out


def test_answers_of_a_server_without_embeddings_can_be_scored_by_their_words(
    commands: Commands, openai: Provider
) -> None:
    """The error of the run was repeated, though the runbook promised this way out."""
    chosen = ("--dataset", "golden", "--mode", "fast", "--scorer", "cosine_similarity")
    with openai.behaving({"kind": "not_found", "endpoint": "embeddings"}):
        failed = commands("text", "run", "wordless", *chosen, "--json")
    rescored = commands("text", "rescore", "wordless", "--scorer", "token_f1", "--json")

    assert (failed.code, failed.document["state"]) == (1, "failed")
    assert "gives no embeddings" in failed.document["error"]["message"]
    assert "text rescore wordless --scorer token_f1" in failed.document["error"]["hint"]
    assert rescored.code == 0, rescored
    assert (rescored.code, rescored.document["state"], rescored.document["error"]) == (0, "completed", None)
    [score] = rescored.document["summary_scores"]
    assert (score["name"], score["total_pairs"]) == ("token_f1", QUESTIONS)


def test_a_key_that_the_provider_refuses_and_repeats_never_shows(commands: Commands, openai: Provider) -> None:
    rule = {"kind": "unauthorized", "endpoint": "responses", "message": f"Incorrect API key provided: {KEY}."}
    langfuse = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": LANGFUSE_SECRET, "LANGFUSE_BASE_URL": _nowhere()}
    with openai.behaving(rule):
        refused = commands("text", "run", "refused", *RUN, "--json", **langfuse)
    retried = commands("run", "retry", "refused", "--json", **langfuse)
    secrets = (KEY.encode(), LANGFUSE_SECRET.encode())

    assert refused.code == 1
    assert refused.error_code == "provider_auth_failed"
    assert refused.document["counts"] == {
        "total": QUESTIONS,
        "ok": 0,
        "failed": 0,
        "unfinished": QUESTIONS,
        "embedding_failed": None,
    }
    assert retried.code == 0
    assert retried.document["state"] == "completed"
    assert retried.document["warnings"][0]["code"].startswith("langfuse")
    assert not any(secret.decode() in text for secret in secrets for text in (refused.out, refused.err, retried.out))
    assert [path for path, data in commands.everything_stored() if any(secret in data for secret in secrets)] == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"kind": "html"}, "provider_not_an_api"),
        ({"kind": "insufficient_quota", "endpoint": "responses"}, "provider_quota_exhausted"),
        ({"kind": "not_found"}, "model_not_found"),
    ],
)
def test_a_fault_of_the_account_stops_the_run_once(
    commands: Commands, openai: Provider, rule: dict[str, str], code: str
) -> None:
    with openai.behaving(rule):
        ended = commands("text", "run", code, *RUN, "--concurrency", "1", "--json")

        assert (ended.code, ended.error_code) == (1, code)
        assert openai.answers.requests < QUESTIONS


def test_an_address_where_nobody_listens_is_named(commands: Commands) -> None:
    url = _nowhere()
    ended = commands("text", "run", "unreachable", *RUN, OPENAI_BASE_URL=url)

    assert ended.code == 1
    assert "error: OpenAI cannot be reached" in ended.err
    assert url in ended.err
    assert "hint: check OPENAI_BASE_URL" in ended.err


def _nowhere() -> str:
    """Return an address at which the system refuses connections: its port was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_a_budget_stops_before_it_is_overshot_and_only_a_refresh_asks_again(
    commands: Commands, openai: Provider
) -> None:
    config = commands.folder / "short.yaml"
    config.write_text("model_body:\n  max_output_tokens: 16\nconcurrency: 2\n")
    limit_usd = 0.00006
    with openai.behaving():
        stopped = commands(
            "text", "run", "cheap", *RUN, "--config", str(config), "--max-cost-usd", str(limit_usd), "--json"
        )
        asked = openai.answers.requests
        again = commands("run", "retry", "cheap", "--json")
        asked_again = openai.answers.requests
        resumed = commands("run", "retry", "cheap", "--max-cost-usd", "1", "--json")

        assert stopped.code == again.code == 101
        assert stopped.document["state"] == "incomplete"
        assert stopped.document["error"]["code"] == "budget_exceeded"
        assert 0 < stopped.document["cost"]["total_cost_usd"] <= limit_usd
        assert stopped.document["counts"]["ok"] == asked
        assert 0 < asked == asked_again < QUESTIONS
        assert resumed.code == 0
        assert resumed.document["counts"]["ok"] == QUESTIONS
        assert openai.answers.requests == QUESTIONS

        refreshed = commands("run", "retry", "cheap", "--refresh", "--json")

        assert refreshed.code == 0
        assert openai.answers.requests == 2 * QUESTIONS


def test_a_full_disk_is_told_and_a_retry_asks_only_the_rest(tmp_path: Path) -> None:
    answer = "x" * 700_000
    golden = {f"Question {number}?": answer for number in range(5)}
    with provider({("gpt-4o-mini", question): answer for question in golden}) as openai:
        commands = Commands(tmp_path, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY)
        furnish(commands.home)
        commands.add("golden", "question,answer\n" + "".join(f"{question},x\n" for question in golden))
        with _files_of_at_most(2_000_000):
            full = commands("text", "run", "full", *RUN, "--concurrency", "1", "--json")
        asked = openai.answers.requests
        retried = commands("run", "retry", "full", "--json")

        assert (full.code, full.error_code) == (1, "store_unavailable")
        assert "free space" in full.document["error"]["hint"]
        assert full.document["state"] == "failed"
        assert full.document["counts"]["ok"] == asked - 1
        assert retried.code == 0
        assert openai.answers.requests == len(golden) + 1


@contextmanager
def _files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_store_or_database_that_cannot_be_used_is_named_and_nothing_is_claimed(commands: Commands) -> None:
    occupied = commands.folder / "occupied"
    occupied.write_text("a file")
    store = commands(
        "dataset", "add", "other", str(commands.folder / "golden.csv"), "--json", EVAL_PIPELINE_STORE=occupied.as_uri()
    )
    nothing = commands("text", "run", "storeless", *RUN, "--json", EVAL_PIPELINE_STORE="gopher://x")
    database = {"EVAL_PIPELINE_DATABASE_URL": f"postgresql://someone:{KEY}@127.0.0.1:9/ledger"}
    unreachable = commands("run", "list", "--json", **database)

    assert (store.code, store.error_code) == (1, "store_unavailable")
    assert commands("dataset", "show", "other", "--json").error_code == "dataset_not_found"
    assert (nothing.code, nothing.error_code) == (1, "invalid_setting")
    assert commands("run", "status", "storeless", "--json").error_code == "run_not_found"
    assert (unreachable.code, unreachable.error_code) == (1, "database_unavailable")
    assert KEY not in unreachable.out + unreachable.err


def test_doctor_says_what_is_wrong_and_goes_on_looking(commands: Commands) -> None:
    ended = commands("doctor", "--json", OPENAI_BASE_URL=_nowhere(), EVAL_PIPELINE_STORE="gopher://x")
    checks = {check["check"]: check for check in ended.document["checks"]}

    assert ended.code == 1
    assert not ended.document["ok"]
    assert checks["OpenAI"]["ok"] is False
    assert "does not answer" in checks["OpenAI"]["detail"]
    assert checks["store"]["ok"] is False
    assert checks["home"]["ok"] is True
    assert checks["database"]["ok"] is True


def test_a_home_that_is_a_file_is_named_by_every_check(commands: Commands) -> None:
    occupied = commands.folder / "no-home"
    occupied.write_text("a file")
    ended = commands("doctor", "--json", EVAL_PIPELINE_HOME=str(occupied))
    wrong = {check["check"]: check["detail"] for check in ended.document["checks"] if check["ok"] is False}

    assert ended.code == 1
    assert set(wrong) == {"home", "database", "ledger", "store", "Dagster"}
    assert all(str(occupied) in detail for detail in wrong.values())
    assert (
        commands("text", "run", "homeless", *RUN, "--json", EVAL_PIPELINE_HOME=str(occupied)).error_code
        == "home_unavailable"
    )


def test_a_project_uses_its_own_credentials_and_sees_no_others(tmp_path: Path) -> None:
    with provider(keys=frozenset({"sk-blue"})) as openai:
        file = tmp_path / "credentials.json"
        theirs = {
            name: {"OPENAI_API_KEY": f"sk-{name}", "OPENAI_BASE_URL": openai.base_url} for name in ("blue", "red")
        }
        file.write_text(json.dumps(theirs))
        commands = Commands(
            tmp_path, OPENAI_API_KEY="sk-blue", OPENAI_BASE_URL=openai.base_url, EVAL_PROJECT_CREDENTIALS_FILE=str(file)
        )
        furnish(commands.home)
        ended = {}
        for project in ("blue", "red", "green"):
            commands.add("golden", GOLDEN, "--project", project)
            ended[project] = commands("text", "run", "same-name", *RUN, "--project", project, "--json")
        listed = commands.json("run", "list", "--project", "red")["runs"]

        assert ended["blue"].code == 0
        assert ended["red"].error_code == "provider_auth_failed"
        assert ended["green"].error_code == "missing_api_key"
        assert [run["project"] for run in listed] == ["red"]
        assert [path for path, data in commands.everything_stored() if b"sk-blue" in data] == [file]
