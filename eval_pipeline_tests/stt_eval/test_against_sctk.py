"""From texts to significance beside NIST's sclite and sc_stats, where they are installed (Debian: sctk)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import pytest

from eval_pipeline.stt_eval.figures.error_places import ErrorPlaces
from eval_pipeline.stt_eval.figures.mapsswe import matched_pairs
from eval_pipeline.stt_eval.scoring.alignment import align, edit_counts
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline_tests.stt_eval.sc_stats import EDITS, INSTALLED, Reported, locate_errors, report_documents
from eval_pipeline_tests.stt_eval.sclite import SCLITE, codes_of, sclite_document, sclite_sums
from eval_pipeline_tests.stt_eval.spoken_corpus import spoken_corpus

LETTERS = {edit: letter for letter, edit in EDITS.items()}


@dataclass(frozen=True)
class Scored:
    """What counting and aligning say of one system; an alignment is a letter per position, as in ``sc_stats``."""

    counts: list[EditCounts]
    total: EditCounts
    alignments: list[str]


def scored_here(pairs: Sequence[tuple[str, str]]) -> tuple[Scored, ErrorPlaces]:
    tokens = [(reference.split(), heard.split()) for reference, heard in pairs]
    counts = [edit_counts(*pair) for pair in tokens]
    alignments = [align(*pair) for pair in tokens]
    codes = ["".join(LETTERS[token.edit] for token in alignment) for alignment in alignments]
    return Scored(counts, reduce(add, counts), codes), locate_errors(alignments)


def scored_by_sclite(pairs: Sequence[tuple[str, str]], *, title: str) -> tuple[Scored, str]:
    document = sclite_document(pairs, title=title)
    codes = codes_of(document)
    counts = [EditCounts(*(alignment.count(letter) for letter in "CSDI")) for alignment in codes]
    return Scored(counts, sclite_sums(pairs), codes), document


def figures(first: ErrorPlaces, second: ErrorPlaces) -> tuple[object, ...]:
    """Return ours as sc_stats prints them."""
    found = matched_pairs(first, second)
    assert found.mean_difference is not None
    assert found.std is not None
    assert found.z is not None
    rounded = (round(value, 3) for value in (found.mean_difference, found.std, found.z))
    return found.segments, found.first_errors, found.second_errors, *rounded, abs(found.z) > 1.96


def printed(told: Reported) -> tuple[object, ...]:
    return told.segments, told.first_errors, told.second_errors, told.mean, told.std, told.z, told.differs


def compare_with_sctk(seed: int, *, utterances: int, error_rates: tuple[float, float]) -> Reported:
    """Assert that every figure is equal, and return those of sc_stats."""
    corpus = spoken_corpus(seed, utterances=utterances, error_rates=error_rates)
    places, documents = [], []
    for title, heard in (("first", corpus.first), ("second", corpus.second)):
        pairs = list(zip(corpus.references, heard, strict=True))
        ours, located = scored_here(pairs)
        theirs, document = scored_by_sclite(pairs, title=title)
        assert ours == theirs
        places.append(located)
        documents.append(document)
    told = report_documents(*documents)
    assert figures(*places) == printed(told)
    return told


@pytest.mark.skipif(SCLITE is None or not INSTALLED, reason="Debian's sctk is not installed")
@pytest.mark.parametrize(
    ("seed", "error_rates", "differs"),
    [(1, (0.15, 0.2), True), (2, (0.1, 0.11), False), (3, (0.3, 0.3), False), (4, (0.25, 0.6), True)],
)
def test_counts_alignments_and_significance_are_those_of_the_reference_implementation(
    seed: int, error_rates: tuple[float, float], *, differs: bool
) -> None:
    assert compare_with_sctk(seed, utterances=500, error_rates=error_rates).differs == differs
