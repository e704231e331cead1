"""Golden rows with ids, several golden answers, earlier turns or none at all, from the file to report and export."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.standins.searches import passages
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import provider

TURNS = [{"role": "user", "content": "Capital of India?"}, {"role": "assistant", "content": "New Delhi"}]
ROWS = [
    {"id": "001", "question": "What is 2 + 2?", "answers": ["4", "four"], "category": "sums"},
    {"id": "../a\nb", "question": "And Japan?", "answers": ["Tokyo"], "history": TURNS},
    {"id": "7", "question": "Name a tree.", "answers": None, "contexts": ["A guide."]},
    {"id": "<b>", "messages": [*TURNS, {"role": "user", "content": "And Kenya?"}], "answers": ["Nairobi"]},
]
ANSWERS = {"What is 2 + 2?": "Four", "And Japan?": "Tokyo", "Name a tree.": "oak, word", "And Kenya?": "Nairobi"}
SCORERS = ("--scorer", "exact_match", "--scorer", "regex:o", "--scorer", "cosine_similarity")
SEARCH = "model_body: {tools: [{type: file_search, vector_store_ids: [vs_1]}]}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    answers = {("gpt-4o-mini", question): answer for question, answer in ANSWERS.items()}
    with provider(answers) as openai:
        commands = Commands(
            tmp_path_factory.mktemp("golden"),
            OPENAI_BASE_URL=openai.base_url,
            OPENAI_API_KEY="sk-test-golden",
            EVAL_BATCH_POLL_SECONDS="0.2",
        )
        furnish(commands.home)
        (commands.folder / "golden.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        (commands.folder / "search.yaml").write_text(SEARCH)
        added = commands.json("dataset", "add", "golden", "golden.jsonl")
        assert added["warnings"] == [
            "1 row has no golden answer (line 3): scorers that compare with one cannot score them"
        ]
        yield commands


@pytest.mark.parametrize("mode", ["fast", "batch"])
def test_a_run_asks_with_earlier_turns_and_scores_by_the_best_golden_answer(home: Commands, mode: str) -> None:
    ended = home("text", "run", mode, "--dataset", "golden", "--mode", mode, *SCORERS, "--config", "search.yaml")

    assert ended.code == 0, ended
    assert "exact_match, cosine_similarity: 1 row has no golden answer (line 3)" in ended.err
    document = home.json("text", "show", mode, "--detail")
    items = {trace["question_id"]: trace for trace in document["traces"]}
    assert list(items) == [row["id"] for row in ROWS]
    assert {name: trace["llm_answer"] for name, trace in items.items()} == dict(
        zip(items, ANSWERS.values(), strict=True)
    )
    scores = {name: {score["name"]: score for score in trace["scores"]} for name, trace in items.items()}
    assert scores["001"]["exact_match"]["value"] == 1.0
    assert scores["../a\nb"]["cosine_similarity"]["value"] == 1.0
    assert scores["7"]["regex"]["value"] == 1.0
    assert scores["7"]["exact_match"]["unscoreable_reason"] == "empty_ground_truth"
    assert scores["7"]["cosine_similarity"]["unscoreable_reason"] == "empty_ground_truth"
    assert items["<b>"]["history"] == items["../a\nb"]["history"] == TURNS
    assert items["7"]["contexts"] == [{"file": None, "score": None, "text": "A guide."}]
    check_tokens(items, TURNS)
    check_retrieval(document, items)


def check_tokens(items: dict[str, Any], turns: list[dict[str, str]]) -> None:
    """Earlier turns are paid for as input: the stand-in counts every text that is said."""
    said = ["And Japan?", *(turn["content"] for turn in turns)]
    assert items["../a\nb"]["usage"]["input_tokens"] == sum(-(-len(text) // 4) for text in said)


def check_retrieval(document: dict[str, Any], items: dict[str, Any]) -> None:
    """What a search found stands with its item, and who found nothing is counted."""
    found = {trace["question"]: trace["passages"] for trace in items.values()}
    expected = {question: [one.text for one in passages(question)] for question in ANSWERS}
    assert {question: [one["text"] for one in told] for question, told in found.items()} == expected
    nothing = sum(not told for told in expected.values())
    assert document["retrieval"] == {
        "items": 4,
        "with_passages": 4 - nothing,
        "nothing": nothing,
        "not_told": 0,
    }


def test_report_and_export_name_rows_as_the_file_does(home: Commands) -> None:
    document = home.json("text", "show", "fast")
    page = Path(document["report"].removeprefix("file://")).read_text()

    assert "&lt;b&gt;" in page
    assert "<b>#1" not in page
    assert "Golden answers, each accepted" in page
    assert "Said before the question: 2 turns" in page
    assert "answered items retrieved nothing" in page
    output = home.folder / "rows.csv"
    assert home("text", "export", "fast", "--output", str(output)).code == 0
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["question_id"] for row in rows] == [row["id"] for row in ROWS]
    assert [row["item_id"] for row in rows] == [f"{row['id']}#1" for row in ROWS]
    assert json.loads(rows[0]["golden_alternatives"]) == ["four"]
    assert json.loads(rows[1]["turns"]) == TURNS
    assert [json.loads(row["passages"]) is not None for row in rows] == [True] * 4
    assert "retrieved nothing" in home("text", "show", "fast").out


def test_a_run_that_could_score_nothing_is_refused_before_it_is_paid(home: Commands) -> None:
    home.add("bare", "question,answer\nq,\nr,\n")
    arguments = ("text", "run", "bare", "--dataset", "bare", "--mode", "fast")

    ended = home(*arguments, "--json")
    assert (ended.code, ended.error_code) == (1, "golden_missing")
    assert "none of the 2 rows" in ended.document["error"]["message"]
    assert home(*arguments, "--scorer", "regex:.").code == 0
