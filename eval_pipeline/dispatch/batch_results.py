"""What became of a job's items, as lines of the journals that live calls write too."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pybase64

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.journal_lines import LineFile
from eval_pipeline.core.outcomes import (
    OK,
    Attempt,
    AttemptOutcome,
    ItemError,
    ItemRecord,
    Usage,
    final_status,
    settle,
)
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.dispatch.embed import MALFORMED, EmbeddedPack, wrong_width
from eval_pipeline.dispatch.records import RESULT_LOST, encode
from eval_pipeline.dispatch.vectors import call_line, problem_line

_FLOAT_BYTES = 4
HELD = 101
"""Vectors that are held until the usual length is known; 3,072-wide ones take 1.2 MB."""


class AnswerResults:
    """Writes item records; what earlier rounds were billed for stays counted.

    Args:
        before: finds an item's record of earlier rounds; None: this is the first one.
        endpoint: the address that was asked.
    """

    def __init__(
        self, before: Callable[[str], ItemRecord | None] | None = None, *, endpoint: str | None = None
    ) -> None:
        self._before = before
        self._counts = _Counts()
        self._endpoint = endpoint

    def write(self, file: LineFile, line: ResultLine) -> None:
        """Write what became of one item."""
        custom_id = line.custom_id or ""
        before = None if self._before is None else self._before(custom_id)
        if before is None:
            record = settle(custom_id, line.attempt, attempts=1, endpoint=self._endpoint)
        else:
            record = settle(
                custom_id,
                line.attempt,
                attempts=before.attempts + 1,
                retried=before.billed_calls,
                unreported_calls=before.unreported_calls,
                endpoint=self._endpoint,
            )
        file.write(encode(record))
        self._counts.add(line.attempt.outcome)

    def end(self, file: LineFile) -> Mapping[AttemptOutcome, int]:
        """Return how many items came to what; nothing is written of a whole job."""
        del file
        return self._counts.all()


class VectorResults:
    """Writes vectors under their texts' digests, and what the job was billed for.

    Args:
        dimensions: that every vector must have; None: those that most of the first ones have.
        usual: what the model's vectors have as it is published; believed when one of the first ones has it.
    """

    def __init__(self, *, dimensions: int | None, usual: int | None = None) -> None:
        self._dimensions = dimensions
        self._usual = usual
        self._held: list[ResultLine] = []
        self._counts = _Counts()
        self._usage = Usage()
        self._model: str | None = None
        self._reported = False
        self._unreported = 0

    def write(self, file: LineFile, line: ResultLine) -> None:
        """Write one text's vector, or why there is none; the first ones are held until their length is known."""
        self._count(line)
        if self._dimensions is not None or _vector(line) is None:
            self._put(file, line)
            return
        self._held.append(line)
        if len(self._held) == HELD:
            self._put_held(file)

    def end(self, file: LineFile) -> Mapping[AttemptOutcome, int]:
        """Write what the job was billed for; returns how many texts came to what."""
        self._put_held(file)
        pack = EmbeddedPack(
            texts=(),
            usage=self._usage if self._reported else None,
            retried_usage=Usage(),
            model=self._model,
            billed=self._reported,
            unreported_calls=self._unreported,
        )
        file.write(call_line(pack))
        return self._counts.all()

    def _put_held(self, file: LineFile) -> None:
        held, self._held = self._held, []
        if held and self._dimensions is None:
            widths = [len(vector) // _FLOAT_BYTES for line in held if (vector := _vector(line)) is not None]
            self._dimensions = usual_width(widths, published=self._usual)
        for line in held:
            self._put(file, line)

    def _put(self, file: LineFile, line: ResultLine) -> None:
        digest, vector, attempt = line.custom_id or "", _vector(line), line.attempt
        if vector is not None and len(vector) // _FLOAT_BYTES == self._dimensions:
            self._counts.add(attempt.outcome)
            file.write(b'{"digest":"%b","vector":"%b"}' % (digest.encode(), pybase64.b64encode(vector)))
            return
        if vector is not None:
            words = wrong_width(len(vector) // _FLOAT_BYTES, expected=self._dimensions or 0)
            attempt = malformed_vector(attempt, words)
        self._counts.add(attempt.outcome)
        error = attempt.error
        words = "no vector came back" if error is None else f"{error.code}: {error.message}"
        finished = error is not None and not (attempt.transient or attempt.unsent or error.code == RESULT_LOST)
        status, code = final_status(attempt.outcome), None if error is None else error.code
        line_of_it = problem_line(
            digest, words, finished=finished, status=status, code=code, unsent=attempt.unsent and not attempt.transient
        )
        file.write(line_of_it)

    def _count(self, line: ResultLine) -> None:
        attempt = line.attempt
        self._model = self._model or attempt.model
        self._unreported += attempt.cost_uncertain
        if attempt.usage is not None:
            self._reported = True
            self._usage += attempt.usage


def _vector(line: ResultLine) -> bytes | None:
    return line.payload.vectors[0] if isinstance(line.payload, EmbeddingReply) else None


def usual_width(widths: Sequence[int], *, published: int | None) -> int:
    """Return the length that vectors should have: the published one if any has it, else that of most of them.

    >>> usual_width([4, 8, 8], published=None), usual_width([4, 8], published=None), usual_width([4, 8, 8], published=4)
    (8, 8, 4)
    """
    if published in widths:
        return published or 0
    counts = Counter(widths)
    return max(counts, key=lambda width: (counts[width], width))  # what is cut is shorter


def malformed_vector(attempt: Attempt, words: str) -> Attempt:
    """Return what an attempt is whose vector came and cannot be used; it was billed all the same."""
    error = ItemError(code=MALFORMED, type="embedding", message=words, transient=True)
    return replace(attempt, outcome=AttemptOutcome.MALFORMED, error=error)


class _Counts:
    """Items by what became of them."""

    def __init__(self) -> None:
        self._ok = 0
        self._others: Counter[AttemptOutcome] = Counter()

    def add(self, outcome: AttemptOutcome) -> None:
        """Count one; hashing a member takes as long as all else that is done with an answer."""
        if outcome is OK:
            self._ok += 1
        else:
            self._others[outcome] += 1

    def all(self) -> Mapping[AttemptOutcome, int]:
        """Return the counts."""
        return {AttemptOutcome.OK: self._ok, **self._others}
