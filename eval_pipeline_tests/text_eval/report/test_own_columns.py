import doctest

import pytest

from eval_pipeline.text_eval.report import own_columns as module
from eval_pipeline.text_eval.report.own_columns import own_columns, own_id


def test_the_examples_in_the_documentation_hold() -> None:
    assert not doctest.testmod(module).failed


@pytest.mark.parametrize("name", ["id", "row_id", "qid", "no", "s.no", "क्रमांक"])
def test_how_people_number_their_rows_is_known(name: str) -> None:
    assert own_id(f'{{"{name}": " Q-04 "}}') == "Q-04"


def test_columns_are_shown_in_their_order_without_empty_ones_and_clipped() -> None:
    shown = own_columns('{"id": "Q-04", "empty": " ", "note": "' + "x" * 400 + '"}')

    assert list(shown) == ["id", "note"]
    assert len(shown["note"]) <= 301
