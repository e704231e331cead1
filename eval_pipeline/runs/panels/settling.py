"""Where every cell of a run stands by the records of its journal: what is asked next, and what cells came to.

What is settled is kept in a file beside the work, one document a cell, so that nothing grows with the answers.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import BilledCall, ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.tallies import price_item
from eval_pipeline.dispatch.records import RecordIndex, decode, encode
from eval_pipeline.judging.aggregation import CellState
from eval_pipeline.judging.steps import (
    CellStatus,
    Heard,
    Kind,
    Reading,
    Said,
    Settled,
    Step,
    next_of,
    notes_of,
)
from eval_pipeline.judging.verdicts import Answer, Quote, read_answer
from eval_pipeline.runs.panels.cells import Cell
from eval_pipeline.runs.panels.judges import Judges
from eval_pipeline.runs.panels.showing import Showing
from eval_pipeline.storage.objects import temporary_folder

_SURELY_FITS: Final = 2
"""Tokens that a character takes at most, by our estimate."""
_TOKENS_AROUND: Final = 4_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request that is to go out."""

    cell: Cell
    step: Step
    answer: str = ""
    problems: tuple[str, ...] = ()

    @property
    def request_id(self) -> str:
        """Its id in journals and at providers."""
        return self.cell.request(self.step)


class Settlements:
    """What cells came to, by their ids; in one local file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __contains__(self, cell_id: object) -> bool:
        return cell_id in self._places

    def __len__(self) -> int:
        return len(self._places)

    def ids(self) -> Iterator[str]:
        """Walk the cells that are settled."""
        return iter(self._places)

    def put(self, cell_id: str, row: Json, record: ItemRecord) -> None:
        """Keep what a cell came to: its row, and what its calls used together."""
        line = orjson.dumps({"row": row, "record": orjson.Fragment(encode(record))})
        self._file.write(line)
        self._places[cell_id] = (self._end, len(line))
        self._end += len(line)

    def find(self, cell_id: str) -> tuple[JsonDict, ItemRecord]:
        """Return row and record of a settled cell."""
        self._file.flush()
        offset, length = self._places[cell_id]
        value = orjson.loads(os.pread(self._file.fileno(), length, offset))
        return value["row"], decode(orjson.dumps(value["record"]))

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


@contextmanager
def open_settlements() -> Iterator[Settlements]:
    """Give an empty file of what cells came to, for the time of a ``with``."""
    with temporary_folder() as folder:
        settlements = Settlements(folder / "settled")
        try:
            yield settlements
        finally:
            settlements.close()


@dataclass(frozen=True, slots=True)
class Settler:
    """Looks at the cells of a run."""

    judges: Judges
    showing: Showing
    tariffs: Mapping[str, Tariff]
    """By expert."""
    at: datetime
    """When the run was claimed: prices are those of that moment."""
    kept: Settlements

    def look(self, cells: Iterable[Cell], index: RecordIndex, *, again: bool) -> Iterator[Wanted]:
        """Yield what is to be asked next, and keep what is settled.

        Args:
            cells: those that were not settled before are looked at.
            index: what the journal holds.
            again: whether what failed in passing is asked once more; else it is settled as failed.
        """
        for cell in cells:
            if cell.id in self.kept:
                continue
            said = _Heard(cell, index, again=again)
            found = next_of(said, self._reading(cell))
            if isinstance(found, Settled):
                self._keep(cell, found, said)
            else:
                yield from (Wanted(cell, step, found.answer, found.problems) for step in found.steps)

    def give_up(self, cells: Iterable[Cell], index: RecordIndex, *, faults: Mapping[str, EvalPipelineError]) -> None:
        """Settle what could not be asked to its end: by what is wrong with its expert's account, else as missing."""
        for cell in cells:
            if cell.id in self.kept:
                continue
            said = _Heard(cell, index, again=False)
            fault = faults.get(cell.seat.id)
            found = next_of(said, self._reading(cell))
            if isinstance(found, Settled):
                self._keep(cell, found, said)
                continue
            error = None if fault is None else ItemError(fault.code, "account", fault.message, transient=False)
            status = CellStatus.MISSING if error is None else CellStatus.FAILED
            self._keep(cell, Settled(status, found.steps[0]), said, error=error)

    def body(self, wanted: Wanted, index: RecordIndex) -> JsonDict:
        """Return a request as it goes out."""
        cell = wanted.cell
        notes: Sequence[str] = ()
        if wanted.step.kind is not Kind.NOTES and (count := self._segments(cell)):
            notes = notes_of(_Heard(cell, index, again=False), count)
        return self.showing.body(cell, wanted.step, notes=notes, answer=wanted.answer, problems=wanted.problems)

    def _segments(self, cell: Cell) -> int:
        characters = cell.item.characters
        if characters is not None and _SURELY_FITS * characters + _TOKENS_AROUND <= cell.seat.budget_tokens:
            return 0
        return len(self.showing.shown(cell).segments)

    def _reading(self, cell: Cell) -> Reading:
        axes = self.judges.axes_of(cell.seat, applying=cell.axes)

        def read(text: str) -> Answer:
            return read_answer(text, axes=axes, parts=self.showing.shown(cell).parts)

        return Reading(self._segments(cell), read=read, lacking=lambda answer: answer.lacks_evidence(axes))

    def _keep(self, cell: Cell, settled: Settled, said: "_Heard", *, error: ItemError | None = None) -> None:
        record = merged(cell.id, settled, said.records(), error=error)
        cost = price_item(record, self.tariffs[cell.seat.id], at=self.at)
        notes = notes_of(said, self._segments(cell))
        row = {
            **judged(cell, settled),
            "panel_version": self.judges.panel.version,
            "rubric_version": self.judges.panel.rubric.version,
            "panel_fingerprint": self.judges.panel.fingerprint,
            "error_code": None if record.error is None else record.error.code,
            "error_message": None if record.error is None else record.error.message,
            "model_returned": record.model,
            "system_fingerprint": record.system_fingerprint,
            "rendering": canonical(self.showing.rendering(cell, notes)),
            "hits": canonical(self.showing.hits(cell)),
            **_calls(record),
            "cost_usd": None if cost.usd is None else str(cost.usd),
            "taken_from_run": None,
            "created_at": self.at.isoformat(),
        }
        self.kept.put(cell.id, row, record)


