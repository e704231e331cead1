"""The scorer of regular expressions, with a time limit a search: some patterns take longer than anybody waits."""

import re
import unicodedata
from typing import Protocol

from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_text import TextRule

LONGEST_SEARCH_S = 2.0
MOST_TIMEOUTS = 5
"""After so many searches that took too long the pattern is not tried any more: a run must end."""
_NESTED_REPETITION = re.compile(
    r"""\( (?: \?: | \?P<\w+> )?                 # a group
        (?: \\. | \[\^?\]?(?:\\.|[^\\\]])*\] | [^()\[\]\\] )   # of one character or class,
        (?: [+*] | \{\d+,\} ) \??                # repeated without end,
        \) (?: [+*] | \{\d+,\} )                 # repeated without end""",
    re.VERBOSE,
)


class Pattern(Protocol):
    """A compiled pattern whose search can be limited."""

    def search(self, text: str, *, timeout: float) -> object | None:
        """Find the pattern, or raise TimeoutError."""
        ...


def regex(*, pattern: str, ignore_case: bool = False) -> TextRule:
    """1 if the pattern (as in Python's ``re``, multi-line) is found in the answer. The golden answer is not looked at.

    A search may take 2 seconds; one that takes longer is ``time_limit``, and after five of them the pattern is not
    tried any more. A pattern with a repetition directly inside a repetition, such as ``(a+)+``, is refused.
    """
    return _Search(_compile(pattern, ignore_case=ignore_case), limit_s=LONGEST_SEARCH_S).score


class _Search:
    """One pattern over all answers of a run."""

    def __init__(self, compiled: Pattern, *, limit_s: float) -> None:
        self._compiled = compiled
        self._limit_s = limit_s
        self._timeouts = 0

    def score(self, *, golden: str, answer: str) -> ScoreValue:
        """Search one answer."""
        del golden
        if self._timeouts >= MOST_TIMEOUTS:
            return _too_long(f"not searched: the pattern took too long on {MOST_TIMEOUTS} other answers")
        try:
            found = self._compiled.search(unicodedata.normalize("NFC", answer), timeout=self._limit_s) is not None
        except TimeoutError:
            self._timeouts += 1
            return _too_long(f"the search took longer than {self._limit_s:g} s")
        return ScoreValue.truth(found, otherwise="the pattern is not found in the answer")


def _too_long(comment: str) -> ScoreValue:
    return ScoreValue.unscoreable(UnscoreableReason.TIME_LIMIT, comment)


def _compile(pattern: str, *, ignore_case: bool) -> Pattern:
    import regex as timed  # noqa: PLC0415 - most runs have no pattern

    if not pattern:
        raise ValueError("the pattern is empty")
    if _NESTED_REPETITION.search(pattern):
        raise ValueError("the pattern repeats a repetition, which may take for ever; write (a+)+ as a+")
    flags = timed.MULTILINE | (timed.IGNORECASE if ignore_case else 0)
    try:
        compiled: Pattern = timed.compile(unicodedata.normalize("NFC", pattern), flags)
    except (timed.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from error
    return compiled
