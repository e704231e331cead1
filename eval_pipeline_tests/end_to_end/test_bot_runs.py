"""A team's own assistant, evaluated from the command line: at once, and as one that answers later."""

from pathlib import Path

import pytest

from eval_pipeline.standins.bot.app import BotOptions, create_app
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

TOKEN = "planted-token-4711"
ENDPOINTS = """
endpoints:
  assistant:
    protocol: http
    request:
      url: {url}/ask
      headers: {{Authorization: "Bearer ${{BOT_TOKEN}}"}}
      json: {{text: "{{{{ question }}}} ({{{{ metadata.language }}}}, {{{{ item_id }}}})"}}
    answer: "$.data.answer"
    contexts: "$.data.sources"
    usage: {{input: "$.usage.in", output: "$.usage.out"}}
    price_per_call_usd: 0.002
  later:
    protocol: http
    request:
      url: {url}/jobs
      headers: {{Authorization: "Bearer ${{BOT_TOKEN}}"}}
      json: {{text: "{{{{ question }}}}"}}
    answer: "$.data.answer"
    wait: {{status: "$.status", done: [done], every_s: 0.02}}
"""
ROWS = "question,answer,category,language\nWhat is the fee?,100,money,hi\nHow many days?,7,time,ur\n"


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    (tmp_path / "golden.csv").write_text(ROWS, encoding="utf-8")
    made = Commands(tmp_path, EVAL_ENDPOINTS_FILE=str(tmp_path / "endpoints.yaml"), BOT_TOKEN=TOKEN)
    furnish(made.home)
    return made


def test_bots_are_evaluated_as_models_are(commands: Commands, tmp_path: Path) -> None:
    once = FaultRule(kind=FaultKind.SERVER_ERROR, endpoint="ask", first_n=1)
    app = create_app(BotOptions(accepted_keys=frozenset({TOKEN}), faults=(once,)))
    with serve(app) as url:
        (tmp_path / "endpoints.yaml").write_text(ENDPOINTS.format(url=url), encoding="utf-8")
        assert commands("dataset", "add", "fees", "golden.csv").code == 0
        given = ("--dataset", "fees", "--scorer", "numeric", "--mode", "fast", "--json")
        at_once = commands("text", "run", "first", "--model", "assistant", *given)
        later = commands("text", "run", "second", "--model", "later", *given)
        batches = ("--dataset", "fees", "--mode", "batch", "--scorer", "numeric", "--json")
        by_batches = commands("text", "run", "third", "--model", "later", *batches)
        embedding = ("--dataset", "fees", "--mode", "fast", "--embedding-model", "assistant/x", "--json")
        embedded = commands("text", "run", "third", "--model", "later", *embedding)

    assert (at_once.code, later.code) == (0, 0), at_once.err + later.err
    assert at_once.document["counts"]["ok"] == later.document["counts"]["ok"] == 2
    assert at_once.document["cost"]["total_cost_usd"] == pytest.approx(0.004)
    assert later.document["cost"]["total_cost_usd"] is None
    asked = app.state.standin.counts["ask"].asked
    assert sorted(asked) == ["How many days? (ur, q000002#1)", "What is the fee? (hi, q000001#1)"]
    assert sum(asked.values()) == 3
    assert app.state.standin.counts["jobs.create"].requests == 2
    assert "no batches" in by_batches.document["error"]["message"]
    assert "knows none" in by_batches.document["error"]["hint"]
    assert "no embeddings" in embedded.document["error"]["message"]

    assert [path for path, data in commands.everything_stored() if TOKEN.encode() in data] == []


def test_a_changed_way_of_asking_is_told_before_answers_are_mixed(commands: Commands, tmp_path: Path) -> None:
    down = FaultRule(kind=FaultKind.UNAVAILABLE, endpoint="ask")
    with serve(create_app(BotOptions(faults=(down,)))) as url:
        text = ENDPOINTS.format(url=url)
        (tmp_path / "endpoints.yaml").write_text(text, encoding="utf-8")
        commands("dataset", "add", "fees", "golden.csv")
        given = ("--dataset", "fees", "--scorer", "numeric", "--mode", "fast", "--model", "assistant", "--json")
        assert commands("text", "run", "first", *given, EVAL_RETRY_MAX_ATTEMPTS="1").code != 0
        (tmp_path / "endpoints.yaml").write_text(text.replace("$.data.answer", "$.answer"), encoding="utf-8")
        retried = commands("run", "retry", "first", "--json")

    assert retried.error_code == "endpoint_changed"
    assert "where its answer lies" in retried.document["error"]["message"]


def test_a_bot_is_tried_before_a_run(commands: Commands, tmp_path: Path) -> None:
    with serve(create_app(BotOptions(accepted_keys=frozenset({TOKEN})))) as url:
        (tmp_path / "endpoints.yaml").write_text(ENDPOINTS.format(url=url), encoding="utf-8")
        tried = commands("endpoint", "try", "assistant", "--question", "Which fee?")

    assert tried.code == 0, tried
    assert f"request: POST {url}/ask" in tried.out
    assert "passage: What is known of: Which fee?" in tried.out
    assert "1 passage; 0.002000 USD" in tried.out
    assert TOKEN not in tried.out
