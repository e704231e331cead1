"""Scorers that compare words and characters: exact match, contains, token F1, chrF.

Texts are folded first (``folding``), by one rule for all of them. Marks (Unicode category M, such as Indic vowel signs)
are part of their word and are never stripped.
"""

import unicodedata
from collections import Counter
from typing import Protocol

from eval_pipeline.text_eval.scoring.folding import fold, tokens
from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason

LONGEST_GROUP = 6
RECALL_WEIGHT = 2
ENGLISH_ARTICLES = frozenset({"a", "an", "the"})


class TextRule(Protocol):
    """Scores one answer; both texts hold more than white space."""

    def __call__(self, *, golden: str, answer: str) -> ScoreValue:
        """Compare the answer with the golden answer."""
        ...


def exact_match(
    *, ignore_case: bool = True, fold_whitespace: bool = True, ignore_punctuation: bool = False
) -> TextRule:
    """1 if the answer is the golden answer, after folding of spelling, typography, case and white space."""

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected, found = (
            fold(text, case=ignore_case, space=fold_whitespace, punctuation=ignore_punctuation)
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
    """1 if the golden answer stands in the answer, after folding of spelling, typography, case and white space.

    As characters: "18" stands in "180", unless ``whole_words`` is set.
    """

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected, found = (
            fold(text, case=ignore_case, space=fold_whitespace, punctuation=ignore_punctuation)
            for text in (golden, answer)
        )
        if not expected:
            return _nothing_left()
        held = _holds_words(found, words=expected) if whole_words else expected in found
        return ScoreValue.truth(held, otherwise="the golden answer is not in the answer")

    return rule


def token_f1(*, drop_english_articles: bool = True) -> TextRule:
    """F1 of the words that answer and golden answer share, each as often as it occurs in both (SQuAD).

    Rajpurkar et al. 2016: lower case, punctuation removed, English articles dropped, split at white space. On English
    it gives SQuAD's numbers; other scripts are treated alike, and characters are words where a script has no spaces
    between them (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan). When nothing is left of a text, the score is 1
    if nothing is left of the other either, else 0.
    """

    def rule(*, golden: str, answer: str) -> ScoreValue:
        return _f1(
            _words(golden, drop_articles=drop_english_articles),
            answer=_words(answer, drop_articles=drop_english_articles),
        )

    return rule


def chrf(*, ignore_case: bool = True) -> TextRule:
    """F2 of the groups of one to six characters that answer and golden answer share (chrF, Popovic 2015), from 0 to 1.

    Recall counts twice. White space is left out. Precision and recall are averaged over the lengths of groups that both
    texts have. It forgives endings where words are inflected.
    """

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected, found = ("".join(fold(text, case=ignore_case).split()) for text in (golden, answer))
        return _chrf(expected, found) if expected and found else _nothing_left()

    return rule


def _chrf(golden: str, answer: str) -> ScoreValue:
    precisions, recalls = [], []
    for length in range(1, min(LONGEST_GROUP, len(golden), len(answer)) + 1):
        expected, found = (_groups(text, length) for text in (golden, answer))
        common = (expected & found).total()
        precisions.append(common / found.total())
        recalls.append(common / expected.total())
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    if precision + recall == 0:
        return ScoreValue(0.0, comment="no common characters")
    weight = RECALL_WEIGHT**2
    return ScoreValue((1 + weight) * precision * recall / (weight * precision + recall))


def _groups(text: str, length: int) -> Counter[str]:
    return Counter(text[at : at + length] for at in range(len(text) - length + 1))


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
    words = tokens(fold(text, case=True, punctuation=True))
    return [word for word in words if word not in ENGLISH_ARTICLES] if drop_articles else words


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


def _nothing_left() -> ScoreValue:
    return ScoreValue.unscoreable(
        UnscoreableReason.EMPTY_GROUND_TRUTH, "nothing is left of the golden answer without what is ignored"
    )
