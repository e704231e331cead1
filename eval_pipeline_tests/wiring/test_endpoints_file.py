"""The file of endpoints: what it says, what is wrong with it, and that no key of it ever shows."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.secrets import redact
from eval_pipeline.wiring import models
from eval_pipeline.wiring.credentials import read_credentials
from eval_pipeline.wiring.endpoints import Endpoints, endpoints_of_project
from eval_pipeline.wiring.endpoints_schema import endpoints_schema
from eval_pipeline.wiring.protocols import PROTOCOLS
from eval_pipeline.wiring.settings import Settings
from eval_pipeline_tests.storage.records import MOMENT

SECRET = "sk-s3cret-7f3a9c1e5b"
FILE = """
endpoints:
  ollama: {protocol: openai_chat, base_url: "http://127.0.0.1:11434/v1", key: none, concurrency: 2}
  azure:  {protocol: openai_responses, base_url: "https://n.azure.com/v1", key: ${AZURE_KEY}, batches: true}
  google:
    protocol: gemini
    key_file: keys/google
prices:
  ollama/gemma3: {input: 0.0, output: 0.0}
  openai/gpt-4o-mini: {input: 1, output: 2, cached_input: 0.5, batch: 0.5, call: 0.001}
"""


def _bot(says: str, *, url: str = "https://h/ask") -> str:
    """Write a file with one bot."""
    return f'endpoints: {{a: {{protocol: http, request: {{url: "{url}", {says}}}, answer: $.a}}}}'


def endpoints(folder: Path, text: str = FILE, **variables: str) -> Endpoints:
    """Read a file as a project with these variables has it."""
    path = folder / "endpoints.yaml"
    path.write_text(text, encoding="utf-8")
    return endpoints_of_project(read_credentials("default", file=None, environ=variables, endpoints_file=path))


def test_a_file_adds_endpoints_to_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "google").write_text(f"{SECRET}\n")

    found = endpoints(tmp_path, AZURE_KEY="sk-azure-0123456789")

    assert list(found) == ["openai", "gemini", "ollama", "azure", "google"]
    ollama, azure, google = found["ollama"], found["azure"], found["google"]
    assert (ollama.protocol, ollama.require_key(), ollama.has_key) == (ApiProtocol.OPENAI_CHAT, "", True)
    assert (ollama.most_at_once(10), ollama.most_at_once(1), azure.most_at_once(10)) == (2, 1, 10)
    assert (azure.require_key(), azure.has_batches) == ("sk-azure-0123456789", True)
    assert (google.require_key(), google.base_url) == (SECRET, "https://generativelanguage.googleapis.com")
    assert (google.has_batches, ollama.has_batches) == (True, False), (
        "by default only the vendor's own address has them"
    )
    shown = f"{found.values()!r}{azure.reach(Settings())!r}"
    assert "sk-azure" not in shown
    assert SECRET not in shown
    assert redact(f"the server repeats {SECRET}") == "the server repeats [key]"


def test_own_prices_win_over_published_ones_and_are_frozen(tmp_path: Path) -> None:
    found = endpoints(tmp_path)
    frozen = FrozenEndpoint.from_json(found["openai"].frozen("gpt-4o-mini", "gpt-4o").to_json())
    usage = Usage(input=2_000_000, cached_input=1_000_000, output=1_000_000, total=3_000_000)

    live, batch = (
        models.tariff(frozen, "gpt-4o-mini", mode=mode).price(usage, at=MOMENT, returned_model="gpt-4o-mini-2024-07-18")
        for mode in (RunMode.FAST, RunMode.BATCH)
    )

    assert live is not None
    assert batch is not None
    assert (live.usd, live.rate, batch.usd) == (Decimal("3.501"), "own", Decimal("1.7505"))
    assert list(frozen.prices) == ["gpt-4o-mini"]
    local = models.tariff(found["ollama"].frozen("gemma3"), "gemma3", mode=RunMode.FAST).price(usage, at=MOMENT)
    assert local is not None
    assert local.usd == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "not a mapping"),
        ("endpoint: {}", "unknown key"),
        ("endpoints: [a]", "mappings"),
        ("endpoints: {a: 5}", "endpoint a is no mapping"),
        ("endpoints: {a: {key: none, base_url: 'http://h/v1'}}", "endpoint a has no protocol"),
        ("endpoints: {a: {protocol: openai, key: none}}", "the protocol of endpoint a is none that is known"),
        ("endpoints: {a: {protocol: [s3cret], key: none}}", "the protocol of endpoint a is none that is known"),
        ("endpoints: {a: {protocol: openai_responses, key: none, api_key: s3cret}}", "unknown key 'api_key'"),
        ("endpoints: {a: {protocol: openai_responses, key: s3cret}}", "the key of endpoint a is written into the file"),
        ("endpoints: {a: {protocol: openai_responses, key: 'Bearer ${K}'}}", "written into the file"),
        ("endpoints: {a: {protocol: openai_responses, key: 12345678}}", "key of endpoint a"),
        ("endpoints: {a: {protocol: openai_responses, key: ~}}", "does not say which key"),
        ("endpoints: {a: {protocol: openai_responses}}", "does not say which key"),
        ("endpoints: {a: {protocol: openai_responses, key: none, key_file: f}}", "both key and key_file"),
        ("endpoints: {a: {protocol: openai_chat, key: none}}", "endpoint a has no base_url"),
        ("endpoints: {a: {protocol: gemini, key: none, concurrency: 0}}", "concurrency of endpoint a"),
        ("endpoints: {a: {protocol: gemini, key: none, concurrency: '2'}}", "concurrency of endpoint a"),
        ("endpoints: {a: {protocol: gemini, key: none}, a: {protocol: gemini, key: none}}", "'a' is there twice"),
        ("endpoints: {}\nendpoints: {}", "'endpoints' is there twice"),
        ("endpoints: {openai: {protocol: openai_responses, key: none}}", "endpoint openai is built in"),
        ("endpoints: {a/b: {protocol: gemini, key: none}}", "cannot be an endpoint's name"),
        ("endpoints: {2: {protocol: gemini, key: none}}", "cannot be an endpoint's name"),
        ("endpoints: {a: {protocol: gemini, key: none}}\nprices: {b/m: {input: 1}}", "of no endpoint that is known"),
        ("prices: {gpt-4o: {input: 1}}", "of no endpoint that is known"),
        ("prices: {openai/m: {input: -1}}", "input of the price of openai/m"),
        ("prices: {openai/m: {input: .inf}}", "input of the price of openai/m"),
        ("prices: {openai/m: 5}", "the price of openai/m"),
        (
            _bot("headers: {Authorization: Bearer s3cret}"),
            "header Authorization holds a key that is written into the file",
        ),
        (_bot("headers: {X-Api-Key: s3cret}"), "header X-Api-Key holds a key"),
        (_bot("json: {user: {api_key: s3cret}}"), "api_key of json holds a key"),
        (_bot("json: {}", url="https://h/ask?token=s3cret"), "token of url holds a key"),
        ("endpoints: {a", "it is not YAML"),
        ("\xff", "not a mapping"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_place_and_shows_no_value(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        endpoints(tmp_path, text)

    assert refused.value.code == "invalid_endpoints_file"
    assert said in refused.value.message
    assert "endpoints.yaml" in refused.value.message
    assert refused.value.hint
    assert "s3cret" not in f"{refused.value.message} {refused.value.hint}"
    assert "12345678" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://me:s3cret@h/v1", "a user name or password"),
        ("https://h/v1?key=s3cret", "a question mark"),
        ("nonsense", "no address of a server"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(UsageError, match="base_url of endpoint a") as refused:
        endpoints(tmp_path, f"endpoints: {{a: {{protocol: gemini, key: none, base_url: '{url}'}}}}")

    assert said in refused.value.message
    assert "s3cret" not in refused.value.message


def test_a_variable_that_is_not_set_is_an_error_only_where_its_endpoint_is_used(tmp_path: Path) -> None:
    found = endpoints(tmp_path)

    assert found["ollama"].require_key() == ""
    for name, said in (("azure", "AZURE_KEY of endpoint azure is not set"), ("google", "keys/google")):
        assert not found[name].has_key
        with pytest.raises(UsageError, match=said) as refused:
            found[name].require_key()
        assert refused.value.code == "missing_api_key"


def test_projects_share_the_file_and_not_the_keys(tmp_path: Path) -> None:
    shared, own, keys = (tmp_path / name for name in ("shared.yaml", "own.yaml", "credentials.yaml"))
    shared.write_text(FILE)
    own.write_text("endpoints: {bot: {protocol: openai_chat, base_url: 'http://127.0.0.1:9/v1', key: ${BOT_KEY}}}")
    keys.write_text(
        "health: {AZURE_KEY: sk-health-0123}\nschools: {EVAL_ENDPOINTS_FILE: own.yaml, BOT_KEY: sk-bot-01}\n"
    )

    health, schools, other = (
        endpoints_of_project(
            read_credentials(project, file=keys, environ={"AZURE_KEY": "sk-environment"}, endpoints_file=shared)
        )
        for project in ("health", "schools", "other")
    )

    assert health["azure"].require_key() == "sk-health-0123"
    assert (list(schools), schools["bot"].require_key()) == (["openai", "gemini", "bot"], "sk-bot-01")
    assert not other["azure"].has_key, "a project sees no other's key, and not that of the environment"
    keys.write_text("health: {AZUR_KEY: sk-health-0123}\n")
    with pytest.raises(UsageError, match="unknown variable 'AZUR_KEY'"):
        read_credentials("health", file=keys, environ={}, endpoints_file=shared)


def test_a_key_of_a_bot_stands_in_a_variable(tmp_path: Path) -> None:
    says = "headers: {Authorization: 'Bearer ${BOT}', X-Trace: plain}, json: {q: '{{ question }}', token: '${BOT}'}"

    assert endpoints(tmp_path, _bot(says, url="https://h/ask?key=${BOT}"))["a"].has_key


def test_a_prefix_is_an_endpoint_only_where_there_is_one(tmp_path: Path) -> None:
    found = endpoints(tmp_path)

    named = {
        text: (found.split(text).endpoint, found.split(text).model)
        for text in ("ollama/gemma3", "gemini/gemini-2.5-flash", "openai/org/model", "org/model", "ollama/", "gpt-4o")
    }

    assert named == {
        "ollama/gemma3": ("ollama", "gemma3"),
        "gemini/gemini-2.5-flash": ("gemini", "gemini-2.5-flash"),
        "openai/org/model": ("openai", "org/model"),
        "org/model": (None, "org/model"),
        "ollama/": (None, "ollama/"),
        "gpt-4o": (None, "gpt-4o"),
    }
    with pytest.raises(UsageError, match="there are openai, gemini, ollama, azure, google") as refused:
        found.find("claude")
    assert refused.value.code == "endpoint_not_configured"


def test_the_published_schema_knows_every_protocol_and_no_other_key() -> None:
    schema = endpoints_schema()

    entries = {name: schema["$defs"][name] for name in PROTOCOLS}
    assert [entry["$ref"].rpartition("/")[2] for entry in _endpoints_of(schema)["oneOf"]] == list(PROTOCOLS)
    for name, entry in entries.items():
        assert entry["properties"]["protocol"] == {"const": str(name)}
        assert entry["additionalProperties"] is False
        assert "protocol" in entry["required"]
    assert "base_url" in entries[ApiProtocol.OPENAI_CHAT]["required"]


def _endpoints_of(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]["endpoints"]["additionalProperties"]
    return found
