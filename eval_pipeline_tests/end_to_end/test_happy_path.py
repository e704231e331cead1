"""A run from golden file to report, every number compared with an independent calculation."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from genai_prices import Usage, calc_price
from scipy import stats

from eval_pipeline.standins.langfuse import app as langfuse
from eval_pipeline.standins.langfuse.state import LangfuseState
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.vectors import embed
from eval_pipeline_tests.commands import Commands, Ended
from eval_pipeline_tests.providing import provider

INSTRUCTIONS = "Answer with one number or name."
REPEATS = 2
GOLDEN = """question,answer,category,source
What is 2 + 2?,4,maths,book
What is 12 * 12?,144,maths,book
What is 1000 + 234?,"1,234",maths,web
Capital of France?,Paris,geography,web
भारत की राजधानी क्या है?,नई दिल्ली,geography,web
ما هي عاصمة مصر؟,القاهرة,geography,web
=1+1?,2,,web
"""
ANSWERS = {
    "What is 2 + 2?": "A: 4",
    "What is 12 * 12?": "It is 143.",
    "What is 1000 + 234?": "#### 1,234",
    "Capital of France?": "Paris",
    "भारत की राजधानी क्या है?": "नई दिल्ली",
    "ما هي عاصمة مصر؟": "الإسكندرية",
    "=1+1?": '=HYPERLINK("http://evil.example")\nsecond line\x1b[31m',
}
GOLDEN_ANSWERS = {row["question"]: row["answer"] for row in csv.DictReader(GOLDEN.splitlines())}
NUMERIC_QUESTIONS = ("What is 2 + 2?", "What is 12 * 12?", "What is 1000 + 234?", "=1+1?")
CORRECT = {"What is 2 + 2?": 1.0, "What is 12 * 12?": 0.0, "What is 1000 + 234?": 1.0, "=1+1?": 0.0}


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run, and what was seen of it from outside."""

    commands: Commands
    ended: Ended
    document: Mapping[str, Any]
    asked: Mapping[str, int]
    embedding_calls: int
    embedding_calls_in_all: int
    embedded: Mapping[str, int]
    langfuse: LangfuseState
    langfuse_off: Mapping[str, Any]

    def score(self, name: str) -> Mapping[str, Any]:
        """Return a score of the summary."""
        return next(score for score in self.document["summary_scores"] if score["name"] == name)

    def traces(self) -> list[dict[str, Any]]:
        """Return every item."""
        return list(self.document["traces"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    answers = {("gpt-4o-mini", question): answer for question, answer in ANSWERS.items()}
    sink = langfuse.create_app()
    with provider(answers) as openai, serve(sink) as langfuse_url:
        commands = Commands(
            tmp_path_factory.mktemp("happy"), OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY="sk-test-happy"
        )
        commands.add("golden सवाल", GOLDEN, "--duplication-factor", str(REPEATS))
        arguments = ("--dataset", "golden सवाल", "--mode", "fast", "--instructions", INSTRUCTIONS)
        scorers = ("--scorer", "numeric", "--scorer", "exact_match", "--scorer", "cosine_similarity")
        keys = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk-lf", "LANGFUSE_BASE_URL": langfuse_url}
        ended = commands("text", "run", "first", *arguments, *scorers, **keys)
        asked, embedded = dict(openai.answers.asked), dict(openai.embeddings.asked)
        calls = openai.embeddings.requests
        without = commands("text", "run", "plain", *arguments, "--repeats", "1", "--scorer", "exact_match", "--json")
        yield Finished(
            commands=commands,
            ended=ended,
            document=commands.json("text", "show", "first", "--detail"),
            asked=asked,
            embedding_calls=calls,
            embedding_calls_in_all=openai.embeddings.requests,
            embedded=embedded,
            langfuse=sink.state.langfuse.state,
            langfuse_off=without.document,
        )


def tokens(*texts: str) -> int:
    """Count as the stand-in says that it counts: one per four bytes, begun ones whole, text by text."""
    return sum(max(1, -(-len(text.encode()) // 4)) for text in texts)


def price_usd(model: str, *, input_tokens: int, output_tokens: int = 0) -> Decimal:
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return calc_price(usage, model, provider_id="openai").total_price


def test_the_command_ends_well_and_says_so(run: Finished) -> None:
    assert run.ended.code == 0
    assert "first: completed (fast, gpt-4o-mini)" in run.ended.out
    assert "7 questions asked 2 times each: 14 items" in run.ended.out
    assert "answers 14 ok, 0 failed" in run.ended.out
    assert "responses: 14/14 done, 0 failed" in run.ended.err
    assert "\x1b[31m" not in run.ended.out + run.ended.err


def test_every_item_is_asked_exactly_once(run: Finished) -> None:
    assert run.asked == dict.fromkeys(ANSWERS, REPEATS)


def test_every_text_is_embedded_once_in_one_call(run: Finished) -> None:
    texts = {*ANSWERS.values(), *GOLDEN_ANSWERS.values()}

    assert run.embedded == dict.fromkeys(texts, 1)
    assert run.embedding_calls == 1


def test_counts_and_threshold_cover_the_whole_dataset(run: Finished) -> None:
    document = run.document

    assert document["state"] == "completed"
    assert document["error"] is None
    assert document["worker"] is None
    assert document["counts"] == {
        "total": 14,
        "ok": 14,
        "failed": 0,
        "unfinished": 0,
        "by_status": {"ok": 14},
        "embedding_failed": 0,
    }
    verdict = {"value": 0.5, "observed": 0.0, "breached": False, "failed": 0, "total": 14}
    assert document["threshold"] == {**verdict, "reasons": []}
    assert document["dataset"]["original_items_count"] == len(ANSWERS)


def test_traces_hold_question_answer_golden_answer_and_scores(run: Finished) -> None:
    assert [trace["question"] for trace in run.traces()] == [question for question in ANSWERS for _ in range(REPEATS)]
    for trace in run.traces():
        assert trace["llm_answer"] == ANSWERS[trace["question"]]
        assert trace["ground_truth_answer"] == GOLDEN_ANSWERS[trace["question"]]
        assert [score["name"] for score in trace["scores"]] == ["numeric", "exact_match", "cosine_similarity"]
        assert trace["scores"][0]["value"] == CORRECT.get(trace["question"])
        assert trace["partial_answer"] is None
        assert (trace["attempts"], trace["model"]) == (1, run.document["model"])
        assert trace["response_id"]
        assert trace["latency_s"] > 0
    assert len({trace["trace_id"] for trace in run.traces()}) == REPEATS * len(ANSWERS)
    assert {trace["category"] for trace in run.traces()} == {"maths", "geography", None}


def test_traces_hold_what_each_answer_used_and_cost(run: Finished) -> None:
    for trace in run.traces():
        usage = trace["usage"]
        assert list(usage) == [
            *("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
        ]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
        assert isinstance(trace["cost_usd"], float)
        assert trace["cost_usd"] > 0


def test_accuracy_has_the_mean_and_clustered_error_that_numpy_finds(run: Finished) -> None:
    values = np.array([CORRECT[question] for question in NUMERIC_QUESTIONS for _ in range(REPEATS)])
    by_question = np.array([CORRECT[question] for question in NUMERIC_QUESTIONS])
    score = run.score("numeric")

    assert score["avg"] == values.mean()
    assert score["std"] == pytest.approx(values.std(), rel=1e-12)
    assert score["total_pairs"] == len(values)
    assert score["distribution"] == {"true": 4, "false": 4}
    # with as many repeats everywhere, the clustered error is that of the questions' means
    error = by_question.std(ddof=1) / np.sqrt(len(by_question))
    assert score["standard_error"] == pytest.approx(error, rel=1e-12)
    half_width = stats.t.ppf(0.975, len(by_question) - 1) * error
    assert score["ci_low"] == pytest.approx(max(0.0, values.mean() - half_width), rel=1e-9)
    assert score["ci_high"] == pytest.approx(min(1.0, values.mean() + half_width), rel=1e-9)


def test_similarity_is_the_cosine_of_the_vectors_that_the_provider_sent(run: Finished) -> None:
    answers = embed([ANSWERS[trace["question"]] for trace in run.traces()], 3_072).astype(np.float64)
    golden = embed([GOLDEN_ANSWERS[trace["question"]] for trace in run.traces()], 3_072).astype(np.float64)
    lengths = np.linalg.norm(answers, axis=1) * np.linalg.norm(golden, axis=1)
    expected = (answers * golden).sum(axis=1) / lengths
    found = [trace["scores"][2]["value"] for trace in run.traces()]

    assert found == pytest.approx(expected, abs=1e-6)
    assert run.score("cosine_similarity")["avg"] == pytest.approx(expected.mean(), abs=1e-6)
    assert run.score("cosine_similarity")["std"] == pytest.approx(expected.std(), abs=1e-6)


def test_categories_are_scored_by_themselves(run: Finished) -> None:
    metrics = {category["category"]: category for category in run.document["category_metrics"]}
    accuracy = {name: category["scores"][0] for name, category in metrics.items()}

    assert {name: category["items"] for name, category in metrics.items()} == {"maths": 6, "geography": 6, None: 2}
    assert accuracy["maths"]["avg"] == pytest.approx(2 / 3)
    assert accuracy["geography"]["avg"] is None
    assert accuracy["geography"]["total_pairs"] == 0


def test_cost_is_what_the_published_prices_say_to_the_digit(run: Finished) -> None:
    asked = tokens(*ANSWERS) * REPEATS + tokens(INSTRUCTIONS) * REPEATS * len(ANSWERS)
    answered = tokens(*ANSWERS.values()) * REPEATS
    embedded = tokens(*{*ANSWERS.values(), *GOLDEN_ANSWERS.values()})
    response = price_usd("gpt-4o-mini", input_tokens=asked, output_tokens=answered)
    embedding = price_usd("text-embedding-3-large", input_tokens=embedded)
    cost = run.document["cost"]

    assert cost["response"]["input_tokens"] == asked
    assert cost["response"]["output_tokens"] == answered
    assert cost["response"]["cost_usd"] == float(response)
    assert cost["embedding"]["input_tokens"] == embedded
    assert cost["embedding"]["cost_usd"] == float(embedding)
    assert cost["total_cost_usd"] == float(response + embedding)


def test_the_estimate_says_what_it_assumes_and_starts_nothing(run: Finished) -> None:
    arguments = ("text", "run", "second", "--dataset", "golden सवाल", "--mode", "fast", "--estimate")
    estimate = run.commands.json(*arguments)["estimate"]

    assert estimate["items"] == REPEATS * len(ANSWERS)
    assert estimate["total_cost_usd"] > run.document["cost"]["response"]["cost_usd"]
    assert estimate["assumptions"]
    assert run.commands("run", "status", "second", "--json").error_code == "run_not_found"


def test_the_report_is_one_file_with_every_answer(run: Finished) -> None:
    html = Path(run.document["report"].removeprefix("file://")).read_text(encoding="utf-8")

    assert "नई दिल्ली" in html
    assert "الإسكندرية" in html
    assert "golden सवाल" in html
    assert "<script src" not in html
    assert not re.search(r"(src|href)=[\"']?https?:", html)


def test_langfuse_gets_one_trace_per_item_with_its_scores(run: Finished) -> None:
    assert len({trace for trace, _ in run.langfuse.spans}) == REPEATS * len(ANSWERS)
    assert {item["input"] for item in run.langfuse.items.values()} == set(ANSWERS)
    assert run.document["langfuse"]


def test_without_langfuse_keys_nothing_is_sent_and_the_run_says_so(run: Finished) -> None:
    status = run.commands.json("run", "status", "plain")
    traces = next(stage for stage in status["stages"] if stage["stage"] == "traces")

    assert run.langfuse_off["state"] == "completed"
    assert run.langfuse_off["langfuse"] is None
    assert run.langfuse_off["warnings"] == []
    assert traces["state"] != "done"


def test_a_run_without_embedding_scorers_embeds_nothing(run: Finished) -> None:
    response = run.langfuse_off["cost"]["response"]

    assert run.embedding_calls_in_all == run.embedding_calls
    assert run.langfuse_off["cost"]["total_cost_usd"] == response["cost_usd"]
    assert run.langfuse_off["counts"]["total"] == len(ANSWERS)


def test_rows_are_exported_so_that_no_spreadsheet_computes_them(run: Finished) -> None:
    path = run.commands.folder / "rows.csv"
    said = run.commands.json("text", "export", "first", "--format", "rows", "--output", str(path), "--bom")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True)))

    assert said["rows"] == len(rows) == REPEATS * len(ANSWERS)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    formula = rows[-1]
    assert formula["question"] == "'=1+1?"
    assert formula["answer"] == "'" + ANSWERS["=1+1?"]
    assert formula["source"] == "web"
    assert [float(row["numeric"]) for row in rows if row["numeric"]] == [
        CORRECT[question] for question in NUMERIC_QUESTIONS for _ in range(REPEATS)
    ]


def test_questions_are_exported_with_all_their_repeats(run: Finished) -> None:
    path = run.commands.folder / "grouped.jsonl"
    run.commands.json("text", "export", "first", "--format", "grouped", "--output", str(path))
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]

    assert [line["question"] for line in lines] == list(ANSWERS)
    assert all(line["answer_1"] == line["answer_2"] == ANSWERS[line["question"]] for line in lines)


def test_status_names_the_stages_and_no_worker_once_the_run_has_ended(run: Finished) -> None:
    ended = run.commands("run", "status", "first")
    document = run.commands.json("run", "status", "first")

    assert "worked on by" not in ended.out
    assert document["worker"] is None
    assert {stage["stage"] for stage in document["stages"] if stage["state"] == "done"} == {
        "spec",
        "dataset",
        "response_batch",
        "responses",
        "embedding_batch",
        "embeddings",
        "scores",
        "report",
        "traces",
    }
    assert {stage["stage"]: stage["rows"] for stage in document["stages"]}["responses"] == REPEATS * len(ANSWERS)


def test_detail_shows_every_item_and_obeys_no_escape_sequence(run: Finished) -> None:
    shown = run.commands("text", "show", "first", "--detail").out

    assert shown.count("Capital of France?") == REPEATS
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown
    assert "नई दिल्ली" in shown


def test_a_second_run_of_the_name_is_refused_with_the_way_to_go_on(run: Finished) -> None:
    ended = run.commands("text", "run", "first", "--dataset", "golden सवाल", "--mode", "fast", "--json")

    assert ended.code == 1
    assert ended.error_code == "run_name_already_exists"
    assert "run retry first" in ended.document["error"]["hint"]


def test_doctor_finds_the_installation_in_order(run: Finished) -> None:
    document = run.commands.json("doctor")

    assert document["ok"]
    assert {check["check"]: check["ok"] for check in document["checks"]} == {
        "home": True,
        "database": True,
        "store": True,
        "ledger": True,
        "OpenAI": True,
        "Gemini": None,
        "Langfuse": None,
        "Dagster": None,
    }
