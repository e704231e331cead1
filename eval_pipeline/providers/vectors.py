"""Vectors as providers send them: read as float32 and checked one by one, whatever protocol brought them.

One that is unreadable, of another length, not finite or of norm 0 is one item's problem, the others live.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pybase64

from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.ports.models import EmbeddingReply

FLOAT_BYTES = 4
VECTOR_BYTES = 100_000
"""As text at most: 3,072 numbers take 70 kB."""


def decode_vector(embedding: object) -> bytes | str:
    """Return little-endian float32, or what is wrong."""
    try:
        if isinstance(embedding, str):
            return pybase64.b64decode(embedding, validate=True)
        if isinstance(embedding, list):
            with np.errstate(over="ignore"):  # infinite as float32, which is found below
                return np.asarray(embedding, dtype="<f4").tobytes()
    except (ValueError, TypeError, OverflowError):  # no base64, no numbers
        return "the vector cannot be read"
    return "the vector cannot be read"


def check_vectors(raw: Sequence[bytes | str], *, dimensions: int | None) -> tuple[list[bytes | None], list[str | None]]:
    """Check every vector by itself; return vectors and problems, one of the two per text.

    Args:
        raw: one vector, or why there is none, per text.
        dimensions: the length that every vector must have; None: the one that most of them have.
    """
    expected = _usual_length(raw) if dimensions is None else dimensions * FLOAT_BYTES
    vectors = [vector if isinstance(vector, bytes) and _is_whole(vector, expected) else None for vector in raw]
    problems = [_shape_problem(vector, expected=expected) for vector in raw]
    for row, problem in _number_problems(vectors):
        vectors[row], problems[row] = None, problem
    return vectors, problems


def vector_attempt(reply: EmbeddingReply) -> Attempt:
    """Say what a vector of a batch amounts to; one that fails its checks may come whole the next time."""
    problem = reply.problems[0]
    if problem is None:
        return Attempt(
            outcome=AttemptOutcome.OK, usage=reply.usage, model=reply.model, maybe_billed=reply.usage is None
        )
    error = ItemError(code="malformed_response", type="embedding", message=problem, transient=True)
    return Attempt(outcome=AttemptOutcome.MALFORMED, error=error, usage=reply.usage, model=reply.model)


def _usual_length(raw: Sequence[bytes | str]) -> int:
    """Return how many bytes most of the vectors have; 0 when there is none."""
    lengths = [len(vector) for vector in raw if isinstance(vector, bytes)]
    if len(lengths) > 1:
        counts = Counter(lengths)
        return max(counts, key=lambda length: (counts[length], length))  # what is cut is shorter
    return lengths[0] if lengths else 0


def _is_whole(vector: bytes, expected: int) -> bool:
    return len(vector) == expected and expected > 0 and expected % FLOAT_BYTES == 0


def _shape_problem(vector: bytes | str, *, expected: int) -> str | None:
    if isinstance(vector, str):
        return vector
    if _is_whole(vector, expected):
        return None
    return f"the vector has {len(vector) / FLOAT_BYTES:g} dimensions where {expected / FLOAT_BYTES:g} are expected"


def _is_sound(vector: bytes) -> bool:
    """Tell in one pass that every number is finite and some are not 0; False where that takes a closer look."""
    numbers = np.frombuffer(vector, dtype="<f4")
    with np.errstate(over="ignore"):  # numbers near the largest; they take the closer look
        return 0 < float(numbers.dot(numbers)) < math.inf


def _number_problems(vectors: Sequence[bytes | None]) -> list[tuple[int, str]]:
    """Find vectors with NaN or infinity, and those of norm 0, which no cosine is defined for."""
    rows = [row for row, vector in enumerate(vectors) if vector is not None and not _is_sound(vector)]
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(vectors[row] or b"" for row in rows), dtype="<f4").reshape(len(rows), -1)
    finite = np.isfinite(matrix).all(axis=1)
    zero = (matrix == 0).all(axis=1)
    return [
        (row, "the vector is zero" if zero[place] else "the vector holds a number that is not finite")
        for place, row in enumerate(rows)
        if zero[place] or not finite[place]
    ]
