"""Brings files of sessions into a project, whatever they were recorded as.

Formats whose records are sessions go straight on; pieces of sessions (spans, observations) are first laid down until
all files are read, since those of one session may lie anywhere.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from eval_pipeline.core.names import shown
from eval_pipeline.runs.dataset_adding import working_folder
from eval_pipeline.session_eval.session_files import find_files, records_of
from eval_pipeline.session_eval.session_intake import IngestResult, Intake
from eval_pipeline.session_eval.session_spool import Spool
from eval_pipeline.session_eval.sessions.checking import InvalidSessionError, checked_session
from eval_pipeline.session_eval.sessions.importers.detection import IMPORTERS, detect
from eval_pipeline.session_eval.sessions.importers.record import BadLine, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.wiring.deployment import Deployment

AUTO: Final = "auto"
_LOOKED_AT: Final = 20
"""Records of a file that are looked at to find out what it is."""


def ingest(
    deployment: Deployment,
    project: str,
    files: Sequence[str],
    file_format: str = AUTO,
    *,
    on_progress: Callable[[IngestResult], None] = lambda _: None,
) -> IngestResult:
    """Bring sessions of files into a project; what is known is updated, what is broken is told.

    Args:
        deployment: where to.
        project: whose sessions.
        files: paths, folders, or ``-``.
        file_format: of all of them; ``auto`` looks at each.
        on_progress: told whenever something is durable.
    """
    found = find_files(list(files))
    result = IngestResult()
    if found.passed_over:
        result.notes[f"files in folders with other endings were passed over: {found.passed_over:,}"] += 1
    with working_folder() as folder, Intake(deployment, project, result=result, on_progress=on_progress) as intake:
        spool: Spool | None = None
        grouped: dict[int, Importer] = {}
        for place, path in enumerate(found.files):
            importer, records = _importer(path, file_format, result)
            if importer is None:
                continue
            result.formats[str(importer.format)] += 1
            if importer.read is not None:
                _read_whole(importer, records, path, intake)
                continue
            spool = spool or Spool(folder)
            grouped[place] = importer
            _lay_down(importer, records, path, result, lambda piece, at=place, into=spool: into.add(piece, file=at))
        if spool is not None:
            with spool:
                _put_together(spool, grouped, found.files, intake)
    return result


def _importer(path: Path, file_format: str, result: IngestResult) -> tuple[Importer | None, Iterator[Record | BadLine]]:
    """Return who reads a file, and its records; None, and the reason noted, where nobody can."""
    records = records_of(path)
    looked_at: list[Record | BadLine] = []
    for record in records:
        looked_at.append(record)
        is_telling = isinstance(record, Record) and (file_format != AUTO or detect([record]) is not None)
        if len(looked_at) >= _LOOKED_AT or is_telling:
            break
    importer = (
        detect(record for record in looked_at if isinstance(record, Record))
        if file_format == AUTO
        else IMPORTERS[SourceFormat(file_format)]
    )
    if importer is None and any(isinstance(one, Record) for one in looked_at):
        known = ", ".join(IMPORTERS)
        result.refuse(
            str(path), looked_at[0].number, f"it is none of the formats that are known; name it: --format ({known})"
        )
    for bad in looked_at if importer is None else ():
        if isinstance(bad, BadLine):
            result.refuse(str(path), bad.number, bad.reason)
    if not looked_at:
        result.refuse(str(path), 0, "it is empty")
    return importer, chain(_messages_as_one(looked_at, records, importer))


def _messages_as_one(
    looked_at: Sequence[Record | BadLine], records: Iterator[Record | BadLine], importer: Importer | None
) -> Iterator[Record | BadLine]:
    """Give the records; a list of messages is one conversation."""
    first = looked_at[0] if looked_at else None
    one_conversation = (
        importer is not None
        and importer.format in {SourceFormat.OPENAI_CHAT, SourceFormat.OPENAI_RESPONSES}
        and isinstance(first, Record)
        and isinstance(first.value, dict)
        and not importer.recognises({**first.value, "role": None, "type": None})
    )
    if not one_conversation or not isinstance(first, Record):
        yield from looked_at
        yield from records
        return
    whole = list(chain(looked_at, records))
    yield from (one for one in whole if isinstance(one, BadLine))
    values = [one.value for one in whole if isinstance(one, Record)]
    yield Record(first.number, values, first.origin)


def _read_whole(importer: Importer, records: Iterable[Record | BadLine], path: Path, intake: Intake) -> None:
    """Take sessions that are one record each; an id that is there twice is told."""
    assert importer.read is not None
    seen: dict[str, int] = {}
    file = str(path)
    for record in records:
        if isinstance(record, BadLine):
            intake.refuse(file, record.number, record.reason)
            continue
        if record.is_rest:
            continue
        try:
            for imported in importer.read(record):
                session = checked_session(imported.session)
                session_id = session["session_id"]
                if (earlier := seen.setdefault(session_id, record.number)) != record.number:
                    reason = f"session_id {shown(session_id)} is there twice; that of record {earlier:,} was taken"
                    intake.refuse(file, record.number, reason)
                    continue
                intake.take(session, (*imported.notes, record.note) if record.note else imported.notes)
        except InvalidSessionError as error:
            intake.refuse(file, record.number, str(error))
        except NotASessionError as error:
            intake.refuse(file, record.number, str(error))


def _lay_down(
    importer: Importer,
    records: Iterable[Record | BadLine],
    path: Path,
    result: IngestResult,
    add: Callable[..., None],
) -> None:
    assert importer.take_apart is not None
    for record in records:
        if isinstance(record, BadLine):
            result.refuse(str(path), record.number, record.reason)
            continue
        try:
            for piece in importer.take_apart(record):
                add(piece)
        except NotASessionError as error:
            result.refuse(str(path), record.number, str(error))


def _put_together(spool: Spool, grouped: dict[int, Importer], files: Sequence[Path], intake: Intake) -> None:
    for group, place, pieces in spool.sessions():
        put_together = grouped[place].put_together
        assert put_together is not None
        number = pieces[0].number
        try:
            imported = put_together(group, pieces)
            number = imported.number
            intake.take(checked_session(imported.session), imported.notes)
        except (InvalidSessionError, NotASessionError) as error:
            intake.refuse(str(files[place]), number, str(error))
