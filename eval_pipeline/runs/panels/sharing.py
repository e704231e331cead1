"""Which cells of a run are its own to pay for, and which it takes from other runs: nothing is paid twice in a project.

A cell is claimed in the ledger before it is asked. What another run has judged already is read where that run keeps it;
what another run is about to judge is waited for. A claim of a run that has ended, with nothing out, is free again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Final

import orjson

from eval_pipeline.core.batches import OPEN
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.judgement_claims import CellClaim, CellKey, Claimant, ClaimState
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus, Usage
from eval_pipeline.core.ports.judgement_ledger import JudgementLedger
from eval_pipeline.core.runs import RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.judging.steps import CellStatus
from eval_pipeline.runs.at_work import StageAtWork, run_cancelled
from eval_pipeline.runs.batches import wait_for_provider
from eval_pipeline.runs.life import state_of
from eval_pipeline.runs.panels.cells import Cell
from eval_pipeline.runs.panels.settling import Settlements
from eval_pipeline.runs.panels.waiting import is_waiting, wait_for
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring.deployment import Deployment

_WORKS_ON: Final = frozenset({RunState.REQUESTED, RunState.RUNNING, RunState.WAITING})
_CELLS_A_FILE: Final = 1_000
_LOOK_S: Final = 0.5
_LONGEST_LOOK_S: Final = 10.0


@dataclass(slots=True)
class Sharing:
    """The cells of one run among those of all runs of its project."""

    task: Task
    run: RunRecord
    work: PanelWork
    kept: Settlements
    cells: Sequence[Cell]
    own: list[Cell] = field(default_factory=list)
    """To be asked by this run."""
    held: dict[str, CellClaim] = field(default_factory=dict)
    """That another run is about to judge."""
    taken: set[str] = field(default_factory=set)
    """That another run has judged."""

    def claim(self) -> None:
        """Claim what is free, take what other runs have judged, and note what they are about to judge."""
        open_cells = [cell for cell in self.cells if cell.id not in self.kept]
        found = self._ledger.claim_cells(self._claimant, [_key(cell) for cell in open_cells])
        self._sort(open_cells, found)

    def wait(self, held: StageAtWork) -> bool:
        """Wait until what other runs are about to judge is judged, or free; what is free then is this run's own.

        Returns:
            False where it is left for later: both runs work by batches, and the other one waits for its provider.

        Raises:
            IncompleteError: ``run_cancelled``.
        """
        looks, told_at = 0, 0.0
        while self.held and not self.own:
            if held.should_stop():
                held.lease.check()
                raise run_cancelled(self.run.key)
            if self.run.mode is RunMode.BATCH and self._is_left(held.ref):
                return False
            if monotonic() - told_at > _LONGEST_LOOK_S:
                told_at = monotonic()
                self.task.say(self._waiting_words())
            sleep(min(_LOOK_S * 1.2**looks, _LONGEST_LOOK_S) if looks else 0.0)
            looks += 1
            waiting = [cell for cell in self.cells if cell.id in self.held]
            found = self._ledger.find_cells(self.run.key.project, list(self.held))
            self.held = {}
            if any(cell.id not in found or found[cell.id].state is ClaimState.FAILED for cell in waiting):
                found = self._ledger.claim_cells(self._claimant, [_key(cell) for cell in waiting])
            self._sort(waiting, found)
        return True

    def _is_left(self, stage: StageRef) -> bool:
        """Leave it for later where a run that is waited for waits for its provider itself."""
        holders = list(dict.fromkeys(claim.holder for claim in self.held.values()))
        if not any(is_waiting(self._deployment, holder) for holder in holders):
            return False
        wait_for(self._deployment, stage, holders)
        self.task.say(self._waiting_words())
        wait_for_provider(self.task, cancelled=False)
        return True

    def store(self, held: StageAtWork) -> None:
        """Tell other runs what this one's cells came to; what they are to read is stored before."""
        settled = [cell for cell in self.own if cell.id in self.kept]
        stored: dict[str, str] = {}
        failed: list[str] = []
        lines: list[bytes] = []
        names: list[str] = []
        for cell in settled:
            row, _ = self.kept.find(cell.id)
            if row["status"] != CellStatus.OK:
                failed.append(cell.id)
                continue
            lines.append(orjson.dumps({"id": cell.id, "row": row}))
            names.append(cell.id)
            if len(lines) == _CELLS_A_FILE:
                stored |= self._put(held, lines, names)
                lines, names = [], []
        if lines:
            stored |= self._put(held, lines, names)
        held.lease.check()
        self._ledger.settle_cells(self._claimant, stored=stored, failed=failed)
        self.own = []

    def _put(self, held: StageAtWork, lines: Sequence[bytes], names: Sequence[str]) -> dict[str, str]:
        folder = f"{held.ref.prefix}/cells"
        number = sum(1 for _ in self._deployment.objects.list(folder))
        key = f"{folder}/{held.lease.token:06d}-{number:05d}.jsonl"
        self._deployment.objects.put(key, b"\n".join(lines) + b"\n")
        return dict.fromkeys(names, key)

    def _sort(self, cells: Sequence[Cell], found: Mapping[str, CellClaim]) -> None:
        """Tell apart what is this run's own, what is there, and what another run is about to judge."""
        others: list[tuple[Cell, CellClaim]] = []
        for cell in cells:
            claim = found.get(cell.id)
            if claim is None or claim.holder == self._claimant:
                self.own.append(cell)
            else:
                others.append((cell, claim))
        there = self._read([(cell, claim) for cell, claim in others if claim.state is ClaimState.STORED])
        over: dict[Claimant, bool] = {}
        free: list[tuple[Cell, CellClaim]] = []
        for cell, claim in others:
            if cell.id in there:
                self._take(cell, there[cell.id], claim)
                continue
            if claim.holder not in over:
                over[claim.holder] = is_over(self._deployment, claim.holder)
            if claim.state is ClaimState.STORED or over[claim.holder]:
                free.append((cell, claim))
            else:
                self.held[cell.id] = claim
        self._take_over(free)

    def _take_over(self, free: Sequence[tuple[Cell, CellClaim]]) -> None:
        """Make cells this run's own whose run has ended; of those that somebody else took first, look again."""
        if not free:
            return
        self._ledger.take_over_cells(self._claimant, [claim for _, claim in free])
        now = self._ledger.find_cells(self.run.key.project, [cell.id for cell, _ in free])
        for cell, claim in free:
            present = now.get(cell.id, claim)
            if present.holder == self._claimant:
                self.own.append(cell)
            else:
                self.held[cell.id] = present

    def _read(self, stored: Iterable[tuple[Cell, CellClaim]]) -> dict[str, JsonDict]:
        """Read judgements where other runs keep them, each file once; what is gone is not among them."""
        by_place: dict[str, set[str]] = defaultdict(set)
        for cell, claim in stored:
            if claim.place is not None:
                by_place[claim.place].add(cell.id)
        found: dict[str, JsonDict] = {}
        for place, wanted in by_place.items():
            try:
                data = self._deployment.objects.read(place)
            except NotFoundError:  # its run was deleted, or the sessions in it forgotten
                continue
            for line in data.splitlines():
                document = orjson.loads(line)
                if document["id"] in wanted:
                    found[document["id"]] = document["row"]
        return found

    def _take(self, cell: Cell, row: Json, claim: CellClaim) -> None:
        """Keep another run's judgement as one of this run, which it cost nothing."""
        free_of_charge = {
            **dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"), None),
            **dict.fromkeys(("retried_input_tokens", "retried_output_tokens"), 0),
            "total_tokens": None,
            "cost_usd": "0",
            "taken_from_run": row["taken_from_run"] or claim.holder.key.run,
            "panel_version": self.work.judges.panel.version,
            "rubric_version": self.work.judges.panel.rubric.version,
            "panel_fingerprint": self.work.judges.panel.fingerprint,
        }
        record = ItemRecord(
            cell.id,
            ItemStatus.OK,
            usage=Usage(),
            attempts=0,
            model=row["model_returned"],
            response_id=row["response_id"],
        )
        self.kept.put(cell.id, {**row, **free_of_charge, "attempts": 0}, record)
        self.taken.add(cell.id)

    def _waiting_words(self) -> str:
        runs = sorted({claim.holder.key.run for claim in self.held.values()})
        judgements = counted(len(self.held), "judgement")
        return f"waiting for {judgements} that run {', '.join(runs)} pays for, to take from there"

    @property
    def _claimant(self) -> Claimant:
        return Claimant(self.task.flow, self.run.key)

    @property
    def _deployment(self) -> Deployment:
        return self.task.deployment

    @property
    def _ledger(self) -> JudgementLedger:
        return self.task.deployment.ledger


def is_over(deployment: Deployment, holder: Claimant) -> bool:
    """Tell whether a run has ended, so that it pays for nothing more: nobody works on it, and nothing of it is out."""
    run = deployment.ledger.find_run(flow=holder.flow, key=holder.key)
    if run is None:
        return True
    if state_of(run) in _WORKS_ON:
        return False
    return not any(job.state in OPEN for job in deployment.ledger.run_jobs(flow=holder.flow, key=holder.key))


def _key(cell: Cell) -> CellKey:
    return CellKey(cell.id, cell.item.item_id, cell.seat.id)
