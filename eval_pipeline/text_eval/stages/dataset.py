"""Freezes the items of a run: golden rows times repeats, with ids that never change again."""

from collections import Counter
from collections.abc import Iterable, Iterator

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.passages import passages_json
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.golden.row import GoldenRow, numbered_id, question_id
from eval_pipeline.text_eval.golden_store import golden_rows
from eval_pipeline.text_eval.spec import TextSpec

ROWS_AT_ONCE = 2_000


def make(task: Task, *, spec: StageReader) -> StageReader:
    """Pin the dataset version and expand its repeats; from here on, ids never change."""
    deployment, ref = task.deployment, task.ref("dataset")
    with at_work(
        deployment, ref, schema=tables.DATASET, inputs={"spec": spec}, dagster_run_id=task.dagster_run_id
    ) as stage:
        pinned = TextSpec.from_json(stage.run.spec)
        version = deployment.ledger.pinned_dataset(
            project=task.key.project, name=pinned.dataset_name, version=pinned.dataset_version
        )
        rows = expand(golden_rows(deployment.objects, version), repeats=pinned.repeats)
        optional: Counter[str] = Counter()
        for chunk in chunks(rows, size=ROWS_AT_ONCE):
            stage.files.append(chunk)
            optional.update(name for row in chunk for name in tables.OPTIONAL_OF_DATASET if row[name] is not None)
        stage.files.finish(
            {
                "dataset": version.name,
                "dataset_version": version.version,
                "original_items_count": pinned.original_items_count,
                "total_items_count": pinned.total_items_count,
                "duplication_factor": pinned.repeats,
                "skipped_rows_count": version.skipped_rows_count,
                "skipped_rows": [{"line": row.line, "reason": row.reason} for row in version.skipped_rows],
                "encoding": version.encoding,
                "warnings": list(version.warnings),
                "optional": dict(optional),
            }
        )
    return deployment.stages.open(ref)


def item_id(question: str, *, repeat: int) -> str:
    """Name one asking of a question for ourselves and for providers, which take no ids that people chose.

    The first repeat is 1. What people see is the question's own id with the repeat (``WalkedItem.shown_id``).
    """
    return f"{question}#{repeat}"


def expand(rows: Iterable[GoldenRow], *, repeats: int) -> Iterator[JsonDict]:
    """Yield rows of ``tables.DATASET``; the repeats of a question stand side by side."""
    for number, row in enumerate(rows, start=1):
        metadata = orjson.dumps(row.metadata).decode()
        turns = [turn.to_json() for turn in row.turns]
        for repeat in range(1, repeats + 1):
            yield {
                "item_id": item_id(numbered_id(number), repeat=repeat),
                "question_id": question_id(row, number=number),
                "repeat": repeat,
                "question": row.question,
                "golden_answer": row.answer,
                "category": row.category,
                "metadata": metadata,
                "line": row.line,
                "golden_alternatives": _json(row.alternatives) if row.alternatives else None,
                "turns": _json(turns) if turns else None,
                "contexts": None if row.contexts is None else _json(passages_json(row.contexts)),
            }


def _json(values: object) -> str:
    return orjson.dumps(values).decode()
