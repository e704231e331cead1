"""One run asks several endpoints; what it keeps of them is enough to read it when they are gone."""

import json
from pathlib import Path

import dagster as dg

from eval_pipeline.core.names import RunKey
from eval_pipeline.runs.batch_polling import poll_jobs
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.protocols import protocols_of
from eval_pipeline_tests.batch_server import batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider, provider

GOLDEN = "question,answer\n" + "".join(f"Question {number}?,Answer {number}\n" for number in range(4))
BOT_KEY = "sk-bot-0123456789abcdef"
SPEECH = Path(__file__).parents[2] / "examples" / "speech"
FAST = ("--mode", "fast", "--concurrency", "2")


def endpoints_file(folder: Path, text: str) -> dict[str, str]:
    """Write the file, and return the variable that names it."""
    path = folder / "endpoints.yaml"
    path.write_text(text, encoding="utf-8")
    return {"EVAL_ENDPOINTS_FILE": str(path)}


def test_answers_of_one_endpoint_are_compared_by_the_vectors_of_another(tmp_path: Path, openai: Provider) -> None:
    commands = Commands(tmp_path, EVAL_FAST_MAX_UNIQUE_ROWS="1")
    furnish(commands.home)
    with provider(keys=frozenset({BOT_KEY})) as bot, openai.behaving():
        file = endpoints_file(
            tmp_path,
            f"""
endpoints:
  bot: {{protocol: openai_chat, base_url: "{bot.base_url}", key: ${{BOT_KEY}}, concurrency: 1}}
  vectors: {{protocol: openai_responses, base_url: "{openai.base_url}", key_file: vectors.key}}
prices:
  bot/mine: {{input: 1000000, output: 0}}
  vectors/bge-m3: {{input: 0}}
""",
        )
        (tmp_path / "vectors.key").write_text(f"{KEY}\n")
        commands.add("golden", GOLDEN)
        run = ("--dataset", "golden", "--model", "bot/mine", "--embedding-model", "vectors/bge-m3")

        without = commands("text", "run", "first", *run, "--json", **file)
        estimate = commands.json("text", "run", "first", *run, "--estimate", **file)
        ended = commands("text", "run", "first", *run, "--json", **file, BOT_KEY=BOT_KEY)

        assert (without.code, without.error_code) == (1, "missing_api_key")
        assert "BOT_KEY of endpoint bot is not set" in without.document["error"]["message"]
        assert estimate["estimate"]["total_cost_usd"] > 0
        assert ended.code == 0, ended.document["error"]
        cost = ended.document["cost"]
        assert cost["response"]["cost_usd"] == cost["response"]["input_tokens"] > 0
        assert ended.document["mode"] == "fast", "an endpoint without batches is asked live, whatever the size"
        assert (cost["response"]["rate"], cost["embedding"]["cost_usd"]) == ("own", 0)
        assert (openai.answers.requests, openai.embeddings.requests > 0) == (0, True)
        assert bot.embeddings.requests == 0

    # the endpoints and their file are gone: what was frozen is enough
    for name in ("endpoints.yaml", "vectors.key"):
        (tmp_path / name).unlink()
    again = commands.json("text", "rescore", "first", "--scorer", "exact_match")
    spec = json.loads(next((commands.home / "store/text_eval/default/first/spec").glob("*/spec.json")).read_text())
    assert again["cost"]["response"] == cost["response"]
    assert (spec["schema"], spec["provider"], spec["model_body"]["model"]) == (
        "eval_pipeline.text_spec/3",
        "bot",
        "mine",
    )
    assert (spec["embedding_endpoint"], spec["embedding_model"]) == ("vectors", "bge-m3")
    assert {name: one["protocol"] for name, one in spec["endpoints"].items()} == {
        "bot": "openai_chat",
        "vectors": "openai_responses",
    }
    for path, content in commands.everything_stored():
        assert BOT_KEY.encode() not in content, path
        assert KEY.encode() not in content, path


def test_what_an_endpoint_does_not_have_is_told_before_anything_is_paid(tmp_path: Path, openai: Provider) -> None:
    file = endpoints_file(
        tmp_path, f'endpoints: {{bot: {{protocol: openai_chat, base_url: "{openai.base_url}", key: none}}}}'
    )
    commands = Commands(tmp_path, **file)
    furnish(commands.home)
    commands.add("golden", GOLDEN)

    def refused(*options: str) -> tuple[str, str]:
        ended = commands("text", "run", "first", "--dataset", "golden", *options, "--json")
        return ended.error_code, f"{ended.document['error']['message']}; {ended.document['error']['hint']}"

    with openai.behaving():
        batch = refused("--model", "bot/mine", "--mode", "batch", "--scorer", "exact_match")
        two = refused("--model", "bot/mine", "--provider", "openai", *FAST)
        unknown = refused("--model", "mine", "--provider", "claude", *FAST)
        default = refused("--model", "bot/mine", *FAST)
        assert openai.answers.requests == 0

    assert batch[0] == "config_type_unsupported"
    assert "endpoint bot has no batches" in batch[1]
    assert "batches: true" in batch[1]
    assert two == (
        "invalid_config",
        (
            "model 'bot/mine' names the endpoint bot, and provider is 'openai'; "
            "leave provider out: ENDPOINT/MODEL says both"
        ),
    )
    assert unknown[0] == "config_type_unsupported"
    assert "openai, gemini, bot" in unknown[1]
    assert default[0] == "missing_api_key", "embeddings are OpenAI's unless another endpoint is named"


