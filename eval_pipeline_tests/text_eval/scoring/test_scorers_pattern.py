"""A regular expression has two seconds a search, whatever it and the answer are."""

from eval_pipeline.text_eval.scoring import scorers_pattern
from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_pattern import MOST_TIMEOUTS, regex

DECOMPOSED, COMPOSED = "e\u0301", "\u00e9"
ENDLESS = r"^(\w|\w\w)*$"
LOOP = "a" * 60 + "!"


def test_regex_searches_the_answer_line_by_line() -> None:
    rule = regex(pattern=r"^A: \d+$")

    assert rule(golden="ignored", answer="Sum it up\nA: 18\nDone").value == 1
    assert rule(golden="A: 18", answer="A: eighteen").value == 0
    assert regex(pattern="paris", ignore_case=True)(golden="", answer="PARIS").value == 1
    assert regex(pattern=DECOMPOSED)(golden="", answer=COMPOSED).value == 1


def test_the_pattern_that_never_ended_ends() -> None:
    """NVIDIA-NeMo/Guardrails#2271: on 69 characters a stage did not end, and cancelling had no effect."""
    assert regex(pattern=r"^(\w+\s?)*$")(golden="", answer="word " * 13 + "four").value == 1


def test_a_search_that_takes_too_long_has_that_reason_and_is_given_up_after_some() -> None:
    search = scorers_pattern._Search(scorers_pattern._compile(ENDLESS, ignore_case=False), limit_s=0.02)
    scores = [search.score(golden="", answer=LOOP) for _ in range(MOST_TIMEOUTS + 1)]

    assert {score.reason for score in scores} == {UnscoreableReason.TIME_LIMIT}
    assert scores[0].comment == "the search took longer than 0.02 s"
    assert scores[-1].comment == "not searched: the pattern took too long on 5 other answers"
    assert search.score(golden="", answer="short").reason is UnscoreableReason.TIME_LIMIT
