import doctest
import json
from dataclasses import replace
from itertools import count, islice

import pyarrow as pa

from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.golden import row as golden_row
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline.text_eval.stages.dataset import expand


def rows(number: int) -> list[GoldenRow]:
    return [
        GoldenRow(
            line=7 * place, question=f"Q{place}", answer=f"A{place}", category=None, metadata={"नोट": f"n{place}"}
        )
        for place in range(1, number + 1)
    ]


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(golden_row)

    assert result.attempted
    assert not result.failed


def test_the_repeats_of_a_question_stand_side_by_side_and_ids_count_usable_rows() -> None:
    assert [row["item_id"] for row in expand(rows(2), repeats=3)] == [
        "q000001#1",
        "q000001#2",
        "q000001#3",
        "q000002#1",
        "q000002#2",
        "q000002#3",
    ]


def test_items_are_rows_of_the_stage_dataset() -> None:
    table = pa.Table.from_pylist(list(expand(rows(2), repeats=1)), schema=tables.DATASET)

    assert table.to_pylist()[1] == {
        "item_id": "q000002#1",
        "question_id": "q000002",
        "repeat": 1,
        "question": "Q2",
        "golden_answer": "A2",
        "category": None,
        "metadata": '{"नोट":"n2"}',
        "line": 14,
        "golden_alternatives": None,
        "turns": None,
        "contexts": None,
    }
    assert json.loads(table.to_pylist()[1]["metadata"]) == {"नोट": "n2"}


def test_items_come_one_by_one() -> None:
    endless = (rows(1)[0] for _ in count())

    assert [row["question_id"] for row in islice(expand(endless, repeats=2), 3)] == ["q000001", "q000001", "q000002"]


def test_a_row_keeps_its_own_id_as_it_is_written_and_providers_get_another() -> None:
    odd = [replace(row, id=own) for row, own in zip(rows(3), ("../etc/pass\nwd", None, "001"), strict=True)]
    items = list(expand(odd, repeats=1))

    assert [item["question_id"] for item in items] == ["../etc/pass\nwd", "q000002", "001"]
    assert [item["item_id"] for item in items] == ["q000001#1", "q000002#1", "q000003#1"]
