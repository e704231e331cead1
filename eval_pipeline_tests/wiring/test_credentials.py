"""Whose keys a run uses, and that none of them shows."""

from pathlib import Path

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.protocols import GEMINI, OPENAI
from eval_pipeline.core.secrets import redact
from eval_pipeline.wiring.credentials import LANGFUSE_URL, Credentials, read_credentials
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.endpoints import endpoints_of_project

SECRETS = {"OPENAI_API_KEY": "sk-openai", "GEMINI_API_KEY": "AIza-gemini", "LANGFUSE_SECRET_KEY": "sk-lf"}


def asked(credentials: Credentials, name: str) -> Endpoint:
    return endpoints_of_project(credentials).find(name)


def file_of(folder: Path, text: str, *, name: str = "credentials.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(file: Path, project: str = "health") -> str:
    with pytest.raises(UsageError) as caught:
        read_credentials(project, file=file, environ={})
    assert caught.value.code == "invalid_setting"
    assert caught.value.hint
    return caught.value.message


def test_without_a_file_every_project_uses_the_environment() -> None:
    found = read_credentials("health", file=None, environ=SECRETS)

    assert asked(found, OPENAI).require_key() == "sk-openai"
    assert asked(found, GEMINI).require_key() == "AIza-gemini"
    assert found.base_urls[GEMINI] == "https://generativelanguage.googleapis.com"
    assert found.langfuse_base_url == LANGFUSE_URL
    assert not any(secret in repr(found) for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("variables", "key", "name"),
    [
        ({"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}, "b", "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": "a"}, "a", "GEMINI_API_KEY"),
        ({"GOOGLE_API_KEY": "b"}, "b", "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": ""}, "a", "GEMINI_API_KEY"),
        ({"GEMINI_API_KEY": "a\n", "GOOGLE_API_KEY": "  "}, "a", "GEMINI_API_KEY"),
    ],
)
def test_googles_own_name_of_the_key_wins_as_in_its_client(variables: dict[str, str], key: str, name: str) -> None:
    found = read_credentials("default", file=None, environ=variables)

    assert asked(found, GEMINI).require_key() == key
    assert found.key_variables[GEMINI] == name, "a person is sent to the variable that was used"


@pytest.mark.parametrize("variables", [{}, {"GEMINI_API_KEY": ""}, {"GEMINI_API_KEY": " \n"}])
def test_a_key_that_is_missing_is_named(variables: dict[str, str]) -> None:
    found = read_credentials("default", file=None, environ=variables)

    assert not asked(found, GEMINI).has_key
    with pytest.raises(UsageError, match="GEMINI_API_KEY is not set") as caught:
        asked(found, GEMINI).require_key()
    assert caught.value.code == "missing_api_key"
    assert "GOOGLE_GEMINI_BASE_URL" in caught.value.hint


FILE = """
health:
  GOOGLE_API_KEY: AIza-health
  GOOGLE_GEMINI_BASE_URL: http://127.0.0.1:9
schools: {OPENAI_API_KEY: 12345, GEMINI_API_KEY: }
2024: {OPENAI_API_KEY: sk-year}
"""


def test_with_a_file_a_project_has_its_own_keys_and_no_others(tmp_path: Path) -> None:
    file = file_of(tmp_path, FILE)

    health = read_credentials("health", file=file, environ=SECRETS)
    schools = read_credentials("schools", file=file, environ=SECRETS)

    assert health.api_keys == {GEMINI: "AIza-health"}
    assert health.base_urls[GEMINI] == "http://127.0.0.1:9"
    assert schools.api_keys == {OPENAI: "12345"}, "an entry without a value sets nothing"
    assert read_credentials("2024", file=file, environ=SECRETS).api_keys == {OPENAI: "sk-year"}


def test_only_the_default_project_falls_back_to_the_environment(tmp_path: Path) -> None:
    file = file_of(tmp_path, FILE)

    assert GEMINI in read_credentials("default", file=file, environ=SECRETS).api_keys
    assert read_credentials("unknown", file=file, environ=SECRETS).api_keys == {}


def test_a_file_may_be_json(tmp_path: Path) -> None:
    file = file_of(tmp_path, '{"health": {"GEMINI_API_KEY": "a"}}', name="credentials.json")

    assert GEMINI in read_credentials("health", file=file, environ={}).api_keys
    assert "line 2 is not JSON" in refusal(file_of(tmp_path, '{"a":\n', name="b.json"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "- a",
        "health: 5",
        "health: [OPENAI_API_KEY]",
        "health: {GEMINI_KEY: s3cret}",
        "health: {1: s3cret, a: b}",
        "health: {OPENAI_API_KEY: [s3cret]}",
        "health: {OPENAI_API_KEY: {s3cret: 1}}",
        "health: {OPENAI_API_KEY: 2026-13-45}",
        "health: {a",
        "[" * 3000,
        "health: \x00",
    ],
)
def test_a_file_that_is_none_is_refused_without_showing_what_it_holds(tmp_path: Path, content: str) -> None:
    message = refusal(file_of(tmp_path, content))

    assert "credentials.yaml" in message
    assert "s3cret" not in message


def test_former_keys_are_listed_kept_secret_and_tried_behind_the_present_one() -> None:
    environ = {"OPENAI_API_KEY": "sk-present-1", "OPENAI_FORMER_API_KEYS": "sk-former-2, sk-present-1\nsk-former-3"}

    endpoint = endpoints_of_project(read_credentials("default", file=None, environ=environ))["openai"]

    assert [one.require_key() for one in endpoint.by_keys()] == ["sk-present-1", "sk-former-2", "sk-former-3"]
    assert "sk-former" not in repr(endpoint)
    assert redact("said sk-former-3") != "said sk-former-3"


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "https://", "https://user:s3cret@host"])
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="GOOGLE_GEMINI_BASE_URL") as caught:
        read_credentials("default", file=None, environ={"GOOGLE_GEMINI_BASE_URL": url})

    assert caught.value.code == "invalid_setting"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://me:SECRET-0123@api.example/v1", "a user name or password"),
        ("https://api.example/v1?api-key=SECRET-0123", "a question mark"),
        ("https://api.example/v1#SECRET-0123", "a fragment"),
        ("http://[SECRET-0123", "cannot be read"),
        ("http://api.example:SECRET-0123/v1", "cannot be read"),
        ("SECRET-0123", "is something"),
    ],
)
def test_an_address_that_holds_more_than_an_address_is_refused_without_showing_it(url: str, problem: str) -> None:
    for variable in ("OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "LANGFUSE_BASE_URL"):
        with pytest.raises(UsageError) as refused:
            read_credentials("default", file=None, environ={variable: url})
        told = f"{refused.value.message} {refused.value.hint}"
        assert refused.value.code == "invalid_setting"
        assert variable in told
        assert problem in told
        assert "SECRET" not in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys.json", "[" * 100_000),
        ("keys.json", '{"default": {"OPENAI_API_KEY": ' + "9" * 5_000 + "}}"),
        ("keys.yaml", "default: !!timestamp x"),
        ("keys.yaml", "default: !!python/object:os.system x"),
        ("keys.yaml", "[" * 1_200),
    ],
)
def test_a_credentials_file_that_no_reader_takes_is_refused(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)

    with pytest.raises(UsageError) as refused:
        read_credentials("default", file=file, environ={})
    assert refused.value.code == "invalid_setting"
    assert str(file) in refused.value.message
