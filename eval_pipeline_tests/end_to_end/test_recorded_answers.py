"""Runs whose answers exist already: nobody is called, everything behind the answers is as in any other run."""

import csv
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from eval_pipeline.cli.demo_server import GSM8K
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider, provider

GOLDEN = "id,question,answer\n001,What is 2 + 2?,4\n../b,Capital of France?,Paris\n3,Name a tree.,oak\n"
ANSWERS = """id,model_answer,model,latency_s,input_tokens,output_tokens,contexts
001,four 4,bot-2,"1,5",10,2,"[""2 + 2 = 4""]"
../b,Lyon,bot-2,0.5,11,3,[]
9,surplus,bot-2,,,,
"""
EXACT = ("--scorer", "contains")


@pytest.fixture(scope="module")
def openai() -> Iterator[Provider]:
    with provider({}) as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, openai: Provider) -> Commands:
    commands = Commands(
        tmp_path_factory.mktemp("recorded"), OPENAI_BASE_URL=openai.base_url, EVAL_BATCH_POLL_SECONDS="0.2"
    )
    furnish(commands.home)
    commands.add("golden", GOLDEN)
    (commands.folder / "answers.csv").write_text(ANSWERS)
    return commands


def run(home: Commands, name: str, *options: str, dataset: str = "golden", key: str = "") -> Any:  # noqa: ANN401 - JSON
    keys = {"OPENAI_API_KEY": key} if key else {}
    return home.json("text", "run", name, "--dataset", dataset, "--failure-threshold", "1", *options, **keys)


def test_a_file_of_answers_is_scored_and_nobody_is_called(home: Commands, openai: Provider) -> None:
    ended = home("text", "run", "first", "--dataset", "golden", "--answers", "answers.csv", *EXACT)

    assert ended.code == 0, ended
    assert "1 answer is to nothing in the dataset and left out: line 4" in ended.err
    assert "1 question has no recorded answer and will be missing" in ended.err
    document = home.json("text", "show", "first", "--detail")
    assert document["state"] == "completed"
    assert document["model"] == "bot-2"
    assert document["counts"] | {"embedding_failed": 0} == {
        "total": 3,
        "ok": 2,
        "failed": 1,
        "by_status": {"missing": 1, "ok": 2},
        "unfinished": 0,
        "embedding_failed": 0,
    }
    assert [score["distribution"] for score in document["summary_scores"]] == [{"true": 1, "false": 1}]
    assert document["cost"]["total_cost_usd"] == 0
    assert document["cost"]["response"]["input_tokens"] == 21
    assert document["latency_s"]["max"] == 1.5
    assert document["warnings"] == []
    assert document["retrieval"] == {"items": 2, "with_passages": 1, "nothing": 1, "not_told": 0}
    first, second, third = document["traces"]
    assert [one["text"] for one in first["passages"]] == ["2 + 2 = 4"]
    assert (second["passages"], third["passages"], third["status"]) == ([], None, "missing")
    assert document["recorded"]["sha256"] == sha256(ANSWERS.encode()).hexdigest()
    assert openai.answers.requests == openai.embeddings.requests == 0


def test_the_run_keeps_the_file_and_its_report_says_so(home: Commands) -> None:
    (home.folder / "gone.csv").write_text(ANSWERS)
    run(home, "kept", "--answers", "gone.csv", *EXACT)
    (home.folder / "gone.csv").unlink()

    assert home("text", "rescore", "kept", "--scorer", "exact_match").code == 0
    digest = sha256(ANSWERS.encode()).hexdigest()
    stored = [data for path, data in home.everything_stored() if path.name == f"answers-{digest[:16]}.csv"]
    assert ANSWERS.encode() in stored
    page = Path(home.json("text", "show", "kept")["report"].removeprefix("file://")).read_text()
    assert digest in page
    assert "nobody was asked" in page
    assert "They were handed in on" in page
    assert "1 of its answers is to nothing in the dataset (line 4)" in page


