"""The matched pairs test against NIST's sc_stats: its figures are kept, and asked anew where it is installed."""

import json
import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.figures.error_places import ErrorPlaces
from eval_pipeline.stt_eval.figures.mapsswe import MatchedPairs, matched_pairs, segment_errors
from eval_pipeline_tests.stt_eval.sc_stats import (
    INSTALLED,
    VECTORS,
    Reported,
    aligned,
    locate_errors,
    random_pair,
    report,
)

KEPT = json.loads(VECTORS.read_bytes())["vectors"]
quick = settings(max_examples=150, deadline=None, derandomize=True)
corpora = st.lists(st.lists(st.tuples(st.sampled_from("CCSD"), st.sampled_from("CCSD")), max_size=12), max_size=8)


def located(*codes: str | None) -> ErrorPlaces:
    return locate_errors(None if one is None else aligned(one) for one in codes)


def compare(first: Sequence[str], second: Sequence[str]) -> MatchedPairs:
    return matched_pairs(located(*first), located(*second))


def printed(found: MatchedPairs) -> tuple[object, ...]:
    """What sc_stats prints of these figures: p is looked up at z rounded down to two decimals."""
    z = found.z or 0.0
    return (
        found.segments,
        found.first_errors,
        found.second_errors,
        round(found.mean_difference or 0.0, 3),
        round(found.std or 0.0, 3),
        round(z, 3),
        abs(z) > 1.960,
    )


def agree(found: MatchedPairs, reported: Reported) -> None:
    fields = ("segments", "first_errors", "second_errors", "mean", "std", "z", "differs")
    assert printed(found) == pytest.approx(tuple(getattr(reported, field) for field in fields), abs=1.01e-3 / 2)
    assert found.p_two_sided is not None
    if reported.p.startswith("<"):
        assert found.p_two_sided < 0.001
    else:
        steps = math.floor(abs(found.z or 0.0) * 100)
        looked_up = [math.erfc(step / 100 / math.sqrt(2)) for step in (steps - 1, steps)]
        assert float(reported.p) in [pytest.approx(p, abs=0.501e-3) for p in looked_up]
        assert float(reported.p) + 0.0005 >= found.p_two_sided


@pytest.mark.parametrize("vector", KEPT, ids=[vector["name"] for vector in KEPT])
def test_the_figures_are_those_that_sc_stats_printed(vector: dict[str, object]) -> None:
    first, second, reported = vector["first"], vector["second"], vector["reported"]
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert isinstance(reported, dict)

    agree(compare(first, second), Reported(**reported))


@pytest.mark.skipif(not INSTALLED, reason="Debian's sctk is not installed")
@pytest.mark.parametrize("seed", range(10, 30))
def test_the_figures_are_those_of_the_installed_sc_stats(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - repeatable chance
    rates = (random.uniform(0.02, 0.6), random.uniform(0.02, 0.6))
    first, second = random_pair(random, utterances=random.randint(20, 150), error_rates=rates)

    agree(compare(first, second), report(first, second))


@quick
@given(corpora)
def test_every_error_is_in_exactly_one_segment_and_no_segment_is_without(corpus: list[list[tuple[str, str]]]) -> None:
    first, second = (["".join(pair[side] for pair in utterance) for utterance in corpus] for side in (0, 1))
    segments = segment_errors(located(*first), located(*second))

    assert segments.sum(axis=0).tolist() == [sum(len(one) - one.count("C") for one in side) for side in (first, second)]
    assert segments.sum(axis=1).all()


@quick
@given(corpora)
def test_exchanging_the_systems_turns_the_signs_and_nothing_else(corpus: list[list[tuple[str, str]]]) -> None:
    first, second = (["".join(pair[side] for pair in utterance) for utterance in corpus] for side in (0, 1))
    one, other = compare(first, second), compare(second, first)

    assert (one.segments, one.std, one.p_two_sided) == (other.segments, other.std, other.p_two_sided)
    assert one.mean_difference == (None if other.mean_difference is None else -other.mean_difference)
    assert one.z == (None if other.z is None else -other.z)


def test_segments_do_not_reach_from_one_utterance_into_the_next() -> None:
    assert segment_errors(located("CCS", "SCC"), located("CCC", "CCC")).tolist() == [[1, 0], [1, 0]]
    assert segment_errors(located("CCSI", "ISCC"), located("CCC", "CCC")).tolist() == [[2, 0], [2, 0]]
    assert segment_errors(located("I", "I"), located("", "I")).tolist() == [[1, 0], [1, 1]]


def test_an_utterance_that_one_system_did_not_answer_is_no_pair() -> None:
    found = matched_pairs(located("SSC", None, "CDC", "S"), located("CCC", "SSS", None, "C"))

    assert (found.utterances, found.segments, found.first_errors, found.second_errors) == (2, 2, 3, 0)


def test_systems_without_errors_have_no_segment_and_no_figures() -> None:
    assert compare(["CCC"], ["CCC"]) == MatchedPairs(1, 0, 0, 0, None, None, None, None)
    assert compare([], []) == MatchedPairs(0, 0, 0, 0, None, None, None, None)


def test_equal_errors_everywhere_are_no_evidence_of_a_difference() -> None:
    found = compare(["SCC", "CCD"], ["DCC", "CCS"])

    assert (found.mean_difference, found.std, found.z, found.p_two_sided) == (0.0, 0.0, 0.0, 1.0)


def test_differences_without_spread_and_a_single_segment_have_no_p_value() -> None:
    """sc_stats prints z = 0 for both, as if the systems were the same."""
    constant, single = compare(["SCC", "CCD"], ["CCC", "CCC"]), compare(["SCC"], ["CCC"])

    assert (constant.mean_difference, constant.std, constant.z, constant.p_two_sided) == (1.0, 0.0, None, None)
    assert (single.mean_difference, single.std, single.z, single.p_two_sided) == (1.0, None, None, None)


def test_an_utterance_whose_paths_differ_in_length_is_one_segment() -> None:
    """With alternatives in the reference the words of two systems cannot be tied one to one."""
    assert segment_errors(located("SCCCCS", "CCS"), located("CCCSC", "CCC")).tolist() == [[2, 1], [1, 0]]


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1 utterances: no pairs"):
        matched_pairs(located("C", "C"), located("C"))


def test_errors_are_located_in_the_reference() -> None:
    found = located("ICSDII", None, "CC")

    assert found.places.tolist() == [0, 3, 5, 6, 6]
    assert found.utterances.tolist() == [0, 0, 0, 0, 0]
    assert found.words.tolist() == [3, -1, 2]
    assert found.answered.tolist() == [True, False, True]
    assert found.places.dtype == np.int64
