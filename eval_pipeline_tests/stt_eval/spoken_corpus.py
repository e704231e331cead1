"""Utterances like those of Hindi, and two systems that mishear them: drawn by chance, the same for the same seed."""

from dataclasses import dataclass
from random import Random
from typing import Final

_LETTERS: Final = "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह"
_SIGNS: Final = ("", "", "ा", "ि", "ी", "ु", "े", "ै", "ो", "ं", "्")
_PARTICLES: Final = ("है", "के", "में", "की", "और", "का", "से", "को", "पर", "यह", "नहीं", "कि", "एक", "हैं", "भी", "ने")
_VOCABULARY: Final = 4_000


@dataclass(frozen=True)
class SpokenCorpus:
    """Texts of utterances in their order; words are parted by one space."""

    references: list[str]
    first: list[str]
    second: list[str]


def spoken_corpus(seed: int, *, utterances: int, error_rates: tuple[float, float]) -> SpokenCorpus:
    """Draw words as unevenly as languages use them; the systems err alone, but more on the same utterances."""
    chance = Random(seed)  # noqa: S311 - repeatable
    words = [*_PARTICLES, *(_word(chance) for _ in range(_VOCABULARY))]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    corpus = SpokenCorpus([], [], [])
    for _ in range(utterances):
        reference = chance.choices(words, weights, k=max(1, round(chance.gauss(11, 5))))
        difficulty = chance.choice((0.2, 0.6, 1, 1, 2))
        corpus.references.append(" ".join(reference))
        for heard, rate in zip((corpus.first, corpus.second), error_rates, strict=True):
            lost = chance.random() < 0.005
            heard.append("" if lost else " ".join(_misheard(reference, words, rate=rate * difficulty, chance=chance)))
    return corpus


def _word(chance: Random) -> str:
    return "".join(chance.choice(_LETTERS) + chance.choice(_SIGNS) for _ in range(chance.randint(1, 4)))


def _misheard(reference: list[str], words: list[str], *, rate: float, chance: Random) -> list[str]:
    heard: list[str] = []
    for word in reference:
        lot = chance.random() / rate
        if lot >= 1:
            heard.append(word)
        elif lot < 0.45:
            heard.append(word + chance.choice(_SIGNS[2:]))
        elif lot < 0.6:
            heard.append(chance.choice(words))
        elif lot < 0.7:
            heard += [word[:2], word[2:] or chance.choice(_PARTICLES)]
        elif lot < 0.75:
            heard += [word, word]
        elif lot < 0.8:
            heard += [chance.choice(_PARTICLES), word]
    return heard
