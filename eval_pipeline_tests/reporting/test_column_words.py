"""Every column that is stored says what it means."""

import pyarrow as pa
import pytest

from eval_pipeline.reporting.column_words import SAYS
from eval_pipeline.stt_eval import tables as stt
from eval_pipeline.text_eval import tables as text


@pytest.mark.parametrize("tables", [text, stt])
def test_every_stored_column_says_what_it_means(tables: object) -> None:
    schemas = [value for value in vars(tables).values() if isinstance(value, pa.Schema)]

    assert schemas
    assert {name for schema in schemas for name in schema.names} - set(SAYS) == set()
