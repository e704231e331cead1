"""What the columns of a golden file mean: other names, ids, several answers, earlier turns, recorded answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.passages import Passage
from eval_pipeline.core.turns import Role, Turn
from eval_pipeline.text_eval.golden.files import read_first_form, read_golden
from eval_pipeline.text_eval.golden.reader import GoldenReader
from eval_pipeline.text_eval.golden.recorded import RecordedAnswer
from eval_pipeline.text_eval.golden.row import GoldenOptions, GoldenRow
from eval_pipeline.text_eval.golden.tally import Tally
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, usable, write

USER, ASSISTANT = {"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}
LAST = {"role": "user", "content": "Q2"}


def entry(cells: dict[str, Any], **options: Any) -> GoldenRow | SkippedRow:  # noqa: ANN401 - any cell
    return GoldenReader(GoldenOptions(**options)).entry(2, cells)


def row(cells: dict[str, Any], **options: Any) -> GoldenRow:  # noqa: ANN401 - any cell
    made = entry({"question": "q", "answer": "a", **cells}, **options)
    assert isinstance(made, GoldenRow), made
    return made


def reason(cells: dict[str, Any]) -> str:
    made = entry(cells)
    assert isinstance(made, SkippedRow), made
    return made.reason


@pytest.mark.parametrize("question", ["input", "prompt", "query"])
@pytest.mark.parametrize("answer", ["expected", "target", "ideal", "ground_truth", "reference"])
def test_names_that_people_know_are_taken_and_said_so(tmp_path: Path, question: str, answer: str) -> None:
    golden = read_golden(write(tmp_path, f"{question.title()};{answer.upper()}\nq;1,5\n"))
    (made,) = golden.entries()

    assert isinstance(made, GoldenRow)
    assert (made.question, made.answer, made.metadata) == ("q", "1,5", {})
    assert golden.warnings[1:] == (
        f"the column '{question}' is taken for 'question'",
        f"the column '{answer}' is taken for 'answer'",
    )


def test_a_name_of_its_own_wins_and_two_that_stand_for_one_are_refused(tmp_path: Path) -> None:
    made = row({"input": "other", "expected": "other"})

    assert (made.question, made.answer, made.metadata) == ("q", "a", {"input": "other", "expected": "other"})
    assert refusal(write(tmp_path, "prompt,query,answer\na,b,c\n")) == (
        "it has no column 'question', and 'prompt' and 'query' may each stand for it"
    )


def test_several_answers_come_as_a_list_or_as_columns_that_a_person_names() -> None:
    assert row({"answers": '["b", "a", "b", 1.50]'}).golden_answers == ("a", "b", "1.50")
    assert row({"answers": ["b", "c"]}).golden_answers == ("a", "b", "c")
    named = row({"first": "x", "Second": "", "third": "z"}, golden_columns=("First", "third"))
    assert named.golden_answers == ("x", "z")
    assert named.metadata == {"answer": "a", "Second": ""}


def test_a_golden_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column 'gold 2'; its columns are 'question', 'gold 1'"):
        read_golden(
            write(tmp_path, "question,gold 1\nq,a\n"), options=GoldenOptions(golden_columns=("gold 1", "gold 2"))
        )


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ("18", "answers is a number, not a list"),
        ("a, b", "answers is no JSON list (Expecting value, character 1): write"),
        ("['a']", "answers is no JSON list (Expecting value, character 2): write"),
        ('{"text": []}', "answers is an object, not a list"),
        ('["a", null]', "answer 2 in answers is null, not text"),
        ('["a", " "]', "answer 2 in answers is blank"),
    ],
)
def test_a_list_of_answers_that_is_none_is_told(answers: str, problem: str) -> None:
    assert problem in reason({"question": "q", "answers": answers})


def test_an_id_stays_as_it_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, 'id,question,answer\n001,q,a\n"../x\n/y",r,b\n 1.0 ,s,c\n,t,d\n')

    assert [made.id for made in usable(path)] == ["001", "../x\n/y", " 1.0 ", None]
    assert [made.metadata["id"] for made in usable(path)][:2] == ["001", "../x\n/y"]
    tally = Tally()
    list(tally.usable(read_golden(path).entries()))
    tally.check_ids()
    assert tally.warnings() == ("1 row has no id and get their number: line 6",)


def test_an_id_that_stands_twice_refuses_the_file_with_its_lines(tmp_path: Path) -> None:
    tally = Tally()
    list(tally.usable(read_golden(write(tmp_path, "id,question,answer\n1,q,a\n2,r,b\n1 ,s,c\n")).entries()))

    with pytest.raises(UsageError, match="one id stands on several lines: lines 2 and 4"):
        tally.check_ids()
    assert reason({"question": "q", "answer": "a", "id": "x" * 10_000_000}).startswith("its id has 10,000,000 char")
    assert reason({"question": "q", "answer": "a", "id": ["x"]}) == "id is a list, not text"


def test_the_users_last_turn_is_the_question_unless_a_column_has_it() -> None:
    turns = (Turn(Role.USER, "Q1"), Turn(Role.ASSISTANT, "A1"))

    for cells in (
        {"messages": [USER, ASSISTANT, LAST], "answer": "a"},
        {"messages": json.dumps([USER, ASSISTANT, LAST]), "answer": "a", "question": " "},
        {"history": [USER, ASSISTANT], "question": "Q2", "answer": "a"},
        {"history": [USER, ASSISTANT, LAST], "question": "Q2", "answer": "a"},
    ):
        made = entry(cells)
        assert isinstance(made, GoldenRow), made
        assert (made.question, made.turns) == ("Q2", turns)
    parts = {"role": "user", "content": [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]}
    assert row({"history": [parts, ASSISTANT]}).turns[0].text == "in parts"


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([USER, ASSISTANT], "messages ends with the assistant: its last turn must be the user's"),
        ([{"role": "system", "content": "s"}], "messages ends with the system"),
        ([USER, {"role": "tool", "content": "x"}], "turn 2 of messages has the role 'tool'"),
        ([{"content": "x"}], "turn 1 of messages has no role"),
        ([{"role": "user"}], "turn 1 of messages has null as its content"),
        ([{"role": "user", "content": " "}], "turn 1 of messages is blank"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "turn 1 of messages holds more than text"),
        ([USER, {"role": "system", "content": "s"}, USER], "turn 2 of messages is the system's"),
        (["Q"], "turn 1 of messages is a text, not an object"),
        ("Q", "messages is no JSON list"),
        ({"role": "user"}, "messages is an object, not a list"),
        ([], "blank question"),
    ],
)
def test_a_conversation_that_cannot_be_asked_is_told(turns: object, problem: str) -> None:
    assert problem in reason({"messages": turns, "answer": "a"})


def test_two_questions_in_one_row_are_told() -> None:
    assert reason({"history": [USER], "question": "other", "answer": "a"}) == (
        "history ends with a turn of the user that is not the question: leave one of the two out"
    )


def test_contexts_are_texts_or_objects_or_one_plain_text() -> None:
    assert row({"contexts": "A plain text"}).contexts == (Passage("A plain text"),)
    listed = '["one", {"page_content": "two", "source": "a.pdf", "score": 0.5}]'
    assert row({"contexts": listed}).contexts == (Passage("one"), Passage("two", "a.pdf", 0.5))
    assert (row({"contexts": "[]"}).contexts, row({"contexts": ""}).contexts) == ((), None)
    assert "passage 1 of contexts is null without text" in reason({"question": "q", "answer": "a", "contexts": [None]})


def test_a_recorded_answer_brings_what_stands_beside_it() -> None:
    made = row({"model_answer": "42", "model": "m", "latency_s": "1,5", "input_tokens": "7", "output_tokens": "2"})

    assert made.recorded == RecordedAnswer("42", model="m", latency_s=1.5, usage=Usage(input=7, output=2, total=9))
    assert made.metadata == {}
    assert RecordedAnswer.from_json(made.recorded.to_json()) == made.recorded
    assert row({"model_answer": " "}).recorded is None
    assert row({"model": "m"}).metadata == {"model": "m"}
    for cell, problem in (("latency_s", "latency_s is 'x', not a number"), ("input_tokens", "input_tokens is 'x'")):
        assert problem in reason({"question": "q", "answer": "a", "model_answer": "42", cell: "x"})


def test_a_file_whose_lines_have_no_place_for_golden_answers_is_refused(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, '{"question": "q", "anwser": "a"}\n')) == (
        "it has no key 'answer' in any line; the keys of the first are 'question', 'anwser'"
    )
    made = usable(write(tmp_path, '{"question": "q"}\n{"question": "r", "answer": null}\n'))
    assert [one.golden_answers for one in made] == [(), ()]


def test_the_first_form_reads_as_the_first_releases_did(tmp_path: Path) -> None:
    text = 'id,question,answer,answers,history\n1,q,a,"[""b""]",[]\n2,r,,,\n'
    golden = read_first_form(write(tmp_path, text), name="golden.csv")

    assert list(golden.entries()) == [
        GoldenRow(2, "q", "a", None, {"id": "1", "answers": '["b"]', "history": "[]"}),
        SkippedRow(3, "blank answer"),
    ]


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.sampled_from(["user", "assistant", '["a"]', "[{}]"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["role", "content", "text", "type"]), inner, max_size=3),
    ),
    max_leaves=6,
)
CELLS = st.dictionaries(
    st.sampled_from(["id", "question", "answer", "answers", "history", "contexts", "model_answer", "model", "n"]),
    JSON_VALUES,
    max_size=6,
)


@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(cells=CELLS)
def test_whatever_stands_in_the_cells_a_row_is_made_or_a_reason_told(cells: dict[str, Any]) -> None:
    made = entry(cells)

    if isinstance(made, GoldenRow):
        assert made.question.strip()
        assert all(answer.strip() for answer in made.golden_answers)
    else:
        assert made.reason
