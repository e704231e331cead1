"""Error rates of one sample or of a corpus, from edit counts alone.

A corpus pools: its counts are added before anything is divided, so that a long utterance weighs more than a short one.
WER and CER are the same quotient, of words and of characters. What has no value is None: no quotient here divides by
zero. MER and WIP are those of Morris, Maier and Green, "From WER and RIL to MER and WIL" (Interspeech 2004).
"""

from collections.abc import Iterable

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.scoring.edits import EditCounts


def error_rate(counts: EditCounts) -> float | None:
    """Return (S + D + I) / (H + S + D), WER of words and CER of characters; None where the reference is empty.

    Above 1 where much was added. Against silence it has no value; ``insertions_on_silence`` tells what was heard there.
    """
    return counts.edits / counts.reference_length if counts.reference_length else None


def insertions_on_silence(counts: EditCounts) -> int | None:
    """Return how many tokens were heard where the reference expects none; None where it expects some."""
    return None if counts.reference_length else counts.insertions


def match_error_rate(counts: EditCounts) -> float | None:
    """Return MER, (S + D + I) / (H + S + D + I): the share of the alignment that is wrong, at most 1.

    None where both texts are empty: there is no alignment to be wrong.
    """
    aligned = counts.hits + counts.edits
    return counts.edits / aligned if aligned else None


def information_preserved(counts: EditCounts) -> float | None:
    """Return WIP, H / N of the reference times H / N of the hypothesis: 1 if all is right, 0 without a hit.

    The "accuracy" of the evaluation that this one replaces. Where one text is empty nothing was preserved: 0, the limit
    of both quotients without hits. None where both are: there was nothing to preserve.
    """
    if not counts.hits:
        return 0.0 if counts.reference_length or counts.hypothesis_length else None
    return counts.hits / counts.reference_length * (counts.hits / counts.hypothesis_length)


@value
class Pooled:
    """The counts of several samples added up, and how much of their insertions stands against silence."""

    samples: int
    counts: EditCounts
    silent_samples: int
    """Samples whose reference is empty."""
    insertions_on_silence: int
    """Part of ``counts``: as in jiwer and sclite, what is heard in silence counts in the error rate of a corpus."""

    def __add__(self, other: "Pooled") -> "Pooled":
        return Pooled(
            samples=self.samples + other.samples,
            counts=self.counts + other.counts,
            silent_samples=self.silent_samples + other.silent_samples,
            insertions_on_silence=self.insertions_on_silence + other.insertions_on_silence,
        )


def pool(samples: Iterable[EditCounts]) -> Pooled:
    """Add up the counts of samples."""
    number = silent = on_silence = hits = substitutions = deletions = insertions = 0
    for counts in samples:
        number += 1
        hits += counts.hits
        substitutions += counts.substitutions
        deletions += counts.deletions
        insertions += counts.insertions
        if not counts.reference_length:
            silent += 1
            on_silence += counts.insertions
    pooled = EditCounts(hits=hits, substitutions=substitutions, deletions=deletions, insertions=insertions)
    return Pooled(samples=number, counts=pooled, silent_samples=silent, insertions_on_silence=on_silence)
