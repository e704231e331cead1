"""Edit counts and alignments of two token sequences: fewest edits first, then most hits.

These two rules leave one set of counts, whatever the program; a rule of fewest edits alone leaves several, and tools
then differ in substitutions, deletions and insertions. Alternatives in a reference are resolved in ``lattice``.
"""

from collections.abc import Sequence

from rapidfuzz.distance.LCSseq import similarity as longest_common_subsequence
from rapidfuzz.distance.Levenshtein import distance, editops

from eval_pipeline.stt_eval.scoring.alignment_parts import MOST_CELLS, parts_of, too_long
from eval_pipeline.stt_eval.scoring.alignment_path import path_of
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit, EditCounts

_EDIT = 1 << 24
_WEIGHTS = (_EDIT, _EDIT, _EDIT + 1)
"""Of insertion, deletion, substitution: an alignment costs K * (S + D + I) + S. K is more than the substitutions of any
pair that a computer can align, so the cheapest alignment has the fewest edits and then the fewest substitutions, and
division by K takes both out again. That takes time n * m, bit-parallel distances a 64th."""
_INSERTION, _DELETION = Edit.INSERTION, Edit.DELETION
_FEW_CELLS = 600
"""Up to here the weighted distance takes no longer than the two bit-parallel ones that replace it."""


def edit_counts(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Count hits, substitutions, deletions and insertions; characters are counted fastest in a ``str``.

    With n and m tokens, every alignment has S + D = n - H, S + I = m - H, hence D - I = n - m and
    H = (n + m - (S + D + I) - S) / 2. So among alignments with equally many edits, most hits means fewest
    substitutions, and edits and substitutions determine all four counts. D + I is at least abs(n - m) and differs from
    it by an even number: where the edits exceed that by none or one, so many are substitutions.
    """
    # the counts are not named below: that would cost as much as the distance of a short text, 0.4 µs
    length, heard = len(reference), len(hypothesis)
    if reference == hypothesis:
        return EditCounts(length, 0, 0, 0)
    if length * heard <= _FEW_CELLS:
        edits, substitutions = divmod(distance(reference, hypothesis, weights=_WEIGHTS), _EDIT)
    elif length * heard > MOST_CELLS:
        return _count_parts(reference, hypothesis)
    else:
        edits = distance(reference, hypothesis)
        substitutions = spare = edits - abs(length - heard)
        if spare > 1:
            substitutions = _fewest_substitutions(reference, hypothesis, most=spare, hits=max(length, heard) - edits)
    deletions = (edits - substitutions + length - heard) // 2
    return EditCounts(length - substitutions - deletions, substitutions, deletions, edits - substitutions - deletions)


def _count_parts(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    counts = EditCounts(0, 0, 0, 0)
    for part in parts_of(reference, hypothesis):
        counts += edit_counts(reference[part.reference], hypothesis[part.hypothesis])
    return counts


def _fewest_substitutions(reference: Sequence[str], hypothesis: Sequence[str], *, most: int, hits: int) -> int:
    """Return S of the alignments with fewest edits d, from bit-parallel distances where these leave no choice.

    At ``most`` d - abs(n - m) edits are substitutions, next to max(n, m) - d ``hits``; each further hit makes them two
    less. So where no common subsequence is longer than that, S is the most. Where the longest one leaves room for none,
    it is an alignment with d edits itself, and S is 0. Where the one alignment that rapidfuzz traces has as few as it
    leaves room for, that is S. Of texts of 70 characters with a fifth of their words wrong, one in thirty is left.
    """
    common = longest_common_subsequence(reference, hypothesis, score_cutoff=hits + 1)
    if not common:
        return most
    fewest = most - 2 * (common - hits)
    replaced = 0
    if fewest:
        for edit in editops(reference, hypothesis).as_list():
            if edit[0] == "replace":  # a loop without unpacking takes a third less than a comprehension
                replaced += 1
    return fewest if replaced == fewest else distance(reference, hypothesis, weights=_WEIGHTS) % _EDIT


def _path(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    if not too_long(reference, hypothesis):
        return path_of(reference, hypothesis)
    parts = parts_of(reference, hypothesis)
    return [edit for part in parts for edit in path_of(reference[part.reference], hypothesis[part.hypothesis])]


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[AlignedToken, ...]:
    """Return the alignment that sclite chooses among those with the counts of ``edit_counts``.

    From the end to the beginning, the first of these that keeps the counts: hit or substitution, insertion, deletion.
    """
    tokens: list[AlignedToken] = []
    spoken = heard = 0
    for edit in _path(reference, hypothesis):  # names of arguments would take a fifth of the time
        if edit is _INSERTION:
            tokens.append(AlignedToken(edit, None, hypothesis[heard], None, heard))
            heard += 1
        elif edit is _DELETION:
            tokens.append(AlignedToken(edit, reference[spoken], None, spoken, None))
            spoken += 1
        else:
            tokens.append(AlignedToken(edit, reference[spoken], hypothesis[heard], spoken, heard))
            spoken, heard = spoken + 1, heard + 1
    return tuple(tokens)
