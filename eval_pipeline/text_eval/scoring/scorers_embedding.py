"""Cosine similarity of embeddings, for many pairs at once."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason

_COMPONENT_BYTES = 4


@dataclass(frozen=True, slots=True)
class VectorPair:
    """The embeddings of a golden answer and an answer: little-endian float32."""

    golden: bytes
    answer: bytes


def cosine_similarity(pairs: Sequence[VectorPair]) -> list[ScoreValue]:
    """Cosine of the angle between the embeddings of answer and golden answer, from -1 to 1.

    Computed in double precision; equal vectors are exactly 1. A vector that is zero, not finite or of another width
    has no angle: unscoreable.
    """
    scores: list[ScoreValue] = [_unscoreable("the vectors differ in width")] * len(pairs)
    for width, positions in _by_width(pairs).items():
        golden = _matrix([pairs[position].golden for position in positions], width=width)
        answer = _matrix([pairs[position].answer for position in positions], width=width)
        for position, score in zip(positions, _cosines(golden, answer=answer), strict=True):
            scores[position] = score
    return scores


def _by_width(pairs: Sequence[VectorPair]) -> dict[int, list[int]]:
    positions: dict[int, list[int]] = defaultdict(list)
    for position, pair in enumerate(pairs):
        width, rest = divmod(len(pair.golden), _COMPONENT_BYTES)
        if len(pair.golden) == len(pair.answer) and rest == 0:
            positions[width].append(position)
    return positions


def _matrix(vectors: Sequence[bytes], *, width: int) -> npt.NDArray[np.float64]:
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), width).astype(np.float64)


def _cosines(golden: npt.NDArray[np.float64], *, answer: npt.NDArray[np.float64]) -> list[ScoreValue]:
    with np.errstate(invalid="ignore", divide="ignore"):
        golden_norms = np.sqrt(np.einsum("ij,ij->i", golden, golden))
        answer_norms = np.sqrt(np.einsum("ij,ij->i", answer, answer))
        cosines = np.einsum("ij,ij->i", golden, answer) / (golden_norms * answer_norms)
    cosines[(golden == answer).all(axis=1) & np.isfinite(cosines)] = 1.0
    clipped: list[float] = np.clip(cosines, -1.0, 1.0).tolist()
    return [
        _unscoreable("a vector is zero or not finite") if math.isnan(value) else ScoreValue(value) for value in clipped
    ]


def _unscoreable(comment: str) -> ScoreValue:
    return ScoreValue.unscoreable(UnscoreableReason.EMBEDDING_FAILED, comment)
