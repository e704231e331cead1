"""Rows as Arrow columns, built value by value.

``pa.array`` and ``RecordBatch.from_pylist`` would import pandas to ask whether a list is a Series: half a second and
55 MB of every run, for nothing.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from itertools import accumulate
from typing import Any, Final

import numpy as np
import pyarrow as pa

from eval_pipeline.core.documents import Row

_TYPE_CODES: Final = {pa.int32(): "i", pa.int64(): "q", pa.float32(): "f", pa.float64(): "d"}
_DECIMAL_BYTES: Final = 16
_TIME: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EXACT: Final = Context(prec=38, traps=[Inexact, InvalidOperation])


def build_batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows as one batch; a value that its column cannot hold exactly raises ``ValueError``."""
    batch = pa.RecordBatch.from_arrays([_field_column(rows, field) for field in schema], schema=schema)
    batch.validate(full=True)  # what was built from raw bytes: is it UTF-8, has no decimal too many digits?
    return batch


def _field_column(rows: Sequence[Row], field: pa.Field) -> pa.Array:
    try:
        return build_column([row[field.name] for row in rows], field.type)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"column {field.name!r} of type {field.type} cannot hold a value: {error}") from error


def build_column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return the values as one column, None as null; a type that no stage has goes the way that imports pandas."""
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _build_texts(values).view(kind)
    if pa.types.is_list(kind):
        return _build_lists(values, kind)
    data = _fixed_data(values, kind)
    return pa.array(values, type=kind) if data is None else _build_fixed(values, kind, data=data)


def _fixed_data(values: Sequence[Any], kind: pa.DataType) -> "bytes | array[int] | array[float] | None":
    """Return the bytes of values of a fixed width, nulls as zeros; None for a type that no stage has."""
    if kind in _TYPE_CODES:
        return array(_TYPE_CODES[kind], [0 if value is None else value for value in values])
    if pa.types.is_boolean(kind):
        return _bits(_claim(value) for value in values)
    if pa.types.is_decimal128(kind):
        return b"".join(_decimal_bytes(value, scale=kind.scale) for value in values)
    if kind == _TIME:
        return array("q", [0 if value is None else (value - _EPOCH) // _MICROSECOND for value in values])
    return None


def _build_lists(values: Sequence[Sequence[Any] | None], kind: pa.ListType) -> pa.Array:
    ends = array("i", accumulate((len(value or ()) for value in values), initial=0))
    items = build_column([item for value in values for item in value or ()], kind.value_type)
    return _build_fixed(values, kind, data=ends, children=[items])


def _build_texts(values: Sequence[str | bytes | None]) -> pa.Array:
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def _build_fixed(
    values: Sequence[Any],
    kind: pa.DataType,
    *,
    data: "bytes | array[int] | array[float]",
    children: Sequence[pa.Array] = (),
) -> pa.Array:
    present = pa.py_buffer(_bits(value is not None for value in values)) if None in values else None
    return pa.Array.from_buffers(kind, len(values), [present, pa.py_buffer(data)], children=children)


def _bits(claims: Iterable[bool]) -> bytes:
    return np.packbits(np.fromiter(claims, dtype=bool), bitorder="little").tobytes()


def _claim(value: object) -> bool:
    if value is None or isinstance(value, bool | np.bool_):
        return bool(value)
    raise TypeError(f"{value!r} is neither true nor false")


def _decimal_bytes(value: Decimal | None, *, scale: int) -> bytes:
    """Return the number without its point, as Arrow keeps it; digits beyond the scale raise."""
    shifted = _EXACT.to_integral_exact(_EXACT.scaleb(value or Decimal(0), scale))
    return int(shifted).to_bytes(_DECIMAL_BYTES, "little", signed=True)
