"""What ``text run`` refuses before anything is claimed or paid, and what it tells."""

import pytest

from eval_pipeline_tests.cli.conftest import GOLDEN
from eval_pipeline_tests.cli.refusals import refusal
from eval_pipeline_tests.commands import Commands, Ended

RUN = ("--dataset", "golden", "--mode", "fast")
BAD_NAMES = ("a/b", "..", "-a", "two\nlines", "x" * 10_000, "🙂", "", "a~b", "नाम", " a")
BAD_CONFIGS = {
    "unknown key": "modell: gpt-4o-mini",
    "no mapping": "- gpt-4o-mini",
    "only text": "gpt-4o-mini",
    "no YAML": "model: [unclosed",
    "body no mapping": "model_body: gpt-4o-mini",
    "body with input": "model_body: {input: x}",
    "body not JSON": "model_body: {temperature: .nan}",
    "body with a date": "model_body: {temperature: 2020-01-01}",
    "model no name": "model: 5",
    "blank model": "model: '  '",
    "instructions no text": "instructions: [a]",
    "unknown mode": "mode: slow",
    "mode no text": "mode: [fast]",
    "unknown scorer": "scorers: [rouge]",
    "scorers no list": "scorers: 5",
    "scorer parameter": "scorers: [{name: numeric, tolerances: 1}]",
    "broken pattern": "scorers: ['regex:(']",
    "twice the same": "scorers: [numeric, numeric]",
    "unknown embedding model": "embedding_model: word2vec",
    "half a dimension": "embedding_dimensions: 2.5",
    "no repeats": "repeats: 0",
    "half a repeat": "repeats: 1.5",
    "text for a number": "repeats: '2'",
    "too many repeats": "repeats: 6",
    "truth for a number": "concurrency: true",
    "half a call": "concurrency: 1.5",
    "threshold over 1": "failure_threshold: 1.5",
    "threshold no number": "failure_threshold: .nan",
    "negative budget": "max_cost_usd: -1",
    "budget no number": "max_cost_usd: much",
}


