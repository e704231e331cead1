import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.text_eval.golden.from_jsonl import jsonl_entries
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, skipped, usable, write

GOOD = '{"question": "q", "answer": "a"}'


def test_keys_are_read_as_the_columns_of_a_csv(tmp_path: Path) -> None:
    path = write(tmp_path, '{" Question ": "q", "ANSWER": "a", "category": " c ", "Id": "7"}\n', name="g.jsonl")

    assert usable(path) == [GoldenRow(line=1, question="q", answer="a", category="c", metadata={"id": "7"}, id="7")]


def test_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = write(tmp_path, '{"question": 1e3, "answer": 18.50, "category": 7, "n": 123456789012345678901234567890}\n')

    assert usable(path) == [
        GoldenRow(
            line=1, question="1e3", answer="18.50", category="7", metadata={"n": "123456789012345678901234567890"}
        )
    ]


def test_metadata_that_is_no_text_is_kept_as_json_text(tmp_path: Path) -> None:
    path = write(
        tmp_path, '{"question": "q", "answer": "a", "m": {"k": [1.0, null, true, "हि"]}, "n": null, "e": {}}\n'
    )

    assert usable(path)[0].metadata == {"m": '{"k": [1.0, null, true, "हि"]}', "n": "null", "e": "{}"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_in_a_csv_and_blank_ones_count_but_are_no_rows(tmp_path: Path, end: str) -> None:
    path = write(
        tmp_path, end.join(["", GOOD, "  ", '{"question": "a\u2028b\u0085", "answer": "a"}', ""]), name="g.jsonl"
    )

    assert [(row.line, row.question) for row in usable(path)] == [(2, "q"), (4, "a\u2028b\u0085")]
    assert skipped(path) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "invalid JSON: Expecting property name enclosed in double quotes (column 2)"),
        ('{"question": "q", "answer": "a"', "invalid JSON: Expecting ',' delimiter (column 32)"),
        (GOOD + GOOD, "invalid JSON: Extra data (column 33)"),
        ('{"question": "q", "answer": NaN}', "invalid JSON: NaN is no JSON value"),
        ('{"question": "q", "answer": "\t"}', "invalid JSON: Invalid control character at (column 30)"),
        ("[" * 100_000, "invalid JSON: nested too deeply"),
        ('["q", "a"]', "not a JSON object but a list"),
        ('"q"', "not a JSON object but a text"),
        ("7", "not a JSON object but a number"),
        ("null", "not a JSON object but null"),
        ('{"task": "q", "answer": "a"}', "no key 'question' (its keys: 'task', 'answer')"),
        ("{}", "no key 'question' (its keys: )"),
        ('{"question": "q", "answer": true}', "answer is true or false, not text"),
        ('{"question": ["q"], "answer": "a"}', "question is a list, not text"),
        ('{"question": {}, "answer": "a"}', "question is an object, not text"),
        ('{"question": " ", "answer": "a"}', "blank question"),
        (
            '{"question": "q", "answer": "a", "Answer": "b"}',
            "two keys that differ only in upper and lower case or outer spaces",
        ),
        (
            '{"question": "q", "answer": "a", "question": "other"}',
            "invalid JSON: the key 'question' stands twice",
        ),
        (
            '{"question": "q", "answer": "a", "source": {"page": 1, "page": 2}}',
            "invalid JSON: the key 'page' stands twice",
        ),
        ('{"question": "q\\u0000", "answer": "a"}', "it holds a NUL character"),
        ('{"question": "q", "answer": "a", "m": ["\\u0000"]}', "it holds a NUL character"),
        ('{"question": "\\ud800", "answer": "a"}', "it holds half of a surrogate pair"),
        ('{"question": "q", "answer": "a", "m\\udfff": 1}', "it holds half of a surrogate pair"),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_line_that_cannot_be_asked_is_skipped_with_line_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, f"{GOOD}\n{line}\n{GOOD}\n", name="g.jsonl")

    assert skipped(path) == [(2, reason)]
    assert len(usable(path)) == 2


def test_escapes_of_whole_characters_are_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, r'{"question": "\ud83d\ude42 \u0939", "answer": "a"}', name="g.jsonl")

    assert usable(path)[0].question == "🙂 ह"


@pytest.mark.parametrize("text", ['[{"question": "q", "answer": "a"}]', '[\n{"question": "q", "answer": "a"}\n]\n'])
def test_a_json_array_is_told_apart(tmp_path: Path, text: str) -> None:
    assert refusal(write(tmp_path, text, name="g.json")) == "it is one JSON array, not one JSON object a line"


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(question=TEXTS, answer=TEXTS, note=TEXTS, as_ascii=st.booleans())
def test_whatever_a_json_writer_writes_is_read_back_equal(
    question: str, answer: str, note: str, as_ascii: bool
) -> None:
    line = json.dumps({"question": question, "answer": answer, "note": note}, ensure_ascii=as_ascii)
    (entry,) = jsonl_entries([line])

    if question.strip():
        kept = answer if answer.strip() else ""
        assert entry == GoldenRow(line=1, question=question, answer=kept, category=None, metadata={"note": note})
    else:
        assert not isinstance(entry, GoldenRow)
