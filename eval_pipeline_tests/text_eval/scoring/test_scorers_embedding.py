"""Cosine similarity of many pairs, against numpy in double precision one by one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import distance

from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_embedding import VectorPair, cosine_similarity


def packed(*components: float) -> bytes:
    return np.array(components, dtype="<f4").tobytes()


def pair(golden: bytes, answer: bytes) -> VectorPair:
    return VectorPair(golden=golden, answer=answer)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 64), st.integers(0, 2**32 - 1))
def test_cosines_agree_with_scipy(count: int, width: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(2, count, width)).astype("<f4")
    scores = cosine_similarity([pair(a.tobytes(), b.tobytes()) for a, b in zip(*vectors, strict=True)])
    expected = [1 - distance.cosine(a.astype(float), b.astype(float)) for a, b in zip(*vectors, strict=True)]

    assert [score.value for score in scores] == pytest.approx(expected, abs=1e-12)


def test_the_same_direction_is_never_more_than_one() -> None:
    vectors = np.random.default_rng(7).normal(size=(500, 96)).astype("<f4")
    scores = cosine_similarity([pair(vector.tobytes(), (vector * 3).tobytes()) for vector in vectors])

    assert all(score.value is not None and 1 - 1e-7 < score.value <= 1 for score in scores)


def test_equal_vectors_are_exactly_one() -> None:
    vectors = np.random.default_rng(7).normal(size=(500, 96)).astype("<f4")

    assert {score.value for score in cosine_similarity([pair(v.tobytes(), v.tobytes()) for v in vectors])} == {1.0}


def test_opposite_and_unrelated_directions_keep_their_sign() -> None:
    scores = cosine_similarity([pair(packed(1, 2), packed(-1, -2)), pair(packed(1, 0), packed(0, 1))])

    assert [score.value for score in scores] == [pytest.approx(-1), 0]


@pytest.mark.parametrize(
    ("broken", "comment"),
    [
        (packed(0, 0), "a vector is zero or not finite"),
        (packed(math.nan, 1), "a vector is zero or not finite"),
        (packed(math.inf, 1), "a vector is zero or not finite"),
        (packed(1, 2, 3), "the vectors differ in width"),
        (b"", "the vectors differ in width"),
        (b"1234567", "the vectors differ in width"),
    ],
)
def test_a_broken_vector_is_unscoreable_and_leaves_its_neighbours_alone(broken: bytes, comment: str) -> None:
    good = pair(packed(3, 4), packed(3, 4))
    scores = cosine_similarity([good, pair(packed(1, 2), broken), pair(broken, packed(1, 2)), good])

    assert [score.value for score in scores] == [1, None, None, 1]
    assert {score.reason for score in scores[1:3]} == {UnscoreableReason.EMBEDDING_FAILED}
    assert scores[1].comment == comment


@pytest.mark.parametrize("broken", [packed(0, 0), packed(math.inf, 1), packed(math.nan, 1)])
def test_a_broken_vector_is_not_even_similar_to_itself(broken: bytes) -> None:
    assert cosine_similarity([pair(broken, broken)])[0].value is None


def test_very_large_and_very_small_vectors_do_not_overflow() -> None:
    scores = cosine_similarity(
        [pair(packed(3e38, 3e38), packed(3e38, 0)), pair(packed(1e-40, 1e-40), packed(1e-40, 0))]
    )

    assert [score.value for score in scores] == pytest.approx([math.sqrt(0.5)] * 2, abs=1e-4)


def test_no_pairs_are_no_scores() -> None:
    assert cosine_similarity([]) == []
