"""What became of a job's items, as lines of the journals that live calls write too."""

from collections.abc import Callable
from typing import BinaryIO

import orjson
import pybase64

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.outcomes import ItemRecord, Usage, settle
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.dispatch.embed import EmbeddedPack
from eval_pipeline.dispatch.records import encode
from eval_pipeline.dispatch.vectors import call_line

_FLOAT_BYTES = 4


def never_asked(_item_id: str) -> ItemRecord | None:
    """Know no earlier record: so it is in the first round."""
    return None


class AnswerResults:
    """Writes item records; what earlier rounds were billed for stays counted.

    Args:
        before: finds an item's record of earlier rounds.
        endpoint: the address that was asked.
    """

    def __init__(
        self, before: Callable[[str], ItemRecord | None] = never_asked, *, endpoint: str | None = None
    ) -> None:
        self._before = before
        self._endpoint = endpoint

    def write(self, file: BinaryIO, line: ResultLine) -> None:
        """Write what became of one item."""
        custom_id = line.custom_id or ""
        before = self._before(custom_id)
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
        file.write(encode(record) + b"\n")

    def end(self, file: BinaryIO) -> None:
        """Nothing is told of a whole job."""


class VectorResults:
    """Writes vectors under their texts' digests, and what the job was billed for.

    Args:
        dimensions: of the vectors that are stored already; None: the first one decides.
    """

    def __init__(self, *, dimensions: int | None) -> None:
        self._dimensions = dimensions
        self._usage = Usage()
        self._model: str | None = None
        self._reported = False
        self._unreported = 0

    def write(self, file: BinaryIO, line: ResultLine) -> None:
        """Write one text's vector, or why there is none."""
        digest = line.custom_id or ""
        self._count(line)
        vector, problem = self._vector(line)
        if vector is not None:
            file.write(b'{"digest":"%b","vector":"%b"}\n' % (digest.encode(), pybase64.b64encode(vector)))
            return
        error = line.attempt.error
        finished = problem is None and error is not None and not line.attempt.transient
        words = problem or (f"{error.code}: {error.message}" if error else "no vector came back")
        file.write(orjson.dumps({"digest": digest, "problem": words, "finished": finished}) + b"\n")

    def end(self, file: BinaryIO) -> None:
        """Write what the job was billed for."""
        pack = EmbeddedPack(
            texts=(),
            usage=self._usage if self._reported else None,
            retried_usage=Usage(),
            model=self._model,
            billed=self._reported,
            unreported_calls=self._unreported,
        )
        file.write(call_line(pack) + b"\n")

    def _vector(self, line: ResultLine) -> tuple[bytes | None, str | None]:
        vector = line.payload.vectors[0] if isinstance(line.payload, EmbeddingReply) else None
        if vector is None:
            return None, None
        length = len(vector) // _FLOAT_BYTES
        self._dimensions = self._dimensions or length
        if length == self._dimensions:
            return vector, None
        return None, f"the vector has {length} dimensions where {self._dimensions} are expected"

    def _count(self, line: ResultLine) -> None:
        attempt = line.attempt
        self._model = self._model or attempt.model
        self._unreported += attempt.cost_uncertain
        if attempt.usage is not None:
            self._reported = True
            self._usage += attempt.usage