def test_a_key_that_a_log_repeats_is_kept_in_the_file_that_was_handed_in_alone(home: Commands) -> None:
    key = "sk-recorded-4711-planted"
    lines = [{"id": "001", "model_answer": f"4 {key}", "thinking": key, "model": "bot-2", "contexts": [key]}]
    (home.folder / "leaky.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    run(home, "leaky", "--answers", "leaky.jsonl", *EXACT, key=key)
    (home.folder / "leaky.jsonl").unlink()
    home.json("text", "export", "leaky", "--output", str(home.folder / "leaky.csv"))

    assert "4 [key]" in (home.folder / "leaky.csv").read_text()
    assert key not in (home.folder / "leaky.csv").read_text()
    holding = {path.name for path, data in home.everything_stored() if key.encode() in data}
    assert [name for name in holding if not name.startswith("answers-")] == []


def test_answers_in_a_workbook_or_by_question_are_taken_alike_and_two_runs_compare(home: Commands) -> None:
    book = Workbook()
    book.active.append(("question", "output", "note"))
    book.active.append(("What is  2 + 2?", 4, "x"))
    book.active.append(("Capital of France?", "Paris", None))
    book.active.append(("Name a tree.", "oak", None))
    book.save(home.folder / "answers.xlsx")
    run(home, "older", "--answers", "answers.csv", *EXACT)
    document = run(home, "newer", "--answers", "answers.xlsx", "--model", "bot-3", *EXACT)

    assert (document["model"], document["counts"]["ok"]) == ("bot-3", 3)
    compared = home.json("text", "compare", "older", "newer")
    assert (compared["scores"][0]["wins"], compared["scores"][0]["losses"]) == (1, 0)
    changed = {difference["name"] for difference in compared["differences"]}
    assert any("recorded" in name for name in changed), compared["differences"]


def test_a_sheet_of_answers_is_named_where_several_could_be_meant(home: Commands) -> None:
    book = Workbook()
    for name, answer in (("March", "Lyon"), ("April", "Paris")):
        sheet = book.create_sheet(name)
        sheet.append(("question", "output"))
        sheet.append(("Capital of France?", answer))
    book.save(home.folder / "months.xlsx")
    command = ("text", "run", "month", "--dataset", "golden", "--answers", "months.xlsx", *EXACT, "--json")

    ended = home(*command)
    assert ended.error_code == "invalid_answers"
    assert "--answers-sheet NAME" in ended.document["error"]["hint"]
    document = run(home, "april", "--answers", "months.xlsx", "--answers-sheet", "april", *EXACT)
    assert [score["distribution"] for score in document["summary_scores"]] == [{"true": 1, "false": 0}]
    assert document["recorded"]["sheet"] == "april"
    page = Path(document["report"].removeprefix("file://")).read_text()
    assert "answers were recorded in months.xlsx, sheet april" in page
    wrong = home(
        "text", "run", "x", "--dataset", "golden", "--answers", "answers.csv", "--answers-sheet", "x", "--json"
    )
    assert "it is no workbook" in wrong.document["error"]["message"]
    alone = home("text", "run", "x", "--dataset", "golden", "--answers-sheet", "x", "--json")
    assert alone.error_code == "invalid_config"


def test_an_export_can_be_scored_again_with_its_repeats(home: Commands) -> None:
    rows = [("001", repeat, f"answer {repeat * 2}") for repeat in (1, 2)] + [
        ("../b", 1, "Paris"),
        ("../b", 2, "Paris"),
        ("3", 1, "oak"),
        ("3", 2, ""),
    ]
    with (home.folder / "repeats.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("question_id", "repeat", "answer"), *rows])
    run(home, "repeated", "--answers", "repeats.csv", *EXACT)
    assert home("text", "export", "repeated", "--output", str(home.folder / "export.csv")).code == 0

    again = run(home, "again", "--answers", "export.csv", *EXACT)

    assert (again["counts"]["total"], again["counts"]["ok"]) == (6, 5)
    assert again["summary_scores"] == home.json("text", "show", "repeated")["summary_scores"]


@pytest.mark.parametrize("mode", ["batch", "fast"])
def test_embeddings_are_still_asked_for(home: Commands, openai: Provider, mode: str) -> None:
    with openai.behaving():
        document = run(home, f"similar-{mode}", "--answers", "answers.csv", "--mode", mode, key="sk-test-recorded")

        assert openai.answers.requests == 0
    assert document["summary_scores"][0]["total_pairs"] == 2
    assert document["cost"]["response"]["cost_usd"] == 0
    assert document["cost"]["total_cost_usd"] == document["cost"]["embedding"]["cost_usd"] > 0


def test_answers_in_the_dataset_are_taken_unless_a_model_is_named(home: Commands, openai: Provider) -> None:
    rows = [
        {"question": "What is 2 + 2?", "answer": "4", "model_answer": "<think>2, 3, 4</think>4", "contexts": ["sums"]},
        {"question": "Capital of France?", "answer": "Paris", "model_answer": None},
    ]
    (home.folder / "both.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    home.json("dataset", "add", "both", "both.jsonl")
    ended = home("text", "run", "inside", "--dataset", "both", *EXACT)

    assert "the answers are those of the dataset's column model_answer, 1 of 2; nobody is asked" in ended.err
    document = home.json("text", "show", "inside", "--detail")
    assert [(trace["status"], trace["llm_answer"]) for trace in document["traces"]] == [("ok", "4"), ("missing", None)]
    assert document["traces"][0]["thinking"] == "2, 3, 4"
    assert document["recorded"] == {"source": "dataset", "answers": 1}
    with openai.behaving():
        asked = run(home, "asked", "--model", "m", "--mode", "fast", *EXACT, dataset="both", key="sk-test-recorded")
        assert openai.answers.requests == 2
    assert asked["recorded"] is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,model_answer\n001,a\n001,b\n", "lines 2 and 3 answer the same id"),
        (
            "id,model_answer\nx,a\ny,b\n001,c\n",
            "2 of its 3 answers have an id that the dataset does not know: lines 2, 3",
        ),
        ("id,model_answer\n001,a\n,b\n", "line 3 cannot be read: it has neither an id nor a question"),
        ("id,model_answer,latency_s\n001,a,fast\n", "line 2 cannot be read: latency_s is 'fast', not a number"),
        ("id,reply\n001,a\n", "it has no column 'model_answer'; its columns are 'id', 'reply'"),
        ("model_answer\na\n", "line 2 cannot be read: it has neither an id nor a question"),
        ("id,model_answer\n", "it holds no answers"),
        ("id,question,model_answer\n001,q,a\n,Name a tree.,b\n", "line 3 has no id"),
        ("", "it is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_the_name_is_claimed(
    home: Commands, text: str, problem: str
) -> None:
    (home.folder / "bad.csv").write_text(text)
    ended = home("text", "run", "bad", "--dataset", "golden", "--answers", "bad.csv", *EXACT, "--json")

    assert (ended.code, ended.error_code) == (1, "invalid_answers")
    assert problem in ended.document["error"]["message"]
    assert home("text", "show", "bad", "--json").error_code == "run_not_found"


def test_what_cannot_be_a_file_of_answers_is_told(home: Commands) -> None:
    missing = home("text", "run", "x", "--dataset", "golden", "--answers", "missing.csv", "--json")
    assert missing.error_code == "file_unreadable"
    both = home("text", "run", "x", "--dataset", "golden", "--answers", "answers.csv", "--provider", "openai", "--json")
    assert both.error_code == "invalid_config"


def test_the_ten_answers_of_the_examples_are_as_right_as_their_authors_say(home: Commands) -> None:
    home.json("dataset", "add", "ten", str(GSM8K / "ten_questions.csv"))
    ended = run(home, "ten", "--answers", str(GSM8K / "ten_recorded_answers.csv"), "--scorer", "numeric", dataset="ten")

    assert ended["summary_scores"][0]["distribution"] == {"true": 2, "false": 8}
    assert ended["model"] == "175b_finetuning"


def test_without_a_key_it_is_said_what_needs_none(home: Commands) -> None:
    ended = home("text", "run", "keyless", "--dataset", "golden", "--answers", "answers.csv", "--json")

    assert ended.error_code == "missing_api_key"
    assert ended.document["error"]["hint"].endswith("without embeddings, and nobody is asked: --scorer contains")


def test_an_estimate_is_free(home: Commands) -> None:
    told = home.json("text", "run", "x", "--dataset", "golden", "--answers", "answers.csv", *EXACT, "--estimate")[
        "estimate"
    ]

    assert (told["total_cost_usd"], told["stages"]["response"]["cost_usd"]) == (0, 0)
    assert [warning["code"] for warning in told["warnings"]] == ["answers_surplus", "answers_missing"]
