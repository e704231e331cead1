"""Words and bounded collections of a speech report."""

import doctest

import pytest

from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report import words as report_words
from eval_pipeline.stt_eval.report.examples import Examples
from eval_pipeline.stt_eval.report.failures import MOST_GROUPS, Failures
from eval_pipeline.stt_eval.report.words import flag_words, language_words, level_words, status_words
from eval_pipeline.stt_eval.scoring.scoring import Flag
from eval_pipeline_tests.stt_eval.report.speech_runs import Given, speech_run


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(report_words)

    assert result.attempted
    assert not result.failed


def test_every_flag_status_and_level_has_words() -> None:
    assert all(flag_words(flag) for flag in Flag)
    assert all(level_words(level) for level in Level)
    assert {status for status in ItemStatus if status_words(status) == status} == set()


@pytest.mark.parametrize(
    ("code", "name"), [("hi", "Hindi (hi)"), ("en-IN", "English (IN)"), (None, "language not known"), ("qaa", "qaa")]
)
def test_a_language_is_named_once(code: str | None, name: str) -> None:
    assert language_words(code) == name


def test_more_kinds_of_failure_than_a_page_can_show_are_counted_together() -> None:
    failures = Failures()
    for number in range(MOST_GROUPS + 50):
        failures.see(
            {
                "status": "failed",
                "model": "m",
                "outcome": "failed",
                "error_code": f"e{number}",
                "error_message": f"message {number}",
                "sample_id": "a",
            }
        )

    groups = failures.result()
    assert (len(groups), groups[0].model, groups[0].count, len(groups[0].messages)) == (MOST_GROUPS + 1, None, 50, 3)


def test_examples_are_the_texts_that_standard_changes_most_one_a_sample() -> None:
    texts = ["plain", "A, B, C!", "one-two", "[noise]", "A, B, C!"]
    examples = Examples()
    for scored in speech_run([Given(text, ["x"]) for text in texts], models=["m"]).samples:
        examples.see(scored)

    assert [(one.written, one.at(Level.STANDARD), one.whose) for one in examples.result()] == [
        ("A, B, C!", "a b c", None),
        ("one-two", "one two", None),
    ]
