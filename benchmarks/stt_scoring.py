"""Time of counting edits, beside what rapidfuzz takes for its plain distance on the same tokens."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from rapidfuzz.distance import Levenshtein

from benchmarks.figures import Figure
from benchmarks.live_runs import Site
from benchmarks.measure import side_by_side
from eval_pipeline.stt_eval.scoring.alignment import edit_counts

REFERENCE_WORDS: Final = 100_000
ALLOWED: Final = 3.0
_REPEATS: Final = 25
_AT_ONCE: Final = 500
_SEED: Final = 4
_LETTERS: Final = "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह"
_SIGNS: Final = "ािीुूेैोौं्"
_VOCABULARY: Final = 5_000

Pairs = Sequence[tuple[Sequence[str], Sequence[str]]]


def measure_scoring(site: Site, *, words: int = REFERENCE_WORDS) -> list[Figure]:
    """Count the edits of utterances by words, then by words and by characters as one level of normalisation does."""
    del site
    by_word = _utterances(words)
    by_character = [(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in by_word]
    what = f"{len(by_word):,} utterances, {words:,} words"
    return [
        _compared(f"edit counts of {what}", by_word),
        _compared(f"edit counts of words and characters of {what}", [*by_word, *by_character]),
    ]


def _compared(what: str, pairs: Pairs) -> Figure:
    """Measure a few milliseconds at a time: on a shared machine, longer measurements are all disturbed."""
    parts = [pairs[start : start + _AT_ONCE] for start in range(0, len(pairs), _AT_ONCE)]
    alone_s, ours_s = map(sum, zip(*map(_least, parts), strict=True))
    return Figure(
        what=what,
        measured=f"{1_000 * ours_s:.1f} ms",
        limit=f"`rapidfuzz` distance alone {1_000 * alone_s:.1f} ms",
        ratio=ours_s / alone_s,
        allowed=ALLOWED,
    )


def _least(pairs: Pairs) -> list[float]:
    """Return the seconds of rapidfuzz alone, and ours."""
    return side_by_side(
        lambda: _seconds(Levenshtein.distance, pairs), lambda: _seconds(edit_counts, pairs), repeats=_REPEATS
    )


def _seconds(count: Callable[[Sequence[str], Sequence[str]], Any], pairs: Pairs) -> float:
    started_s = time.perf_counter()
    for reference, hypothesis in pairs:
        count(reference, hypothesis)
    return time.perf_counter() - started_s


def _utterances(words: int) -> list[tuple[list[str], list[str]]]:
    """Return utterances of 12 to 13 words on average, a fifth of them misheard, left out or followed by another."""
    chance = random.Random(_SEED)  # noqa: S311 - repeatable
    vocabulary = [_word(chance) for _ in range(_VOCABULARY)]
    pairs = []
    while words > 0:
        reference = chance.choices(vocabulary, k=min(words, max(1, round(chance.gauss(12.5, 4)))))
        words -= len(reference)
        pairs.append((reference, [heard for word in reference for heard in _heard(word, vocabulary, chance)]))
    return pairs


def _word(chance: random.Random) -> str:
    return "".join(chance.choice(_LETTERS) + chance.choice(["", *_SIGNS]) for _ in range(chance.randint(1, 4)))


def _heard(word: str, vocabulary: Sequence[str], chance: random.Random) -> list[str]:
    lot = chance.random()
    if lot < 0.12:
        place = chance.randrange(len(word))
        return [word[:place] + chance.choice(_SIGNS) + word[place + chance.randrange(2) :]]
    if lot < 0.16:
        return []
    return [word, chance.choice(vocabulary)] if lot < 0.20 else [word]
