"""The columns of the stages are documented where their readers look."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from eval_pipeline.text_eval import tables

PAGE = (Path(__file__).parents[2] / "docs" / "text-evaluation.md").read_text(encoding="utf-8")
DOCUMENTED = PAGE.partition("| stage | columns |")[2].partition("\n\n")[0]
SCHEMAS = {name.lower(): schema for name, schema in vars(tables).items() if isinstance(schema, pa.Schema)}


@pytest.mark.parametrize("stage", SCHEMAS)
def test_every_column_is_documented_in_its_order(stage: str) -> None:
    [row] = re.findall(rf"^\| `{stage}` \| (.+) \|$", DOCUMENTED, re.MULTILINE)

    assert re.findall(r"`([a-z_]+)`", row) == SCHEMAS[stage].names


def test_no_stage_is_documented_that_is_no_table() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", DOCUMENTED, re.MULTILINE)) == set(SCHEMAS)
