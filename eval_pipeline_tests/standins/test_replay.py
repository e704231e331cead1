from pathlib import Path

import pytest

from eval_pipeline.standins.replay import RecordingError, Recordings, made_up_answer, read_recordings


def test_a_recording_is_found_by_model_and_question_whatever_the_white_space(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_text('{"question": "How  many\\nducks?", "answers": {"a": "A: 4", "b": "A: 5"}, "correct": {}}\n')
    recordings = read_recordings(file)

    assert recordings.models == ["a", "b"]
    assert recordings.answer("a", "How  many\nducks?") == "A: 4"
    assert recordings.answer("b", " How many ducks? ") == "A: 5"


def test_composed_and_decomposed_letters_are_the_same_question() -> None:
    assert Recordings({("m", "caf\u00e9?"): "yes"}).answer("m", "cafe\u0301?") == "yes"


def test_an_unknown_model_or_question_gets_an_answer_that_can_be_foretold() -> None:
    recordings = Recordings({("a", "known"): "A: 4"})

    assert recordings.answer("b", "known") == made_up_answer("b", "known")
    assert recordings.answer("a", "unknown") == made_up_answer("a", "unknown")
    assert made_up_answer("a", "unknown").startswith("You asked: unknown\nThe answer is ")
    assert made_up_answer("a", "unknown") != made_up_answer("b", "unknown")


@pytest.mark.parametrize("line", ["no json", '{"question": "q"}', '["q"]', '{"question": "q", "answers": ["a"]}'])
def test_a_line_that_is_no_recording_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"question": "q", "answers": {}}\n' + line + "\n")

    with pytest.raises(RecordingError, match=r"broken\.jsonl, line 2"):
        read_recordings(file)