CODES = {
    "unknown scorer": "unknown_scorer",
    "scorer parameter": "invalid_scorer",
    "broken pattern": "invalid_scorer",
    "twice the same": "invalid_scorer",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_run_name_that_could_lead_elsewhere_is_refused(commands: Commands, name: str) -> None:
    ended = commands("text", "run", *RUN, "--json", "--", name)

    assert (ended.code, ended.error_code) == (1, "invalid_run_name")
    assert len(ended.out) < 1_000
    assert commands.json("run", "list")["total"] == 0


@pytest.mark.parametrize("problem", BAD_CONFIGS)
def test_a_configuration_that_cannot_be_meant_is_refused(commands: Commands, problem: str) -> None:
    config = commands.folder / "config.yaml"
    mapping = ": " in BAD_CONFIGS[problem] and not BAD_CONFIGS[problem].startswith("mode")
    config.write_text(BAD_CONFIGS[problem] + ("\nmode: fast\n" if mapping else ""))

    assert refusal(commands, "text", "--dataset", "golden", "--config", str(config)) == CODES.get(
        problem, "invalid_config"
    )


def test_golden_answers_that_a_scorer_cannot_read_are_counted_before_anything_is_paid(commands: Commands) -> None:
    commands.add("words", "question,answer\nWhat?,honey\nHow many?,5 lakh\nWho?,the nurse\nWhere?,nan\n")
    chosen = ("--dataset", "words", "--mode", "fast", "--scorer", "numeric")
    told = commands.json("text", "run", "never", *chosen, "--estimate")["estimate"]["warnings"]

    assert [warning["code"] for warning in told] == ["golden_damaged", "golden_unreadable"]
    assert told[0]["message"].startswith("1 golden answer is damaged or only a word for nothing (line 5)")
    assert "2 golden answers hold no quantity that can be read (lines 2, 4)" in told[1]["message"]


def test_an_empty_configuration_file_sets_nothing(commands: Commands) -> None:
    config = commands.folder / "empty.yaml"
    config.write_text("# nothing yet\n")

    assert commands.json("text", "run", "never", *RUN, "--config", str(config), "--estimate")["estimate"]["items"] == 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--mode", "fast"), "invalid_config"),
        (("--dataset", "nowhere", "--mode", "fast"), "dataset_not_found"),
        (("--dataset", "golden@00000000", "--mode", "fast"), "dataset_not_found"),
        (("--dataset", "x" * 10_000, "--mode", "fast"), "dataset_not_found"),
        ((*RUN, "--provider", "palantir"), "config_type_unsupported"),
        ((*RUN, "--scorer", "rouge"), "unknown_scorer"),
        ((*RUN, "--config", "nowhere.yaml"), "invalid_config"),
        ((*RUN, "--project", "../other"), "invalid_project"),
        ((*RUN, "--max-cost-usd", "nan"), "invalid_config"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(commands: Commands, arguments: tuple[str, ...], code: str) -> None:
    assert refusal(commands, "text", *arguments) == code


@pytest.mark.parametrize("variable", ["EVAL_FAST_MAX_UNIQUE_ROWS", "EVAL_FAST_MAX_FILE_BYTES"])
def test_a_dataset_over_the_limit_is_too_large_for_fast(commands: Commands, variable: str) -> None:
    assert refusal(commands, "text", *RUN, **{variable: "2"}) == "dataset_too_large_for_fast"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EVAL_FAST_API_CONCURRENCY", "many"),
        ("EVAL_FAST_API_CONCURRENCY", "0"),
        ("EVAL_FAST_FAILURE_THRESHOLD", "nan"),
        ("EVAL_FAST_FAILURE_THRESHOLD", "50%"),
        ("EVAL_LEASE_PATIENCE_SECONDS", "1"),
        ("EVAL_FAST_MAX_UNIQUE_ROW", "10"),
        ("EVAL_PROJECT_CREDENTIALS_FILE", "nowhere.yaml"),
        ("EVAL_PIPELINE_STORE", "nonsense"),
        ("OPENAI_BASE_URL", "nonsense"),
        ("OPENAI_BASE_URL", "https://user:secret@example.org/v1"),
        ("LANGFUSE_BASE_URL", "example.org"),
    ],
)
def test_a_setting_without_sense_is_named_before_anything_begins(commands: Commands, variable: str, value: str) -> None:
    ended = commands("text", "run", "never", *RUN, "--json", **{variable: value})

    assert (ended.code, ended.error_code) == (1, "invalid_setting")
    assert (variable if "CREDENTIALS" not in variable else value) in ended.document["error"]["message"]
    assert "secret" not in ended.out


@pytest.mark.parametrize(
    "content", ["[]", "default: 5", "default: {OPENAI_KEY: x}", "a: [", "default: {OPENAI_API_KEY: 5"]
)
def test_a_credentials_file_that_is_none_is_refused_without_showing_it(commands: Commands, content: str) -> None:
    file = commands.folder / "credentials.yaml"
    file.write_text(content)

    assert refusal(commands, "text", *RUN, EVAL_PROJECT_CREDENTIALS_FILE=str(file)) == "invalid_setting"


def test_a_run_that_does_not_exist_is_not_shown_exported_retried_cancelled_or_deleted(commands: Commands) -> None:
    def ask(*arguments: str) -> Ended:
        return commands(*arguments, "--json")

    for ended in (
        ask("text", "show", "nobody"),
        ask("text", "export", "nobody", "--output", "x.csv"),
        ask("run", "status", "nobody"),
        ask("run", "retry", "nobody"),
        ask("run", "cancel", "nobody"),
        ask("run", "delete", "nobody", "--yes"),
    ):
        assert (ended.code, ended.error_code) == (1, "run_not_found")


def test_the_estimate_for_a_model_without_a_price_is_unknown_and_not_zero(commands: Commands) -> None:
    ended = commands("text", "run", "never", *RUN, "--model", "own-model", "--estimate")

    assert ended.code == 0
    assert "total unknown for 3 items; nothing was started" in ended.out


def test_datasets_of_other_projects_are_not_seen(commands: Commands) -> None:
    assert refusal(commands, "text", *RUN, "--project", "other") == "dataset_not_found"
    commands.add("theirs", GOLDEN, "--project", "other")
    assert commands.json("dataset", "list", "--project", "other")["total"] == 1
    assert "theirs" not in [dataset["name"] for dataset in commands.json("dataset", "list")["datasets"]]
