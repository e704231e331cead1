"""Environments in which nothing can work: each is refused in words, none with a stack trace."""

from pathlib import Path

import pytest

from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providers.wire import closed_port

RUN = ("text", "run", "first", "--dataset", "golden", "--scorer", "exact_match")


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    commands = Commands(
        tmp_path,
        OPENAI_API_KEY="sk-test-7f3a9c1e5b",
        OPENAI_BASE_URL=f"http://127.0.0.1:{closed_port()}/v1",
        EVAL_RETRY_MAX_ATTEMPTS="1",
    )
    furnish(commands.home)
    commands.add("golden", "question,answer\na?,b\n")
    return commands


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"EVAL_PIPELINE_HOME": "ho?me"}, "invalid_setting"),
        ({"EVAL_PIPELINE_STORE": "s3://[x"}, "invalid_setting"),
        ({"EVAL_PIPELINE_STORE": "s3://b", "AWS_ENDPOINT_URL_S3": "http://[x"}, "invalid_setting"),
        ({"EVAL_PIPELINE_STORE": "s3://me:H1DDEN@b"}, "invalid_setting"),
        ({"EVAL_PIPELINE_DATABASE_URL": "postgresql://[x"}, "database_unavailable"),
        ({"OPENAI_BASE_URL": "http://[x"}, "invalid_setting"),
    ],
)
def test_an_address_that_is_none_is_refused(commands: Commands, variables: dict[str, str], code: str) -> None:
    ended = commands(*RUN, "--json", **variables)

    assert ended.error_code == code, ended
    assert "Traceback" not in ended.err
    assert "H1DDEN" not in ended.out + ended.err


@pytest.mark.parametrize("mode", ["batch", "fast"])
def test_a_socks_proxy_is_refused_with_what_to_do(commands: Commands, mode: str) -> None:
    ended = commands(*RUN, "--mode", mode, "--json", ALL_PROXY="socks5://127.0.0.1:9")

    assert ended.document["error"]["code"] == "proxy_unsupported"
    assert "HTTPS_PROXY" in ended.document["error"]["hint"]


@pytest.mark.parametrize("name", ["runs.db", "runs/index.db"])
def test_a_damaged_database_of_dagster_is_told_as_one(commands: Commands, name: str) -> None:
    (commands.home / "dagster" / "history" / name).write_bytes(b"no database at all" * 1_000)

    ended = commands(*RUN, "--mode", "fast", "--json")

    assert ended.error_code == "dagster_database_unavailable"
    assert "is not a database" in ended.document["error"]["message"]
    assert "move the folder dagster" in ended.document["error"]["hint"]
