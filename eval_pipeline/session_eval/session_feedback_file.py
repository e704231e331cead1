"""What people think of messages as a spreadsheet: written to be looked through and filled in, and read back.

A row with a bad cell refuses the file. A row about a message that is another one by now is refused alone: what it says
is true of the message that was there.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback_words import checked_comment, checked_reviewer
from eval_pipeline.core.names import shown
from eval_pipeline.core.sessions import SessionScope, SessionThumb
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.table_file import open_table
from eval_pipeline.intake.workbook import is_workbook, sheet_rows
from eval_pipeline.reporting.csv_safety import undefused
from eval_pipeline.runs.dataset_adding import private_copy
from eval_pipeline.session_eval import session_store
from eval_pipeline.session_eval.session_feedback import message_digest, standing
from eval_pipeline.session_eval.sessions.times import read_time
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.wiring.deployment import Deployment

FEEDBACK: Final = Purpose(
    noun="file of feedback", required=("session_id", "message_index"), code="invalid_feedback_file"
)
COLUMNS: Final = (
    *("session_id", "message_index", "rating", "comment", "author", "time"),
    *("role", "message", "message_id", "message_sha256", "orphaned"),
)
_LIKES: Final = frozenset({"like", "liked", "likes", "1", "+1", "up", "thumbs up", "👍", "yes", "good"})
_DISLIKES: Final = frozenset({"dislike", "disliked", "dislikes", "-1", "down", "thumbs down", "👎", "no", "bad"})
_CLEARS: Final = frozenset({"clear", "cleared", "0", "none"})
_MESSAGE_CHARACTERS: Final = 2_000
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class ImportedFeedback:
    """What an import came to."""

    recorded: int
    unchanged: int
    """Rows that say what stands already, or nothing."""
    conflicts: tuple[str, ...]
    """Rows about messages that are gone or others by now; nothing of them is recorded."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that says something."""

    line: int
    session_id: str
    index: int
    rating: int | None
    comment: str | None
    author: str
    said_at: datetime
    sha256: str | None


def import_feedback(deployment: Deployment, project: str, path: Path, *, author: str) -> ImportedFeedback:
    """Record what a CSV or workbook says; a row whose ``rating`` is empty says nothing.

    Args:
        deployment: where the sessions are.
        project: whose they are.
        path: the file; columns ``session_id``, ``message_index`` and ``rating`` (like, dislike, clear), and any of
            ``comment``, ``author``, ``time``, ``message_sha256``.
        author: who says it where a row names nobody.
    """
    with temporary_folder() as folder:
        copy = folder / "feedback"
        private_copy(path, copy, limit_bytes=deployment.settings.max_file_bytes)
        rows, silent = _read_all(copy, name=path.name, author=checked_reviewer(author))
    messages = _messages(deployment, project, {row.session_id for row in rows})
    entries: list[SessionThumb] = []
    conflicts: list[str] = []
    for row in rows:
        found = _entry(row, messages)
        if isinstance(found, str):
            conflicts.append(f"line {row.line:,}: {found}")
        else:
            entries.append(found)
    stands = {
        (one.thumb.session_id, one.thumb.message_index, one.thumb.message_sha256, one.thumb.author): one.thumb
        for one in standing(deployment.ledger.thumbs(project=project, session_ids=list(messages)))
    }
    new = [one for one in entries if not _is_known(one, stands)]
    deployment.ledger.add_thumbs(project=project, thumbs=new)
    return ImportedFeedback(len(new), silent + len(entries) - len(new), tuple(conflicts))


def _is_known(entry: SessionThumb, stands: Mapping[tuple[str, int, str, str], SessionThumb]) -> bool:
    known = stands.get((entry.session_id, entry.message_index, entry.message_sha256, entry.author))
    if known is None:
        return entry.rating is None
    return (known.rating, known.comment) == (entry.rating, entry.comment)


def _entry(row: _Row, messages: Mapping[str, list[JsonDict]]) -> SessionThumb | str:
    said = messages.get(row.session_id)
    if said is None:
        return f"there is no session {shown(row.session_id)}"
    if not 0 <= row.index < len(said):
        return f"session {shown(row.session_id)} has no message {row.index:,}; it has {len(said):,}, from 0 on"
    digest = message_digest(said[row.index])
    if row.sha256 not in (None, digest):
        return f"message {row.index:,} of session {shown(row.session_id)} is another one by now: export again"
    return SessionThumb(
        session_id=row.session_id,
        message_index=row.index,
        message_id=said[row.index].get("id"),
        message_sha256=digest,
        rating=row.rating,
        comment=row.comment,
        author=row.author,
        said_at=row.said_at,
    )


def _messages(deployment: Deployment, project: str, session_ids: set[str]) -> dict[str, list[JsonDict]]:
    stored = session_store.each(deployment, project, SessionScope(session_ids=sorted(session_ids)))
    return {one.session_id: document["messages"] for one, document in session_store.documents(deployment, stored)}


