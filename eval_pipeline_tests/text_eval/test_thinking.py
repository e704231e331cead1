"""Thinking is no answer, whichever tags a model wraps it in; it is kept beside."""

import pytest

from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.text_eval.thinking import Parted, part_thinking, without_thinking


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        (
            "<think>Could be Block B, but the sign says C.</think>Block C",
            "Block C",
            "Could be Block B, but the sign says C.",
        ),
        ("B? No, C.</think>\n\nBlock C", "Block C", "B? No, C."),
        ("<think>a</think>b<think>c</think>d", "d", "abc"),
        ("<THINK>a</THINK >d", "d", "a"),
        ("<thinking>a</thinking>\nd", "d", "a"),
        ("<think>\n\n</think>\n\nd", "d", ""),
        ("◁think▷a◁/think▷d", "d", "a"),
        ("<seed:think>a</seed:think>d", "d", "a"),
        ("<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>d<|end_of_solution|>", "d", "a"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>d<|return|>", "d", "a"),
        ("<reasoning>a</reasoning>d", "d", "<reasoning>a</reasoning>"),
        ("<think>a, and then it was cut", "", "a, and then it was cut"),
        ("if a < b [1] say <b>d</b>", "if a < b [1] say <b>d</b>", None),
        ("The <reasoning> tag", "The <reasoning> tag", None),
        ("", "", None),
    ],
)
def test_an_answer_is_parted_from_its_thinking(text: str, answer: str, thinking: str | None) -> None:
    assert part_thinking(text) == Parted(answer, thinking)


def test_a_model_that_thinks_and_never_answers_gave_no_answer() -> None:
    record = without_thinking(ItemRecord("q1#1", ItemStatus.OK, answer="<think>hm</think> ", thinking="first"))

    assert (record.status, record.answer, record.thinking) == (ItemStatus.EMPTY, None, "first\n\nhm")
    assert record.error is not None
    assert record.error.message == "the model thought and gave no answer"


def test_what_was_cut_is_parted_too() -> None:
    record = without_thinking(ItemRecord("q1#1", ItemStatus.INCOMPLETE, partial_answer="<think>hm"))

    assert (record.status, record.partial_answer, record.thinking) == (ItemStatus.INCOMPLETE, None, "hm")