def test_batches_of_an_endpoint_are_collected_and_wait_where_it_is_gone(tmp_path: Path) -> None:
    with batch_server() as own, batch_server() as builtin:
        file = endpoints_file(
            tmp_path,
            f"""
endpoints:
  azure: {{protocol: openai_responses, base_url: "{own.url}", key: ${{AZURE}}, batches: true}}
""",
        )
        environ = {"OPENAI_BASE_URL": builtin.url, "OPENAI_API_KEY": KEY, "AZURE": "sk-azure-0123456789", **file}
        commands = Commands(tmp_path, **environ)
        furnish(commands.home)
        commands.add("golden", GOLDEN)
        for name, model in (("mine", "azure/gpt-4o-mini"), ("ours", "gpt-4o-mini")):
            options = ("--dataset", "golden", "--model", model, "--scorer", "exact_match", "--no-wait")
            assert commands("text", "run", name, *options).code == 0
            assert commands.make_stages(RunKey(project="default", run=name)) is None

        def polled(**changed: str) -> tuple[int, list[str], list[str]]:
            variables = {"EVAL_PIPELINE_HOME": str(commands.home), "NO_PROXY": "127.0.0.1", **environ, **changed}
            deployment = Deployment(environ={name: value for name, value in variables.items() if value})
            jobs = deployment.ledger.open_jobs(protocols=protocols_of("openai"))
            seen = poll_jobs(deployment, jobs, time_left=lambda: 60.0)
            deployment.close()
            alerts = [f"{stage.key.run}: {words}" for stage, words in seen.alerts.items()]
            return len(jobs), [stage.key.run for stage in seen.ready], alerts

        asked_before = own.calls.copy()
        jobs, _, alerts = polled(EVAL_ENDPOINTS_FILE="")
        assert jobs == 2
        assert [alert.partition(":")[0] for alert in alerts] == ["mine"], "nobody else is told"
        assert "endpoint 'azure' is not configured here" in alerts[0]
        assert own.calls == asked_before

        _, ready, alerts = polled()
        assert alerts == []
        assert sorted(ready or polled()[1]) == ["mine", "ours"]
        assert commands("run", "retry", "mine").code == 0
        shown = commands.json("text", "show", "mine")
        assert (shown["state"], shown["counts"]["ok"]) == ("completed", 4)
        assert set(own.executed.values()) == {1}


def test_transcripts_of_several_endpoints_are_compared_in_one_run(tmp_path: Path, openai: Provider) -> None:
    with provider(keys=frozenset({BOT_KEY})) as own, openai.behaving():
        file = endpoints_file(
            tmp_path,
            f"""
endpoints:
  speaches: {{protocol: openai_chat, base_url: "{own.base_url}", key: ${{SPEECH_KEY}}}}
prices:
  speaches/large-v3: {{input: 1, output: 1}}
""",
        )
        commands = Commands(tmp_path, **file, SPEECH_KEY=BOT_KEY, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY)
        furnish(commands.home)
        commands.json("dataset", "add", "clips", str(SPEECH), "--kind", "stt")
        run = ("--dataset", "clips", "--model", "speaches/large-v3", "--model", "gpt-4o-transcribe")

        shown = commands.json("stt", "run", "first", *run, "--mode", "live")
        refused = commands("stt", "run", "second", *run[:4], "--mode", "batch", "--json")

    cost = shown["cost"]
    assert (shown["state"], cost["speaches/large-v3"]["rate"]) == ("completed", "own")
    assert cost["speaches/large-v3"]["cost_usd"] == cost["speaches/large-v3"]["total_tokens"] / 1_000_000
    assert cost["gpt-4o-transcribe"]["rate"] == "standard"
    assert refused.error_code == "config_type_unsupported"


def test_every_family_of_protocols_has_its_sensor_and_its_asset() -> None:
    from eval_pipeline.defs.collectors import COLLECTORS  # noqa: PLC0415 - dagster: only here
    from eval_pipeline.defs.sensors import SENSORS  # noqa: PLC0415 - the same

    names = {sensor.name for sensor in SENSORS}
    assert {"openai_batches", "gemini_batches"} <= names
    assert {spec.key for spec in COLLECTORS.values()} == {
        dg.AssetKey(["collectors", name]) for name in names - {"requested_runs"}
    }


def test_a_built_in_endpoint_may_be_named_like_any_other(tmp_path: Path, openai: Provider) -> None:
    commands = Commands(tmp_path, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY)
    furnish(commands.home)
    commands.add("golden", GOLDEN)
    with openai.behaving():
        run = ("--dataset", "golden", "--model", "openai/gpt-4o-mini", "--scorer", "exact_match", *FAST)
        assert commands.json("text", "run", "first", *run)["state"] == "completed"
        spec = json.loads(next((commands.home / "store/text_eval/default/first/spec").glob("*/spec.json")).read_text())
    assert (spec["schema"], spec["provider"]) == ("eval_pipeline.text_spec/2", "openai")
    assert spec["model_body"]["model"] == "gpt-4o-mini"
