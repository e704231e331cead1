from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import orjson
import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.outcomes import BilledCall, ItemError, ItemRecord, ItemStatus, Usage
from eval_pipeline.dispatch.records import RecordIndex, decode, encode

USAGE = Usage(input=10, cached_input=2, output=5, reasoning=1, total=15, audio_input=4)
PASSING = ItemError(code="server_error", type="server_error", message="वह गिर गया\u2028", transient=True)
ANSWERED = ItemRecord("q1#1", ItemStatus.OK, answer="हाँ\n\u2028", model="m", usage=USAGE, latency_s=0.25, attempts=2)
FAILED = ItemRecord(
    "q1#1", ItemStatus.FAILED, error=PASSING, retried=(BilledCall(USAGE, "m"),), unreported_calls=2, attempts=5
)
CUT = ItemRecord("q1#1", ItemStatus.INCOMPLETE, partial_answer="half", response_id="resp_1", usage=USAGE)


class Line(NamedTuple):
    """A line and where it is."""

    offset: int
    length: int
    line: bytes


@dataclass(frozen=True)
class MemorySpool:
    """A journal in memory."""

    records: Sequence[ItemRecord]

    @property
    def _bytes(self) -> bytes:
        return b"".join(encode(record) + b"\n" for record in self.records)

    def __iter__(self) -> Iterator[Line]:
        offset = 0
        for line in self._bytes.split(b"\n")[:-1]:
            yield Line(offset, len(line), line)
            offset += len(line) + 1

    def line_at(self, offset: int, length: int) -> bytes:
        return self._bytes[offset : offset + length]


@pytest.mark.parametrize("record", [ANSWERED, FAILED, CUT])
def test_a_record_comes_back_as_it_was_and_takes_one_line(record: ItemRecord) -> None:
    line = encode(record)

    assert decode(line) == record
    assert b"\n" not in line


@pytest.mark.parametrize("line", [b"", b"{", b"null", b"[]", b"{}", b'{"item_id": "q1#1"}', encode(ANSWERED)[:-9]])
def test_a_record_that_cannot_be_read_is_not_taken_for_absent(line: bytes) -> None:
    with pytest.raises(UnavailableError) as raised:
        decode(line)

    assert raised.value.code == "journal_damaged"


def test_the_first_finished_record_of_an_item_holds() -> None:
    """Two answers to one question can only come from a worker that lost its lease."""
    later = ItemRecord("q1#1", ItemStatus.OK, answer="later")

    index = RecordIndex(MemorySpool([FAILED, ANSWERED, later]))

    assert index.find("q1#1") == ANSWERED
    assert index.finished("q1#1")
    assert len(index) == 1


def test_of_unfinished_records_the_last_holds_for_it_has_counted_all_tokens() -> None:
    later = ItemRecord(
        "q1#1", ItemStatus.FAILED, error=PASSING, retried=(BilledCall(USAGE), BilledCall(USAGE)), attempts=10
    )

    index = RecordIndex(MemorySpool([FAILED, later]))

    assert index.find("q1#1") == later
    assert not index.finished("q1#1")


def test_an_item_without_record_is_none_yet() -> None:
    index = RecordIndex(MemorySpool([ANSWERED]))

    assert index.find("q2#1") is None
    assert not index.finished("q2#1")


@pytest.mark.parametrize(("usage", "retried"), [(USAGE, (BilledCall(USAGE, "m"),)), (Usage(), ())])
def test_a_record_of_before_that_kept_the_sum_of_its_retries_is_read(
    usage: Usage, retried: tuple[BilledCall, ...]
) -> None:
    line = orjson.loads(encode(ANSWERED))
    del line["retried"], line["unreported_calls"]

    assert decode(orjson.dumps({**line, "retried_usage": usage})) == replace(ANSWERED, retried=retried)


def test_a_record_of_before_that_knew_nothing_of_audio_is_read() -> None:
    line = orjson.loads(encode(ANSWERED))
    del line["usage"]["audio_input"]

    assert decode(orjson.dumps(line)) == replace(ANSWERED, usage=replace(USAGE, audio_input=0))