class _Heard:
    """What the requests of one cell came to."""

    def __init__(self, cell: Cell, index: RecordIndex, *, again: bool) -> None:
        self._cell = cell
        self._index = index
        self._again = again
        self._found: dict[Step, ItemRecord | None] = {}

    def __call__(self, step: Step) -> Said | None:
        request = self._cell.request(step)
        if step not in self._found:
            self._found[step] = self._index.find(request)
        record = self._found[step]
        if record is None or (self._again and not self._index.finished(request)):
            return None
        return heard(record)

    def records(self) -> list[ItemRecord]:
        """Return all records that were looked at, in the order of the requests."""
        return [record for record in self._found.values() if record is not None]


def heard(record: ItemRecord) -> Said:
    """Say what a record means for its cell."""
    match record.status:
        case ItemStatus.OK:
            return Said(Heard.ANSWER, record.answer or "")
        case ItemStatus.INCOMPLETE:
            return Said(Heard.ANSWER, record.partial_answer or "", cut=True)
        case ItemStatus.EMPTY:
            return Said(Heard.ANSWER)
        case ItemStatus.REFUSED:
            return Said(Heard.REFUSAL)
        case ItemStatus.FAILED | ItemStatus.MISSING:
            return Said(Heard.FAILURE)


def merged(
    cell_id: str, settled: Settled, records: Sequence[ItemRecord], *, error: ItemError | None = None
) -> ItemRecord:
    """Put the records of all requests of a cell together: what it came to, and all that its calls used."""
    if not records:
        status = ItemStatus.MISSING if error is None else ItemStatus.FAILED
        return ItemRecord(cell_id, status, error=error, attempts=0)
    *before, last = records
    billed: tuple[BilledCall, ...] = tuple(call for record in before for call in record.billed_calls)
    return ItemRecord(
        cell_id,
        _STATUSES[settled.status],
        error=error or _error(settled, last),
        response_id=last.response_id,
        model=last.model,
        usage=last.usage,
        retried=(*billed, *last.retried),
        unreported_calls=sum(
            record.unreported_calls + (record.without_usage and record is not last) for record in records
        ),
        latency_s=_latency_s(records),
        attempts=sum(record.attempts for record in records),
        account_fault=last.account_fault,
        endpoint=last.endpoint,
        served=last.served,
        system_fingerprint=last.system_fingerprint,
    )


