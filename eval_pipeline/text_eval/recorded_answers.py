"""Answers that exist already: found before a run is claimed, and brought to its items when their stage is made.

They come with the dataset, or in a file that the run keeps a copy of. Nobody is called, nothing is paid.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import orjson
import pyarrow as pa

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.counting import counted
from eval_pipeline.core.datasets import DatasetVersion, SkippedRow
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemRecord, settle
from eval_pipeline.core.passages import Passage, passages_json, read_passages
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.recorded import RECORDED, AnswersIn, RecordedAnswers
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.claims import HandedFile, handed_file_key
from eval_pipeline.runs.dataset_adding import private_copy, working_folder
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.manifests import sha256_of
from eval_pipeline.text_eval.golden.answer_rows import read_answers
from eval_pipeline.text_eval.golden.matching import Key, MatchedBy, answer_key, golden_key, match_answers
from eval_pipeline.text_eval.golden.recorded import RecordedAnswer
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline.text_eval.golden_store import golden_rows, require_manifest
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.deployment import Deployment

_ROWS_AT_ONCE = 500
_NOTHING_PAID = ItemCost(Decimal(0))
Answer = tuple[RecordedAnswer, tuple[Passage, ...] | None]


@dataclass(frozen=True, slots=True)
class FoundAnswers:
    """Recorded answers that a run would take."""

    frozen: RecordedAnswers
    repeats: int
    model: str
    """Who answered, as far as that was recorded."""
    handed_in: HandedFile | None
    notes: tuple[dict[str, str], ...]


def find_answers(request: TextRequest, *, dataset: DatasetVersion, deployment: Deployment) -> FoundAnswers | None:
    """Find the recorded answers that a request names, or its dataset has; None where a model is to be asked."""
    if request.answers is not None:
        if request.provider is not None:
            raise invalid_config(
                "answers are recorded, and provider names somebody to be asked", "leave one of the two out"
            )
        return _in_file(request.answers, request.answers_sheet, dataset=dataset, deployment=deployment)
    if request.answers_sheet is not None:
        raise invalid_config("answers_sheet names a sheet, and answers no workbook", "give the file: answers")
    manifest = require_manifest(deployment.objects, dataset)
    named = (request.model, request.provider, request.instructions, request.model_body)
    if not manifest.recorded_count or any(value is not None for value in named):
        return None
    return _in_dataset(dataset, count=manifest.recorded_count, deployment=deployment)


def _in_dataset(dataset: DatasetVersion, *, count: int, deployment: Deployment) -> FoundAnswers:
    models = dict.fromkeys(
        row.recorded.model
        for row in golden_rows(deployment.objects, dataset)
        if row.recorded is not None and row.recorded.model
    )
    missing = dataset.original_items_count - count
    told = f"the answers are those of the dataset's column model_answer, {count:,} of {dataset.original_items_count:,}"
    notes = [_note("answers_recorded", f"{told}; nobody is asked", "to ask a model instead, name it: --model NAME")]
    return FoundAnswers(
        RecordedAnswers(AnswersIn.DATASET, count),
        repeats=1,
        model=_model(tuple(filter(None, models))),
        handed_in=None,
        notes=(*notes, *_missing(missing)),
    )


def _in_file(given: str, sheet: str | None, *, dataset: DatasetVersion, deployment: Deployment) -> FoundAnswers:
    path = Path(given)
    if path.is_fifo():
        raise invalid_config(f"{path} is a pipe, which can be read once", "give a file: the run keeps a copy of it")
    manifest = require_manifest(deployment.objects, dataset)
    with working_folder() as folder:
        copy = folder / "answers"
        digest = private_copy(path, copy, limit_bytes=deployment.settings.max_file_bytes)
        match = match_answers(
            read_answers(copy, name=path.name, sheet=sheet).entries,
            golden_rows(deployment.objects, dataset),
            names_rows=manifest.names_rows,
        )
        size_bytes = copy.stat().st_size
    frozen = RecordedAnswers(
        AnswersIn.FILE,
        match.answers,
        name=path.name,
        sha256=digest,
        size_bytes=size_bytes,
        matched_by=str(match.by),
        surplus=match.surplus.count,
        surplus_lines=tuple(match.surplus.first),
        sheet=sheet,
    )
    surplus = (
        [
            _note(
                "answers_surplus",
                f"{counted(match.surplus.count, 'answer', verb=('is', 'are'))} to nothing in the dataset and left out: "
                f"{match.surplus}",
                f"they were looked for by {match.by}",
            )
        ]
        if match.surplus.count
        else []
    )
    return FoundAnswers(
        frozen,
        repeats=match.repeats,
        model=_model(match.models),
        handed_in=HandedFile(path, name=frozen.file_name, sha256=digest),
        notes=(*surplus, *_missing(dataset.original_items_count - match.questions)),
    )


def _missing(count: int) -> list[dict[str, str]]:
    if count <= 0:
        return []
    told = counted(count, "question", verb=("has", "have"))
    return [_note("answers_missing", f"{told} no recorded answer and will be missing", "they count as failed")]


def _note(code: str, message: str, hint: str) -> dict[str, str]:
    return {"code": code, "message": message, "hint": hint}


def _model(models: tuple[str, ...]) -> str:
    return models[0] if len(models) == 1 else RECORDED


def make_recorded(
    task: Task,
    *,
    spec: TextSpec,
    dataset: StageReader,
    schema: pa.Schema,
    read: Callable[[ItemRecord], ItemRecord],
    row: Callable[[ItemRecord, ItemCost], JsonDict],
    own: Callable[[], JsonDict],
) -> StageReader:
    """Make the stage of answers from what was recorded; an item that nothing was recorded for is ``missing``."""
    deployment, ref = task.deployment, task.ref("responses")
    inputs = {"dataset": dataset}
    with at_work(deployment, ref, schema=schema, inputs=inputs, dagster_run_id=task.dagster_run_id) as held:
        tally = RecordTally(threshold=spec.failure_threshold, model=spec.model)

        def rows() -> Iterator[JsonDict]:
            for record in map(read, _records(task, spec, dataset)):
                tally.add(record, _NOTHING_PAID)
                yield row(record, _NOTHING_PAID)

        for some in chunks(rows(), size=_ROWS_AT_ONCE):
            held.files.append(some)
        told = tally.summary(rate=RECORDED)
        calls = replace(told.calls, items_without_usage=0, unpriced_items=0)
        held.files.finish(replace(told, mode=str(spec.mode), requests=0, calls=calls, own=own()).to_json())
    return deployment.stages.open(ref)


def _records(task: Task, spec: TextSpec, dataset: StageReader) -> Iterator[ItemRecord]:
    """Yield the record of every item in the order of the dataset."""
    version = task.deployment.ledger.pinned_dataset(
        project=task.key.project, name=spec.dataset_name, version=spec.dataset_version
    )
    golden = enumerate(golden_rows(task.deployment.objects, version), start=1)
    items = (row["item_id"] for row in dataset.rows(["item_id"]))
    with _finder(task, spec) as find:
        for number, golden_row in golden:
            for repeat in range(1, spec.repeats + 1):
                yield _record(next(items), find(golden_row, number, repeat))


def _record(item: str, found: Answer | None) -> ItemRecord:
    if found is None:
        return missing_record(item)
    recorded, contexts = found
    attempt = Attempt(  # without the secrets that a log may repeat, as everything that a model says
        AttemptOutcome.OK,
        recorded.answer,
        response_id=recorded.response_id,
        model=recorded.model,
        usage=recorded.usage,
        latency_s=recorded.latency_s,
        thinking=recorded.thinking,
        passages=contexts,
    )
    return settle(item, attempt, attempts=0)


Find = Callable[[GoldenRow, int, int], Answer | None]


@contextmanager
def _finder(task: Task, spec: TextSpec) -> Iterator[Find]:
    """Give what finds the answer to an asking of a row."""
    frozen = spec.recorded
    if frozen is None or frozen.source is AnswersIn.DATASET:
        yield lambda row, _, repeat: (row.recorded, row.contexts) if row.recorded and repeat == 1 else None
        return
    key, by = handed_file_key(task.flow, task.key, frozen.file_name), MatchedBy(frozen.matched_by)
    with task.deployment.objects.local_copy(key) as path, TemporaryFile() as spool:
        if sha256_of(path) != frozen.sha256:
            raise ConflictError(
                f"the recorded answers of run {task.key.partition} are not those that it was specified with",
                code="answers_changed",
                hint=f"restore {task.deployment.objects.url(key)} from a backup",
            )
        index = _spooled(path, frozen, by, spool)

        def find(row: GoldenRow, number: int, repeat: int) -> Answer | None:
            place = index.get((golden_key(row, number=number, by=by), repeat))
            return None if place is None else _read_back(spool, *place)

        yield find


def _spooled(path: Path, frozen: RecordedAnswers, by: MatchedBy, spool: IO[bytes]) -> dict[Key, tuple[int, int]]:
    """Write the answers aside, and return where each is: their texts are not held."""
    index: dict[Key, tuple[int, int]] = {}
    for entry in read_answers(path, name=frozen.name, sheet=frozen.sheet).entries():
        if isinstance(entry, SkippedRow) or entry.recorded is None:
            continue
        key = answer_key(entry, by=by)
        if key is not None:
            line = orjson.dumps([entry.recorded.to_json(), passages_json(entry.contexts)])
            index[key] = (spool.tell(), len(line))
            spool.write(line)
    return index


def _read_back(spool: IO[bytes], offset: int, length: int) -> Answer:
    spool.seek(offset)
    recorded, contexts = orjson.loads(spool.read(length))
    return RecordedAnswer.from_json(recorded), read_passages(contexts)
