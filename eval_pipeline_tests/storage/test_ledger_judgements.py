"""Cells that runs share: claimed by one at a time, whoever asks at the same moment, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from eval_pipeline.core.judgement_claims import CellKey, Claimant, ClaimState, Label
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline_tests.storage.records import a_run

CELLS = [CellKey(f"cell-{number}", f"item {number}", "outcome") for number in range(700)]


def claimant(name: str, project: str = "default") -> Claimant:
    return Claimant(Flow.SESSIONS, RunKey(project=project, run=name))


FIRST, SECOND = claimant("first"), claimant("second")


def test_a_cell_is_claimed_once_and_only_its_run_settles_it(ledger: SqlLedger) -> None:
    mine = ledger.claim_cells(FIRST, CELLS)
    theirs = ledger.claim_cells(SECOND, CELLS[:2])
    elsewhere = ledger.claim_cells(claimant("first", "other"), CELLS[:1])

    assert len(mine) == 700
    assert {claim.holder for claim in (*mine.values(), *theirs.values())} == {FIRST}
    assert elsewhere["cell-0"].holder.key.project == "other"

    ledger.settle_cells(SECOND, stored={"cell-0": "theirs"}, failed=["cell-1"])
    ledger.settle_cells(FIRST, stored={"cell-2": "mine"}, failed=["cell-3"])
    found = ledger.find_cells("default", [f"cell-{number}" for number in (0, 1, 2, 3)])
    states = {name: (claim.state, claim.place, claim.tries) for name, claim in found.items()}
    assert states == {
        "cell-0": (ClaimState.CLAIMED, None, 0),
        "cell-1": (ClaimState.CLAIMED, None, 0),
        "cell-2": (ClaimState.STORED, "mine", 0),
        "cell-3": (ClaimState.FAILED, None, 1),
    }


def test_what_failed_is_free_and_what_stands_as_it_was_read_can_be_taken_over(ledger: SqlLedger) -> None:
    read = ledger.claim_cells(FIRST, CELLS[:3])
    ledger.settle_cells(FIRST, stored={}, failed=["cell-0"])

    assert ledger.claim_cells(SECOND, CELLS[:1])["cell-0"].holder == SECOND
    assert ledger.take_over_cells(SECOND, list(read.values())) == 2, "one is no longer as it was read"
    assert ledger.take_over_cells(claimant("third"), list(read.values())) == 0
    assert {claim.holder for claim in ledger.find_cells("default", list(read)).values()} == {SECOND}


def test_of_many_who_claim_at_once_each_cell_has_one_holder(ledger: SqlLedger) -> None:
    crowd = [claimant(f"run-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one: ledger.claim_cells(one, CELLS[:40]), crowd))
    again = [ledger.claim_cells(one, CELLS[:40]) for one in crowd]

    holders = [{name: claim.holder for name, claim in claims.items()} for claims in (*found, *again)]
    assert all(one == holders[0] for one in holders)


def test_a_run_that_is_deleted_leaves_no_claim(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run(flow=Flow.SESSIONS))
    ledger.claim_cells(FIRST, CELLS[:2])
    ledger.claim_cells(SECOND, CELLS[2:3])
    ledger.delete_run(flow=Flow.SESSIONS, key=FIRST.key)

    assert set(ledger.find_cells("default", [cell.judgement_id for cell in CELLS[:3]])) == {"cell-2"}


@pytest.mark.parametrize("kind", ["panel", "rubric"])
def test_a_label_stands_for_one_text(ledger: SqlLedger, kind: str) -> None:
    label = Label(kind, "3", "a" * 64)

    assert ledger.find_label("default", kind=kind, name="3") is None
    assert ledger.note_label("default", label) == label
    assert ledger.note_label("default", Label(kind, "3", "b" * 64)) == label
    assert ledger.find_label("other", kind=kind, name="3") is None
