"""Edit counts and alignments of two token sequences: fewest edits first, then most hits.

These two rules leave one set of counts, whatever the program; a rule of fewest edits alone leaves several, and tools
then differ in substitutions, deletions and insertions. Alternatives in a reference are resolved in ``lattice``.
"""

from collections.abc import Sequence

from rapidfuzz.distance import LCSseq, Levenshtein

from eval_pipeline.stt_eval.alignment_path import path_of
from eval_pipeline.stt_eval.edits import AlignedToken, Edit, EditCounts

_EDIT = 1 << 24
"""More than the substitutions of any pair that a computer can align."""
_WEIGHTS = (_EDIT, _EDIT, _EDIT + 1)
_FEW_CELLS = 600
"""Up to here the weighted distance of words takes no longer than two bit-parallel ones, which read the words twice."""


def edit_counts(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Count hits, substitutions, deletions and insertions; characters are counted fastest in a ``str``.

    With n and m tokens, every alignment has S + D = n - H, S + I = m - H, hence D - I = n - m and
    H = (n + m - (S + D + I) - S) / 2. So among alignments with equally many edits, most hits means fewest
    substitutions, and edits and substitutions determine all four counts.
    """
    length, heard = len(reference), len(hypothesis)
    if reference == hypothesis:
        return EditCounts(hits=length, substitutions=0, deletions=0, insertions=0)
    if length * heard <= _FEW_CELLS:
        edits, substitutions = _weighted(reference, hypothesis)
    else:
        edits, substitutions = _bounded(reference, hypothesis)
    deletions = (edits - substitutions + length - heard) // 2
    # hits, substitutions, deletions, insertions: names would cost as much as the distance of a short text, 0.4 µs
    return EditCounts(length - substitutions - deletions, substitutions, deletions, edits - substitutions - deletions)


def _weighted(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Return fewest edits and, with those, fewest substitutions, from one distance; takes time n * m.

    An insertion or deletion weighs K, a substitution K + 1: an alignment costs K * (S + D + I) + S. As S < K, the
    cheapest has the fewest edits and then the fewest substitutions, and division by K takes both out again.
    """
    return divmod(Levenshtein.distance(reference, hypothesis, weights=_WEIGHTS), _EDIT)


def _bounded(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Return the same from bit-parallel distances, where these leave no choice.

    Of d edits, D + I is at least abs(n - m) and differs from it by an even number: where d exceeds that by none or
    one, this is S. Else S + D <= d and S + I <= d give H >= max(n, m) - d, and H is at most the length of the longest
    common subsequence: where both meet, or where the one alignment that rapidfuzz traces has so many hits, H is known.
    Of utterances of 70 characters with a fifth of their words wrong, one in thirty is left.
    """
    edits = Levenshtein.distance(reference, hypothesis)
    length, heard = len(reference), len(hypothesis)
    spare = edits - abs(length - heard)
    if spare <= 1:
        return edits, spare
    most_hits = LCSseq.similarity(reference, hypothesis)
    substitutions = length + heard - edits - 2 * most_hits
    if substitutions == spare or _replaced(reference, hypothesis) == substitutions:
        return edits, substitutions
    return _weighted(reference, hypothesis)


def _replaced(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    return [kind for kind, _, _ in Levenshtein.editops(reference, hypothesis).as_list()].count("replace")


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[AlignedToken, ...]:
    """Return one alignment that has the counts of ``edit_counts``, always the same one.

    What both begin with is hit, then what both end with. Between, from the left, the first of these that keeps the
    counts: hit or substitution, deletion, insertion. (Beyond some 250,000 cells the reference is halved first, at the
    earliest place of the hypothesis that keeps the counts.)
    """
    tokens: list[AlignedToken] = []
    spoken = heard = 0
    for edit in path_of(reference, hypothesis):
        of_reference, of_hypothesis = edit is not Edit.INSERTION, edit is not Edit.DELETION
        tokens.append(
            AlignedToken(
                edit=edit,
                reference=reference[spoken] if of_reference else None,
                hypothesis=hypothesis[heard] if of_hypothesis else None,
                reference_index=spoken if of_reference else None,
                hypothesis_index=heard if of_hypothesis else None,
            )
        )
        spoken += of_reference
        heard += of_hypothesis
    return tuple(tokens)
