from dataclasses import replace
from typing import Any

import pytest

from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline.storage.ledger_datasets import USING_STATES
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.storage.records import KEY, MOMENT, a_dataset, a_run


def listed(ledger: SqlLedger, **choice: Any) -> tuple[list[str], int]:  # noqa: ANN401 - filters of many types
    chosen = {"project": "default", "kind": None, "max_unique_rows": None, "limit": 10, "offset": 0, **choice}
    page = ledger.list_datasets(**chosen)
    return [dataset.name for dataset in page.items], page.total


def found(ledger: SqlLedger, version: str | None = None, name: str = "golden") -> DatasetVersion:
    return ledger.find_dataset(project="default", name=name, version=version)


def test_a_dataset_is_found_as_it_was_added(ledger: SqlLedger) -> None:
    assert ledger.add_dataset(a_dataset()) == a_dataset()
    assert found(ledger) == a_dataset()


def test_the_same_bytes_under_the_same_name_are_the_same_version(ledger: SqlLedger) -> None:
    ledger.add_dataset(a_dataset())

    assert ledger.add_dataset(a_dataset(description="again", duplication_factor=5)) == a_dataset()
    assert len(ledger.dataset_versions(project="default", name="golden")) == 1


def test_new_bytes_under_an_old_name_are_a_new_version_even_when_the_clock_was_set_back(ledger: SqlLedger) -> None:
    old = ledger.add_dataset(a_dataset())
    new = ledger.add_dataset(a_dataset(content="more", created_at=MOMENT.replace(year=2001)))

    assert ledger.dataset_versions(project="default", name="golden") == [new, old]
    assert found(ledger) == new
    assert found(ledger, old.version) == old
    assert found(ledger, old.version[:8].upper()) == old


def add_one(url: str) -> str:
    ledger = open_ledger(url)
    added = ledger.add_dataset(a_dataset())
    ledger.close()
    return added.version


def test_processes_that_add_the_same_bytes_at_once_get_the_same_version(ledger: SqlLedger, ledger_url: str) -> None:
    assert set(all_at_once(add_one, ledger_url, processes=4)) == {a_dataset().version}
    assert len(ledger.dataset_versions(project="default", name="golden")) == 1


@pytest.mark.parametrize("version", ["0" * 64, a_dataset().version[:7], "%" * 8, "_" * 8, ""])
def test_an_unknown_or_too_short_version_is_not_found_and_the_known_ones_are_named(
    ledger: SqlLedger, version: str
) -> None:
    ledger.add_dataset(a_dataset())

    with pytest.raises(NotFoundError, match="there is no version") as caught:
        found(ledger, version)

    assert caught.value.code == "dataset_not_found"
    assert a_dataset().version[:12] in caught.value.hint


def test_a_version_that_means_two_is_refused(ledger: SqlLedger) -> None:
    for tail in "12":
        ledger.add_dataset(a_dataset(version="ab" * 31 + "c" + tail))

    with pytest.raises(UsageError, match="is ambiguous") as caught:
        found(ledger, "ab" * 6)

    assert caught.value.code == "dataset_version_ambiguous"


def test_a_misspelt_name_brings_the_close_ones(ledger: SqlLedger) -> None:
    for name in ("Golden questions", "Golden answers", "प्रश्न"):
        ledger.add_dataset(a_dataset(name))

    with pytest.raises(NotFoundError, match="has no dataset 'golden qestions'") as caught:
        found(ledger, name="golden qestions")

    assert caught.value.code == "dataset_not_found"
    assert "did you mean 'Golden questions'" in caught.value.hint


def test_a_name_like_no_other_brings_no_guess(ledger: SqlLedger) -> None:
    with pytest.raises(NotFoundError) as caught:
        found(ledger, name="anything")

    assert "did you mean" not in caught.value.hint
    assert "eval-pipeline dataset list" in caught.value.hint


def test_newest_versions_are_listed_newest_first_filtered_before_paging_with_the_total(ledger: SqlLedger) -> None:
    for number in range(6):
        kind = DatasetKind.STT if number == 4 else DatasetKind.TEXT
        ledger.add_dataset(a_dataset(f"d{number}", kind=kind, original_items_count=10 * number))
    ledger.add_dataset(a_dataset("d0", content="grown", original_items_count=1000))
    ledger.add_dataset(a_dataset("other", project="lab"))

    assert listed(ledger) == (["d0", "d5", "d4", "d3", "d2", "d1"], 6)
    assert listed(ledger, max_unique_rows=20) == (["d2", "d1"], 2)
    assert listed(ledger, kind=DatasetKind.TEXT, limit=2, offset=1) == (["d5", "d3"], 5)
    assert listed(ledger, limit=5, offset=5) == (["d1"], 6)
    assert listed(ledger, offset=99) == ([], 6)


def test_a_deleted_version_is_hidden_and_the_one_before_it_is_the_newest_again(ledger: SqlLedger) -> None:
    old = ledger.add_dataset(a_dataset())
    new = ledger.add_dataset(a_dataset(content="more"))

    assert ledger.delete_dataset(project="default", name="golden", version=new.version[:10]) == 1
    assert found(ledger) == old
    assert listed(ledger) == (["golden"], 1)


def test_deleting_a_dataset_hides_all_its_versions(ledger: SqlLedger) -> None:
    ledger.add_dataset(a_dataset())
    ledger.add_dataset(a_dataset(content="more"))

    assert ledger.delete_dataset(project="default", name="golden", version=None) == 2
    assert listed(ledger) == ([], 0)
    with pytest.raises(NotFoundError):
        ledger.delete_dataset(project="default", name="golden", version=None)


def test_a_deleted_version_can_be_added_again_and_is_then_the_newest(ledger: SqlLedger) -> None:
    first = ledger.add_dataset(a_dataset())
    ledger.add_dataset(a_dataset(content="more"))
    ledger.delete_dataset(project="default", name="golden", version=first.version)
    again = replace(first, description="again")

    assert ledger.add_dataset(again) == again
    assert found(ledger) == again


@pytest.mark.parametrize("state", list(RunState))
def test_a_dataset_is_kept_while_a_run_that_has_not_ended_uses_it(ledger: SqlLedger, state: RunState) -> None:
    ledger.add_dataset(a_dataset())
    ledger.claim_run(a_run(state=state))

    if state in USING_STATES:
        with pytest.raises(ConflictError, match=rf"used by 1 run not ended: 'first' \({state}\)") as caught:
            ledger.delete_dataset(project="default", name="golden", version=None)
        assert caught.value.code == "dataset_in_use"
        assert found(ledger) == a_dataset()
    else:
        assert ledger.delete_dataset(project="default", name="golden", version=None) == 1


def test_a_run_keeps_only_the_version_that_it_uses(ledger: SqlLedger) -> None:
    ledger.add_dataset(a_dataset())
    other = ledger.add_dataset(a_dataset(content="more"))
    for number in range(5):
        ledger.claim_run(a_run(f"r{number}"))

    assert ledger.delete_dataset(project="default", name="golden", version=other.version) == 1
    with pytest.raises(ConflictError, match=r"5 runs not ended: 'r0' .*'r2' \(requested\) and 2 more"):
        ledger.delete_dataset(project="default", name="golden", version=None)


def test_a_run_of_another_project_does_not_keep_a_dataset(ledger: SqlLedger) -> None:
    ledger.add_dataset(a_dataset())
    ledger.claim_run(a_run(project="lab"))

    assert ledger.delete_dataset(project="default", name="golden", version=None) == 1
    assert ledger.find_run(flow=Flow.TEXT, key=KEY) is None
