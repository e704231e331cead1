"""Two models where nothing is said: whose transcripts hold fewer words that nobody spoke."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.statistics.resampling import Counts
from eval_pipeline.stt_eval.figures.matched_samples import sign_test


@dataclass(frozen=True, slots=True)
class SilencePair:
    """Words that two models heard in samples in which nothing should be heard."""

    samples: int
    first_words: int
    second_words: int
    first_fewer: int
    """Samples in which the first heard fewer words."""
    second_fewer: int

    @property
    def p_two_sided(self) -> float:
        """The sign test's: how much was invented says less than how often."""
        return sign_test(positive=self.first_fewer, negative=self.second_fewer)

    @property
    def difference(self) -> int:
        """First minus second."""
        return self.first_words - self.second_words


def compare_on_silence(first: Counts, second: Counts, *, silent: NDArray[np.bool_]) -> SilencePair | None:
    """Compare the insertions of two models; None where no sample is silent."""
    if not silent.any():
        return None
    mine, theirs = first[silent], second[silent]
    return SilencePair(
        samples=len(mine),
        first_words=int(mine.sum()),
        second_words=int(theirs.sum()),
        first_fewer=int(np.count_nonzero(mine < theirs)),
        second_fewer=int(np.count_nonzero(theirs < mine)),
    )
