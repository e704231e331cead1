"""Distinctive keys wherever a key can be, servers that repeat them, and a search through all that is told and kept."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from eval_pipeline.standins.faults import read_rules
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.langfuse import app as langfuse
from eval_pipeline.standins.openai import app as openai
from eval_pipeline_tests.commands import Commands, Ended
from eval_pipeline_tests.echoing import echoing
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providers.wire import closed_port

GOLDEN = "question,answer\n" + "".join(
    f"{what},yes\n" for what in ("well?", "bad?", "failed?", "odd?", "page?", "later?")
)
RULES = (
    {"kind": "bad_request", "match": "bad", "message": "no", "endpoint": "responses"},
    {"kind": "status_failed", "match": "failed", "endpoint": "responses"},
    {"kind": "malformed", "match": "odd", "endpoint": "responses"},
    {"kind": "html", "match": "page", "endpoint": "responses"},
    {"kind": "server_error", "match": "later", "endpoint": "responses"},
)
SECRETS = {
    "OPENAI_API_KEY": "sk-proj-OPENAI/planted+0a1b2c3d4e5f",
    "GEMINI_API_KEY": "AIzaGEMINIplanted0a1b2c3d4e5f6071",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-PUBLICplanted-0a1b2c3d4e5f",
    "LANGFUSE_SECRET_KEY": "sk-lf-SECRETplanted-0a1b2c3d4e5f",
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED0A1B2C3D4",
    "AWS_SECRET_ACCESS_KEY": "AwsPlanted/0a1b2c3d4e5f+60718293",
}
IN_ADDRESS = "gatewayPlanted0a1b2c3d4e5f"
PASSWORD = "dbPlanted-0a1b2c3d4e5f"
HALF = 12
"""Characters of a secret that are too many to be shown."""


@dataclass
class Scene:
    """A home with planted keys, and everything that its commands said."""

    commands: Commands
    said: list[Ended] = field(default_factory=list)

    def __call__(self, *arguments: str, **variables: str) -> Ended:
        ended = self.commands(*arguments, **variables)
        self.said.append(ended)
        return ended

    def search(self) -> list[str]:
        """Name every place where a secret, or the first half of one, is found."""
        pair = f"{SECRETS['LANGFUSE_PUBLIC_KEY']}:{SECRETS['LANGFUSE_SECRET_KEY']}"
        planted = [*SECRETS.values(), IN_ADDRESS, PASSWORD, base64.b64encode(pair.encode()).decode()]
        halves = {secret[:HALF].lower().encode() for secret in planted}
        kept = [(str(path), content) for path, content in self.commands.everything_stored()]
        kept += [(f"output {number}", repr(ended).encode()) for number, ended in enumerate(self.said)]
        return [f"{place}: {half.decode()}" for place, content in kept for half in halves if half in content.lower()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    asked = openai.create_app(openai.OpenAIOptions())
    asked.state.standin.set_rules(read_rules([dict(rule) for rule in RULES]))
    with (
        echoing(asked) as (openai_url, heard),
        echoing(gemini.create_app(gemini.GeminiOptions())) as (gemini_url, _),
        echoing(langfuse.create_app()) as (langfuse_url, _),
    ):
        commands = Commands(
            tmp_path,
            **SECRETS,
            OPENAI_BASE_URL=f"{openai_url}/{IN_ADDRESS}/v1",
            GOOGLE_GEMINI_BASE_URL=f"{gemini_url}/{IN_ADDRESS}",
            LANGFUSE_BASE_URL=langfuse_url,
            EVAL_BATCH_POLL_SECONDS="0.1",
            EVAL_RETRY_MAX_ATTEMPTS="1",
            EVAL_BATCH_MAX_ROUNDS="1",
            EVAL_BATCH_FAILURE_THRESHOLD="0",
            EVAL_FAST_FAILURE_THRESHOLD="1",
            NO_PROXY="127.0.0.1",
        )
        furnish(commands.home)
        commands.add("golden", GOLDEN)
        yield Scene(commands)
        assert heard.heard, "the keys arrived, and were repeated"


def test_no_key_is_found_anywhere_whatever_servers_repeat(scene: Scene) -> None:
    run = ("--dataset", "golden", "--scorer", "exact_match")
    fast = scene("text", "run", "fast", *run, "--mode", "fast", "--json")
    batch = scene("text", "run", "batch", *run, "--mode", "batch", "--json")
    for name in ("fast", "batch"):
        scene("text", "show", name, "--detail", "--json")
        scene("run", "status", name)
        scene("text", "export", name, "--output", f"{name}.jsonl")
    scene("doctor", "--json")

    assert (fast.document["counts"]["ok"], batch.document["counts"]["total"]) == (1, 6)
    assert "\n".join(scene.search()) == ""
    assert any(b"[key]" in content for path, content in scene.commands.everything_stored() if "/raw/" in str(path))


@pytest.mark.slow
def test_no_key_of_another_provider_or_place_is_found_either(scene: Scene) -> None:
    for mode in ("fast", "batch"):
        options = ("--dataset", "golden", "--provider", "gemini", "--mode", mode)
        scene("text", "run", f"gemini-{mode}", *options, "--scorer", "exact_match")
    port = closed_port()
    scene("doctor", EVAL_PIPELINE_DATABASE_URL=f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/db")
    scene("run", "list", EVAL_PIPELINE_DATABASE_URL=f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/db")
    scene("run", "list", EVAL_PIPELINE_DATABASE_URL=f"postgresql://me:{PASSWORD}@127.0.0.1:{PASSWORD}/db")
    scene("doctor", EVAL_PIPELINE_STORE="s3://bucket", AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{port}")
    scene(
        "doctor", EVAL_PIPELINE_STORE=f"s3://{SECRETS['AWS_ACCESS_KEY_ID']}:{SECRETS['AWS_SECRET_ACCESS_KEY']}@bucket"
    )
    wrong = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/{IN_ADDRESS}/v1",
        "LANGFUSE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    scene("text", "run", "nobody", "--dataset", "golden", "--mode", "fast", **wrong)
    scene("text", "run", "nobody-batch", "--dataset", "golden", "--mode", "batch", **wrong)

    assert "\n".join(scene.search()) == ""
