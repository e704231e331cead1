"""What an item is asked: its question, behind the earlier turns that its row has, as the request has them.

Stages that an earlier version made have no column of turns; they are asked as they were.
"""

from collections.abc import Iterator

import orjson

from eval_pipeline.core.documents import Json, JsonDict, Row
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.turns import Input, input_of, read_turns
from eval_pipeline.text_eval.spec import TextSpec

_ASKED = ("item_id", "question", "turns")


def asked_columns(dataset: StageReader) -> list[str]:
    """Name the columns of ``dataset`` that a request is made from, as far as it has them."""
    return [name for name in _ASKED if name in dataset.manifest.columns]


def input_in(row: Row) -> Input:
    """Return what an item's request has under ``input``."""
    turns = row.get("turns")
    return str(row["question"]) if turns is None else input_of(str(row["question"]), read_turns(orjson.loads(turns)))


def asked(dataset: StageReader, *, rows: int) -> Iterator[tuple[str, Input]]:
    """Yield every item with what it is asked, in order, so many rows at once."""
    names = asked_columns(dataset)
    for table in dataset.batches(names, rows=rows):
        columns = [table.column(name).to_pylist() for name in names]
        ids, questions = columns[:2]
        if len(columns) == 2 or not any(columns[2]):  # noqa: PLR2004 - most datasets have no turns
            yield from zip(ids, questions, strict=True)
            continue
        for values in zip(*columns, strict=True):
            row = dict(zip(names, values, strict=True))
            yield row["item_id"], input_in(row)


def request_body(spec: TextSpec, given: Input) -> JsonDict:
    """Return the body of one request: the frozen model body as given, and what is asked as input."""
    body: Json = spec.model_body
    return {**body, "input": given}
