"""Recorded answers held against golden rows, whatever stands in their cells."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.golden.answer_rows import AnswerRow, answer_entry
from eval_pipeline.text_eval.golden.matching import MatchedBy, match_answers
from eval_pipeline.text_eval.golden.recorded import RecordedAnswer
from eval_pipeline.text_eval.golden.row import GoldenRow

GOLDEN = [GoldenRow(line, f"Q {line}?", "a", None, {}, id=own) for line, own in ((2, "001"), (3, "1"), (4, "../x\ny"))]


def answer(line: int, *, own: str | None = None, question: str | None = None, repeat: int = 1) -> AnswerRow:
    return AnswerRow(line, own, question, repeat, RecordedAnswer("yes", model="m"), None)


def test_ids_are_compared_as_they_are_written_and_questions_with_folded_spaces() -> None:
    by_id = match_answers(lambda: [answer(2, own="001"), answer(3, own="../x\ny")], GOLDEN, names_rows=True)
    by_question = match_answers(lambda: [answer(2, question=" Q  3?\n")], GOLDEN, names_rows=True)

    assert (by_id.by, by_id.questions, by_id.surplus.count, by_id.models) == (MatchedBy.ID, 2, 0, ("m",))
    assert (by_question.by, by_question.questions) == (MatchedBy.QUESTION, 1)
    both = match_answers(lambda: [answer(2, own="x", question="Q 3?")], GOLDEN, names_rows=False)
    assert both.by is MatchedBy.QUESTION, "the dataset names no rows"


CELLS = st.dictionaries(
    st.sampled_from(["id", "question", "model_answer", "answer", "repeat", "contexts", "latency_s", "input_tokens"]),
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(["001", "1", "Q 2?", "", "-1", "1e400", "nan", "1,5"]),
        st.text(max_size=4),
    ),
    max_size=6,
)


@settings(derandomize=True, max_examples=150, deadline=None, database=None)
@given(rows=st.lists(CELLS, max_size=4))
def test_any_rows_whatever_are_matched_or_refused_with_a_reason(rows: list[dict[str, Any]]) -> None:
    def entries() -> list[AnswerRow | SkippedRow]:
        return [answer_entry(line, cells) for line, cells in enumerate(rows, start=2)]

    answers, problem = matched_or_refused(entries)
    assert answers <= len(rows)
    assert problem in {"", "invalid_answers"}


def matched_or_refused(entries: Callable[[], list[AnswerRow | SkippedRow]]) -> tuple[int, str]:
    try:
        return match_answers(entries, GOLDEN, names_rows=True).answers, ""
    except UsageError as error:
        return 0, error.code
