"""Scorers that compare words and characters: exact match, contains, regex, token F1.

Texts are NFC-normalised throughout. Marks (Unicode category M, such as Indic vowel signs) are part of their word and
are never stripped.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Protocol

from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason

ENGLISH_ARTICLES = frozenset({"a", "an", "the"})
_PUNCTUATION = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm", "Sk"})
"""Unicode's punctuation, and the symbols (currency, mathematical, modifier) that SQuAD strips in ASCII. Not emoji."""
_NESTED_REPETITION = re.compile(
    r"""\( (?: \?: | \?P<\w+> )?                 # a group
        (?: \\. | \[\^?\]?(?:\\.|[^\\\]])*\] | [^()\[\]\\] )   # of one character or class,
        (?: [+*] | \{\d+,\} ) \??                # repeated without end,
        \) (?: [+*] | \{\d+,\} )                 # repeated without end""",
    re.VERBOSE,
)


class TextRule(Protocol):
    """Scores one answer; both texts hold more than white space."""

    def __call__(self, *, golden: str, answer: str) -> ScoreValue:
        """Compare the answer with the golden answer."""
        ...


def exact_match(
    *, ignore_case: bool = True, fold_whitespace: bool = True, ignore_punctuation: bool = False
) -> TextRule:
    """1 if the answer is the golden answer, after NFC, case folding and white space folding."""

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected, found = (
            _normalise(text, case=ignore_case, space=fold_whitespace, punctuation=ignore_punctuation)
            for text in (golden, answer)
        )
        if not expected:
            return _nothing_left()
        return ScoreValue.truth(found == expected, otherwise="differs from the golden answer")

    return rule


def contains(
    *,
    ignore_case: bool = True,
    fold_whitespace: bool = True,
    ignore_punctuation: bool = False,
    whole_words: bool = False,
) -> TextRule:
    """1 if the golden answer stands in the answer, after NFC, case folding and white space folding.

    As characters: "18" stands in "180", unless ``whole_words`` is set.
    """

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected, found = (
            _normalise(text, case=ignore_case, space=fold_whitespace, punctuation=ignore_punctuation)
            for text in (golden, answer)
        )
        if not expected:
            return _nothing_left()
        held = _holds_words(found, words=expected) if whole_words else expected in found
        return ScoreValue.truth(held, otherwise="the golden answer is not in the answer")

    return rule


def regex(*, pattern: str, ignore_case: bool = False) -> TextRule:
    """1 if the pattern (Python's ``re``, multi-line) is found in the answer. The golden answer is not looked at.

    Python cannot stop a search: a pattern with a repetition directly inside a repetition, such as ``(a+)+``, is refused
    since it may take for ever. Other slow patterns are the author's responsibility.
    """
    compiled = _compile(pattern, ignore_case=ignore_case)

    def rule(*, golden: str, answer: str) -> ScoreValue:
        del golden
        found = compiled.search(unicodedata.normalize("NFC", answer)) is not None
        return ScoreValue.truth(found, otherwise="the pattern is not found in the answer")

    return rule


def token_f1(*, drop_english_articles: bool = True) -> TextRule:
    """F1 of the words that answer and golden answer share, each as often as it occurs in both (SQuAD).

    Rajpurkar et al. 2016: lower case, punctuation removed, English articles dropped, split at white space. On English
    it gives SQuAD's numbers; other scripts are treated alike (scripts without spaces are one word a line). When
    nothing is left of a text, the score is 1 if nothing is left of the other either, else 0.
    """

    def rule(*, golden: str, answer: str) -> ScoreValue:
        return _f1(
            _words(golden, drop_articles=drop_english_articles),
            answer=_words(answer, drop_articles=drop_english_articles),
        )

    return rule


def _f1(golden: list[str], *, answer: list[str]) -> ScoreValue:
    if not golden or not answer:
        return ScoreValue.truth(golden == answer, otherwise="no words to compare")
    common = sum((Counter(golden) & Counter(answer)).values())
    if common == 0:
        return ScoreValue(0.0, comment="no common words")
    precision, recall = common / len(answer), common / len(golden)
    return ScoreValue(
        2 * precision * recall / (precision + recall),
        comment=None
        if common == len(golden) == len(answer)
        else f"{common} of {len(golden)} golden words, {common} of {len(answer)} answer words",
    )


def _words(text: str, *, drop_articles: bool) -> list[str]:
    words = _normalise(text, case=True, space=True, punctuation=True).split()
    return [word for word in words if word not in ENGLISH_ARTICLES] if drop_articles else words


def _normalise(text: str, *, case: bool, space: bool, punctuation: bool) -> str:
    """Bring the text into NFC, without what the flags say to ignore."""
    normal = unicodedata.normalize("NFC", text)
    if case:
        normal = unicodedata.normalize("NFC", normal.casefold())
    if punctuation:
        normal = "".join(character for character in normal if not _is_punctuation(character))
    return " ".join(normal.split()) if space else normal


@lru_cache(maxsize=4096)
def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character) in _PUNCTUATION


def _holds_words(text: str, *, words: str) -> bool:
    position = text.find(words)
    while position >= 0:
        before, after = text[:position][-1:], text[position + len(words) :][:1]
        if not _joins(before) and not _joins(after):
            return True
        position = text.find(words, position + 1)
    return False


def _joins(character: str) -> bool:
    """Whether the character (or "" at an end) continues the word beside it."""
    return character != "" and unicodedata.category(character)[0] in "LMN"


def _compile(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    if not pattern:
        raise ValueError("the pattern is empty")
    if _NESTED_REPETITION.search(pattern):
        raise ValueError("the pattern repeats a repetition, which may take for ever; write (a+)+ as a+")
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    try:
        return re.compile(unicodedata.normalize("NFC", pattern), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from error


def _nothing_left() -> ScoreValue:
    return ScoreValue.unscoreable(
        UnscoreableReason.EMPTY_GROUND_TRUTH, "nothing is left of the golden answer without what is ignored"
    )
