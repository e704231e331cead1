import math
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from eval_pipeline.storage.columns import build_batch, build_column

COST = pa.decimal128(38, 18)
LARGEST = Decimal("99999999999999999999.999999999999999999")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.string(), ["", None, "ü\0", "उत्तर", "\U0001f600", "a\u2028b"]),
        (pa.binary(), [b"", None, b"\xff\0\n"]),
        (pa.int32(), [2**31 - 1, None, -(2**31)]),
        (pa.int64(), [2**63 - 1, None, -(2**63), 0]),
        (pa.float64(), [0.1, None, math.inf, -0.0, 5e-324, 1.7976931348623157e308]),
        (pa.bool_(), [True, None, False] * 7),
        (
            COST,
            [
                Decimal("1.5"),
                None,
                Decimal("1E-18"),
                Decimal("-0.000001"),
                LARGEST,
                LARGEST.copy_negate(),
                Decimal("1E+3"),
            ],
        ),
        (pa.list_(pa.float32()), [[0.5], None, [], [0.1, None]]),
        (pa.list_(pa.binary()), [[b"", None], None, [], [b"\xff", b"ab"]]),
        (pa.list_(pa.list_(pa.string())), [[["a", "ü"], [], None], None]),
        (
            pa.timestamp("us", tz="UTC"),
            [datetime(2026, 1, 4, 20, 0, 0, 1, UTC), None, datetime(1969, 12, 31, tzinfo=UTC)],
        ),
    ],
    ids=str,
)
def test_a_column_is_what_pyarrow_itself_would_build(kind: pa.DataType, values: list[Any]) -> None:
    for given in (values, [value for value in values if value is not None], [None, None], []):
        built = build_column(given, kind)

        built.validate(full=True)
        assert built.equals(pa.array(given, type=kind))


def test_numbers_of_numpy_are_numbers() -> None:
    assert build_column([np.float64(0.1), math.nan], pa.float64())[0].as_py() == 0.1
    assert build_column([np.int64(7)], pa.int64()).to_pylist() == [7]
    assert build_column([np.True_, np.False_], pa.bool_()).to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.string(), 5),
        (pa.string(), "\ud800"),
        (pa.string(), b"\xff"),
        (pa.int32(), 2**31),
        (pa.int64(), 2**63),
        (pa.int64(), "1"),
        (pa.int64(), 1.5),
        (pa.float64(), "0.5"),
        (pa.bool_(), 1),
        (COST, Decimal("1E-19")),
        (COST, Decimal("1.2E+20")),
        (COST, Decimal("1E+25")),
        (COST, Decimal("NaN")),
        (COST, 1.5),
    ],
    ids=str,
)
def test_a_value_that_the_column_cannot_hold_exactly_is_refused(kind: pa.DataType, value: object) -> None:
    with pytest.raises(ValueError, match="column"):
        build_batch([{"column": value}], pa.schema([pa.field("column", kind)]))


BUILD_EVERY_KIND = """
import sys
from importlib import import_module
import pyarrow as pa
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.columns import build_column
kinds = {field.type for flow in Flow for schema in vars(import_module(f"eval_pipeline.{flow}.tables")).values()
         if isinstance(schema, pa.Schema) for field in schema}
for kind in kinds:
    build_column([None, None], kind)
print(len(kinds), "pandas" in sys.modules)
"""


def test_no_column_of_any_stage_makes_a_run_import_pandas() -> None:
    """It would take 55 MB and half a second more."""
    command = [sys.executable, "-c", BUILD_EVERY_KIND]
    kinds, imports_pandas = subprocess.check_output(command, text=True, timeout=60).split()

    assert int(kinds) > 5
    assert imports_pandas == "False"
