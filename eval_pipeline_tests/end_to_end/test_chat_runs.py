"""Runs of models that speak Chat Completions, from the command line and from Dagster, live and by batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.runs import RunState
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.commands import Commands, Ended
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.laboratory import Laboratory

GOLDEN = "question,answer\nWhat is 2 + 2?,4\nCapital of France?,Paris\nWhat is 6 * 7?,42\n"
RUN = ("text", "run", "first", "--dataset", "golden", "--scorer", "contains", "--json")
EMBEDDED = ("--scorer", "cosine_similarity", "--embedding-model", "own/nomic-embed-text")


class Team:
    """Somebody with a server of their own and a file that names it."""

    def __init__(self, folder: Path, url: str, standin: Standin) -> None:
        self.url = url
        self.standin = standin
        self.commands = Commands(folder, EVAL_ENDPOINTS_FILE=str(folder / "endpoints.yaml"), NO_PROXY="127.0.0.1")
        furnish(self.commands.home)
        self.write()
        self.commands.add("golden", GOLDEN)

    def write(self, *, prices: str = "{}", key: str = "none", **more: str) -> None:
        """Write the endpoints file anew."""
        said = "".join(f", {name}: {value}" for name, value in more.items())
        own = f'{{protocol: openai_chat, base_url: "{self.url}", key: {key}{said}}}'
        text = f"endpoints: {{own: {own}}}\nprices: {prices}\n"
        (self.commands.folder / "endpoints.yaml").write_text(text)

    def run(self, *options: str, **variables: str) -> Ended:
        """Run three questions, live where nothing else is said."""
        mode = () if "--mode" in options else ("--mode", "fast")
        return self.commands(*RUN, "--model", "own/gemma3", *mode, *options, **variables)


@contextmanager
def team(folder: Path, dialect: Dialect) -> Iterator[Team]:
    app = create_app(OpenAIOptions(dialect=dialect))
    with serve(app) as url:
        yield Team(folder, f"{url}/v1", app.state.standin)


@pytest.fixture
def ollama(tmp_path: Path) -> Iterator[Team]:
    with team(tmp_path, Dialect.OLLAMA) as found:
        yield found


def test_a_model_on_ollama_is_asked_compared_and_priced_by_the_file(ollama: Team) -> None:
    ollama.write(prices="{own/gemma3: {input: 1, output: 2}, own/nomic-embed-text: {input: 0}}", concurrency="1")

    document = ollama.run(*EMBEDDED).document

    assert (document["state"], document["counts"]["ok"]) == ("completed", 3)
    chat, vectors = ollama.standin.counts["chat"], ollama.standin.counts["embeddings"]
    assert (chat.requests, chat.max_concurrent, dict(chat.models)) == (3, 1, {"gemma3": 3})
    assert dict(vectors.models).keys() == {"nomic-embed-text"}
    expected = (chat.tokens["input"] * 1 + chat.tokens["output"] * 2) / 1e6
    assert document["cost"]["response"]["cost_usd"] == pytest.approx(expected, rel=1e-12)
    assert document["cost"]["total_cost_usd"] == pytest.approx(expected, rel=1e-12)


def test_thinking_is_no_answer_and_a_model_without_a_price_costs_what_nobody_knows(ollama: Team) -> None:
    ollama.standin.set_rules([FaultRule(kind=FaultKind.THOUGHT, endpoint="chat")])

    ended = ollama.run()

    assert (ended.code, ended.document["cost"]["total_cost_usd"]) == (0, None)
    assert [warning["code"] for warning in ended.document["warnings"]] == ["price_unknown"]
    traces = ollama.commands.json("text", "show", "first", "--detail")["traces"]
    assert {trace["thinking"] for trace in traces} == {"Let me think about that first."}
    assert all("think" not in trace["llm_answer"] for trace in traces)


def test_what_cannot_be_translated_is_refused_by_its_key_before_anything_is_sent(ollama: Team) -> None:
    (ollama.commands.folder / "run.yaml").write_text("model_body: {tools: [{type: file_search}]}\n")

    ended = ollama.run("--config", "run.yaml")

    assert (ended.code, ended.error_code) == (1, "invalid_config")
    assert "tools[0] of type 'file_search'" in ended.document["error"]["message"]
    assert ollama.standin.counts["chat"].requests == 0
    assert ollama.commands.json("run", "list")["runs"] == []


@pytest.mark.parametrize(
    ("more", "code"), [({}, "config_type_unsupported"), ({"batches": "true"}, "provider_unsupported")]
)
def test_a_server_without_batches_is_said_so_at_once_with_the_way_that_works(
    ollama: Team, more: dict[str, str], code: str
) -> None:
    """The file says it, or the server does: ``batches: true`` promises what it does not have."""
    ollama.write(**more)

    ended = ollama.run("--mode", "batch")

    assert (ended.code, ended.error_code) == (1, code)
    assert "--mode fast" in ended.document["error"]["hint"]


def test_a_server_without_responses_names_the_line_that_mends_it(tmp_path: Path) -> None:
    with team(tmp_path, Dialect.CHAT_ONLY) as found:
        wrong = {"OPENAI_BASE_URL": found.url, "OPENAI_API_KEY": "sk-test-0123456789"}
        ended = found.commands(*RUN, "--mode", "fast", "--model", "gemma3", **wrong)

        assert (ended.code, ended.error_code) == (1, "provider_other_protocol")
        error = ended.document["error"]
        assert f"{found.url} has no /responses, but it has /chat/completions" in error["message"]
        assert f'protocol: openai_chat, base_url: "{found.url}"' in error["hint"]


def test_chats_and_vectors_go_out_by_batches_and_come_back_once(tmp_path: Path) -> None:
    with team(tmp_path, Dialect.OPENAI) as found:
        found.write(batches="true", key="${OWN_KEY}")
        asked: dict[str, Any] = found.run(
            "--mode", "batch", *EMBEDDED, OWN_KEY="k", EVAL_BATCH_POLL_SECONDS="0.1"
        ).document

        assert (asked["state"], asked["counts"]["ok"]) == ("completed", 3)
        assert [job["stage"] for job in asked["batches"]] == ["responses", "embeddings"]
        assert found.standin.counts["batches.create"].requests == 2
        assert found.standin.counts["chat"].requests == 0, "nothing is asked live"


def test_dagster_asks_the_same_endpoint_live_and_by_batches(lab: Laboratory, tmp_path: Path) -> None:
    own = f'{{protocol: openai_chat, base_url: "{lab.provider.base_url}", key: "${{OPENAI_API_KEY}}", batches: true}}'
    (tmp_path / "endpoints.yaml").write_text(f"endpoints: {{own: {own}}}\n")
    asked = {"dataset": "golden", "model": "own/gpt-4o-mini", "scorers": ["contains"]}

    with lab.endpoints_of(tmp_path / "endpoints.yaml") as deployment:
        live = lab.materialize("chat-live", config={**asked, "mode": "fast"}, deployment=deployment)
        batch = lab.materialize("chat-batch", config={**asked, "mode": "batch"}, deployment=deployment)

    assert (live.success, batch.success) == (True, True)
    assert (lab.state("chat-live"), lab.state("chat-batch")) == (RunState.COMPLETED, RunState.COMPLETED)
    assert {row["endpoint"] for row in lab.stored("chat-live", "responses").rows()} == {lab.provider.base_url}