_STATUSES: Final = {
    CellStatus.OK: ItemStatus.OK,
    CellStatus.FAILED: ItemStatus.FAILED,
    CellStatus.PARSE_FAILED: ItemStatus.FAILED,
    CellStatus.INVALID_EVIDENCE: ItemStatus.FAILED,
    CellStatus.REFUSED: ItemStatus.REFUSED,
    CellStatus.MISSING: ItemStatus.MISSING,
}


def _error(settled: Settled, last: ItemRecord) -> ItemError | None:
    match settled.status:
        case CellStatus.OK:
            return None
        case CellStatus.PARSE_FAILED | CellStatus.INVALID_EVIDENCE:
            return ItemError(str(settled.status), "judgement", "; ".join(settled.problems), transient=False)
        case CellStatus.FAILED | CellStatus.REFUSED | CellStatus.MISSING:
            return last.error


def _latency_s(records: Sequence[ItemRecord]) -> float | None:
    took = [record.latency_s for record in records if record.latency_s is not None]
    return sum(took) if took else None


def _calls(record: ItemRecord) -> JsonDict:
    usage, retried = record.usage, record.retried_usage
    return {
        "response_id": record.response_id,
        "input_tokens": usage.input if usage else None,
        "cached_input_tokens": usage.cached_input if usage else None,
        "output_tokens": usage.output if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "total_tokens": usage.total if usage else None,
        "retried_input_tokens": retried.input,
        "retried_output_tokens": retried.output,
        "latency_s": record.latency_s,
        "attempts": record.attempts,
    }


def judged(cell: Cell, settled: Settled) -> JsonDict:
    """Return what a row tells of a cell's judgement."""
    answer = settled.answer
    is_ok = settled.status is CellStatus.OK
    return {
        "judgement_id": cell.id,
        "expert_id": cell.seat.id,
        "sample": cell.sample,
        "variant": cell.variant,
        "status": str(settled.status),
        "judge_fingerprint": cell.seat.fingerprint,
        "endpoint": cell.seat.endpoint,
        "model": cell.seat.model,
        "mode": str(cell.seat.mode),
        "axes": canonical({name: _axis(answer, name, is_ok=is_ok) for name in cell.axes}),
        "user_goal": None if answer is None else answer.user_goal,
        "outcome_summary": None if answer is None else answer.outcome_summary,
        "manipulation_attempt": None if answer is None else answer.manipulation_attempt,
        "comment": None if answer is None else answer.comment,
    }


def _axis(answer: Answer | None, name: str, *, is_ok: bool) -> JsonDict:
    """Return what was said of an axis; of a judgement that does not count, too, but as missing."""
    verdict = None if answer is None else answer.verdicts.get(name)
    if verdict is None:
        return {
            "level": None,
            "score": None,
            "state": str(CellState.MISSING),
            "confidence": None,
            "reasoning": None,
            "evidence": [],
        }
    opinion = verdict.opinion()
    return {
        "level": verdict.level,
        "score": opinion.level if is_ok else None,
        "state": str(opinion.state if is_ok else CellState.MISSING),
        "confidence": verdict.confidence,
        "reasoning": verdict.reasoning,
        "evidence": [_quote(quote) for quote in verdict.evidence],
    }


def _quote(quote: Quote) -> JsonDict:
    return {"message_index": quote.message, "quote": quote.text, "verified": quote.verified}


def canonical(value: object) -> str:
    """Write JSON as canonical text: keys in order, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