def _read_all(path: Path, *, name: str, author: str) -> tuple[list[_Row], int]:
    """Return the rows that say something, and how many say nothing; a bad row refuses the file."""
    found: list[_Row] = []
    problems: list[str] = []
    silent = 0
    now = datetime.now(UTC)
    for line, cells in _rows(path, name=name):
        try:
            row = cells if isinstance(cells, str) else _row(line, cells, author=author, now=now)
        except UsageError as error:
            row = error.message
        if isinstance(row, str):
            problems.append(f"line {line:,}: {row}")
        elif row is None:
            silent += 1
        else:
            found.append(row)
    if problems:
        more = f"\nand {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        raise FEEDBACK.refuse(
            "\n".join(problems[:_SHOWN]) + more, hint="mend these rows and import again; nothing was recorded"
        )
    return found, silent


def _rows(path: Path, *, name: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    if is_workbook(path, name=name):
        yield from sheet_rows(path, FEEDBACK)
        return
    table = open_table(path, FEEDBACK, name=name)
    if table.delimiter is None:
        raise FEEDBACK.refuse("it is JSON Lines", hint="give a CSV or .xlsx file")
    with table.lines() as lines:
        records = CsvRecords(lines, delimiter=table.delimiter, purpose=FEEDBACK)
        names = records.take_header()
        for line, cells in records:
            if isinstance(cells, SkippedRow):
                yield cells.line, cells.reason
            elif problem := row_problem(cells, width=len(names), has_nul=table.form.has_nul):
                yield line, problem
            else:
                yield line, dict(zip(names, cells, strict=False))


def _row(line: int, cells: Mapping[str, str], *, author: str, now: datetime) -> _Row | str | None:
    said = unicodedata.normalize("NFC", cells.get("rating", "").strip().casefold())
    if not said:
        return None
    if said not in _LIKES | _DISLIKES | _CLEARS:
        return f"rating is {shown(said)}: write like, dislike or clear"
    place = cells["message_index"].strip()
    if not place.isdecimal():
        return f"message_index is {shown(place)}: write the place of a message, from 0"
    time = cells.get("time", "").strip()
    moment = read_time(time) if time else now
    if moment is None:
        return f"time is {shown(time)}: write it as 2026-01-04T20:00:00Z, or leave it empty"
    named = undefused(cells.get("author", "")).strip()
    return _Row(
        line=line,
        session_id=undefused(cells["session_id"]).strip(),
        index=int(place),
        rating=1 if said in _LIKES else -1 if said in _DISLIKES else None,
        comment=checked_comment(undefused(cells.get("comment", ""))),
        author=checked_reviewer(named) if named else author,
        said_at=moment,
        sha256=cells.get("message_sha256", "").strip() or None,
    )


def export_feedback(
    deployment: Deployment, project: str, path: Path, *, session_ids: list[str] | None, bom: bool
) -> int:
    """Write what stands to a file, and of named sessions every message of assistants too, to be filled in."""
    import pyarrow as pa  # noqa: PLC0415 - only where a table is written

    from eval_pipeline.reporting.export_files import export_format, write_table  # noqa: PLC0415 - the same

    kinds = {"message_index": pa.int64(), "orphaned": pa.bool_()}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in COLUMNS])
    file_format = export_format(path)
    rows = _exported(deployment, project, session_ids)
    return write_table(rows, schema, path=path, file_format=file_format, bom=bom)


def _exported(deployment: Deployment, project: str, session_ids: list[str] | None) -> Iterator[JsonDict]:
    said: dict[str, list[SessionThumb]] = {}
    for stands in standing(deployment.ledger.thumbs(project=project, session_ids=session_ids)):
        said.setdefault(stands.thumb.session_id, []).append(stands.thumb)
    named = said if session_ids is None else session_ids
    stored = session_store.each(deployment, project, SessionScope(session_ids=list(named)))
    for one, document in session_store.documents(deployment, stored):
        thumbs = said.get(one.session_id, [])
        spoken = {thumb.message_index for thumb in thumbs if not thumb.is_orphaned}
        for thumb in thumbs:
            yield _written(one.session_id, document["messages"], thumb.message_index, thumb)
        for index, message in enumerate(document["messages"] if session_ids is not None else ()):
            if message["role"] == "assistant" and message.get("content") and index not in spoken:
                yield _written(one.session_id, document["messages"], index, None)


def _written(session_id: str, messages: list[JsonDict], index: int, thumb: SessionThumb | None) -> JsonDict:
    there = thumb is None or not thumb.is_orphaned
    message = messages[index] if there and index < len(messages) else {}
    content = message.get("content")
    text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content or ())
    words = {1: "like", -1: "dislike"}
    return {
        "session_id": session_id,
        "message_index": index,
        "rating": None if thumb is None else words.get(thumb.rating or 0, "clear"),
        "comment": None if thumb is None else thumb.comment,
        "author": None if thumb is None else thumb.author,
        "time": None if thumb is None else thumb.said_at.isoformat(),
        "role": message.get("role"),
        "message": text[:_MESSAGE_CHARACTERS] or None,
        "message_id": message.get("id") if thumb is None else thumb.message_id,
        "message_sha256": message_digest(message) if thumb is None else thumb.message_sha256,
        "orphaned": thumb is not None and thumb.is_orphaned,
    }
