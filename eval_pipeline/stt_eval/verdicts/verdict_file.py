# ruff: noqa: RUF001 - words of many languages
"""Verdicts in a spreadsheet: the columns that are written for people to fill in, and how filled-in rows are read.

An empty cell, and one that is as it was written, leave what stands as it is: a file which comes back as it was says
nothing new, however much was said meanwhile. Who said the last word is written under names of its own: a row that
somebody changes is not put down to the one before.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from eval_pipeline.core.damaged_text import Damage, damage_of
from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback import UNTOUCHED, Change, ErrorTag, Mark, Untouched, Verdict
from eval_pipeline.core.feedback_words import checked_comment, checked_reviewer, checked_tags, one_form
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.table_file import TableFile
from eval_pipeline.intake.workbook import sheet_rows
from eval_pipeline.reporting.csv_safety import defused, undefused
from eval_pipeline.stt_eval.verdicts.results import Result, Results, shown_digest

VERDICTS: Final = Purpose(noun="file of verdicts", required=("sample", "model"), code="invalid_verdict_file")
SHEET: Final = pa.schema(
    [
        pa.field("sample", pa.string()),
        pa.field("model", pa.string()),
        pa.field("is_correct", pa.string()),
        pa.field("comment", pa.string()),
        pa.field("tags", pa.string()),
        pa.field("reviewer", pa.string()),  # empty: to be filled in
        pa.field("time", pa.string()),  # the same
        pa.field("transcript", pa.string()),
        pa.field("reference", pa.string()),
        pa.field("wer", pa.float64()),
        pa.field("file_name", pa.string()),
        pa.field("entries", pa.int64()),
        pa.field("last_reviewer", pa.string()),
        pa.field("last_time", pa.string()),
        pa.field("earlier_verdict", pa.string()),  # on a transcript that has been replaced since
        pa.field("text_sha256", pa.string()),  # by which a row that comes back knows its transcript
        pa.field("said_by", pa.string()),  # what each person said, where several did
    ]
)
_READ = (
    *("sample", "model", "is_correct", "comment", "tags", "reviewer", "time"),
    *("text_sha256", "transcript", "file_name", "entries"),
)
_DAMAGES = frozenset(Damage) - {Damage.PLACEHOLDER}
_CLEAR = "clear"
_YES = (
    "yes y true 1 correct right ✓ wahr vrai verdadero verdadeiro vero waar doğru истина ja oui sí si sim ndiyo"
    " हाँ हां सही होय बरोबर হ্যাঁ সঠিক હા સાચું ਹਾਂ ਸਹੀ ஆம் சரி అవును సరి ಹೌದು ಸರಿ അതെ ശരി ହଁ ٹھیک ہاں صحیح"
)
_NO = (
    "no n false 0 wrong incorrect ✗ falsch faux falso onwaar yanlış ложь nein non não hapana"
    " नहीं नही ग़लत गलत नाही चूक না ভুল ના ખોટું ਨਹੀਂ ਗਲਤ இல்லை தவறு కాదు తప్పు ಇಲ್ಲ ತಪ್ಪು അല്ല തെറ്റ് ନା ଭୁଲ نہیں غلط"
)
"""As people write it, and as spreadsheets write TRUE and FALSE in the languages they speak."""
_SAID: Mapping[str, bool | Untouched | None] = {
    "": UNTOUCHED,
    **dict.fromkeys(unicodedata.normalize("NFC", _YES).split(), True),
    **dict.fromkeys(unicodedata.normalize("NFC", _NO).split(), False),
    **dict.fromkeys((_CLEAR, "cleared"), None),
}
_WRITTEN = {Mark.UNSET: None, Mark.CORRECT: "yes", Mark.WRONG: "no", Mark.CLEARED: _CLEAR}


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A row of the file, cell by cell; a column that is not there is an empty cell."""

    line: int
    cells: Mapping[str, str]

    @property
    def text_sha256(self) -> str | None:
        """Of the transcript that the row was written for; None when it does not say."""
        return self.cells["text_sha256"].strip() or None

    @property
    def entries(self) -> int | None:
        """How much had been said of the result when the row was written; None when it does not say."""
        cell = self.cells["entries"].strip()
        try:
            return int(float(cell)) if cell else None
        except (ValueError, OverflowError) as error:
            raise _invalid(f"entries is {shown(cell)}", hint="leave the column as the export wrote it") from error

    def check_text(self, result: Result, results: Results) -> None:
        """Raise ``invalid_verdict_file`` when the row has lost its letters, or is about another text than it says.

        The digest says what the row was written for, but not what stands in it since its columns were sorted apart.
        """
        transcript, comment = self.cells["transcript"], self.cells["comment"]
        is_same = not transcript.strip() or shown_digest(undefused(transcript)) == result.shown_sha256
        for name, text, is_known in (("transcript", transcript, is_same), ("comment", comment, False)):
            damage = None if is_known else damage_of(text)
            if damage in _DAMAGES:
                raise _invalid(
                    f"the {name} is {shown(text)}: the file holds something else than letters, as saved in an encoding"
                    " that does not have them",
                    hint="save it as CSV UTF-8 or .xlsx and import that; nothing else of the file can be trusted",
                )
        other = None if is_same else results.sample_of(shown_digest(undefused(transcript)), beside=result)
        if other is not None:
            raise _invalid(
                f"the transcript {shown(transcript)} is that of sample {shown(other)}, not of"
                f" {shown(result.sample_id)}",
                hint="the columns of the file were sorted or moved apart: export the verdicts again",
            )
        if not is_same and self.text_sha256 is None:
            raise _invalid(
                f"the transcript {shown(transcript)} is not that of sample {shown(result.sample_id)}, model"
                f" {shown(result.model)}",
                hint="export the verdicts again and judge the transcript that the result has now",
            )

    def change(self, before: Verdict) -> Change:
        """Return what the row says, given what stood of its transcript."""
        said = unicodedata.normalize("NFC", self.cells["is_correct"].strip().casefold())
        if said not in _SAID:
            raise _invalid(f"is_correct is {shown(said)}", hint=f"write yes, no or {_CLEAR}, or leave it empty")
        return Change(is_correct=_SAID[said], comment=self._comment(before), tags=self._tags())

    def _comment(self, before: Verdict) -> str | Untouched:
        """Read the cell, behind the apostrophe that an export puts before what a spreadsheet would run."""
        cell = one_form(self.cells["comment"])
        if before.comment is not None and cell == defused(before.comment):
            return UNTOUCHED
        comment = checked_comment(undefused(cell))
        return UNTOUCHED if comment is None else comment

    def _tags(self) -> tuple[ErrorTag, ...] | Untouched:
        cell = self.cells["tags"].strip()
        if not cell:
            return UNTOUCHED
        return () if cell.casefold() == _CLEAR else checked_tags(filter(str.strip, re.split(r"[,;|\n]", cell)))

    def reviewer(self) -> str | None:
        """Return who says it; None when the cell is empty."""
        cell = self.cells["reviewer"].strip()
        return checked_reviewer(undefused(cell)) if cell else None

    def judged_at(self, *, now: datetime) -> datetime | None:
        """Return when it was said; None when the cell is empty."""
        cell = self.cells["time"].strip()
        return _moment(cell, now=now) if cell else None


def read_rows(table: TableFile) -> Iterator[VerdictRow | SkippedRow]:
    """Read the rows of a CSV from its beginning, or what is wrong with them."""
    if table.delimiter is None:
        raise VERDICTS.refuse("it holds JSON Lines", hint="give a CSV, as --export writes it")
    with table.lines() as lines:
        records = CsvRecords(lines, delimiter=table.delimiter, purpose=VERDICTS)
        names = records.take_header()
        places = {name: names.index(name) for name in _READ if name in names}
        for line, cells in records:
            if isinstance(cells, SkippedRow):
                yield cells
            elif not any(map(str.strip, cells)):
                continue  # spreadsheets leave empty rows behind
            elif problem := row_problem(cells, width=len(names), has_nul=table.form.has_nul):
                yield SkippedRow(line, problem)
            else:
                found = {name: cells[place] for name, place in places.items()}
                yield VerdictRow(line, {**dict.fromkeys(_READ, ""), **found})


def sheet_verdicts(path: Path) -> Iterator[VerdictRow | SkippedRow]:
    """Read the rows of an Excel workbook."""
    for number, cells in sheet_rows(path, VERDICTS):
        if not any(map(str.strip, cells.values())):
            continue
        yield VerdictRow(number, {name: cells.get(name, "") for name in _READ})


def sheet_row(result: Result, *, transcript: str, verdict: Verdict, wer: float | None, sample: Row) -> JsonDict:
    """Return the row of one result; a verdict on an earlier transcript leaves the cells empty.

    Args:
        result: what is judged.
        transcript: its text.
        verdict: what stands of it.
        wer: its word error rate.
        sample: its row of the stage ``dataset``.
    """
    stands = Verdict() if verdict.stale else verdict
    last = verdict.history[-1] if verdict.history else None
    return {
        "sample": result.sample_id,
        "model": result.model,
        "is_correct": _WRITTEN[stands.mark],
        "comment": stands.comment,
        "tags": ", ".join(stands.tags) or None,
        "reviewer": None,
        "time": None,
        "transcript": transcript,
        "reference": sample["reference"],
        "wer": wer,
        "file_name": sample["file_name"],
        "entries": len(verdict.history),
        "last_reviewer": last and last.reviewer,
        "last_time": last and last.judged_at.isoformat(),
        "earlier_verdict": str(verdict.mark) if verdict.stale else None,
        "text_sha256": result.text_sha256,
        "said_by": _said_by(stands),
    }


def _said_by(verdict: Verdict) -> str | None:
    """Write what each person said, where several did."""
    said = {name: _WRITTEN[own.mark] for name, own in verdict.reviewers.items() if own.mark is not Mark.UNSET}
    return "; ".join(f"{name}: {mark}" for name, mark in said.items()) if len(said) > 1 else None


def _moment(cell: str, *, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError as error:
        raise _invalid(f"time is {shown(cell)}", hint="write it as 2026-05-21T12:30:00+05:30") from error
    if moment.tzinfo is None:
        raise _invalid(f"time {shown(cell)} has no time zone", hint="add Z for UTC, or an offset such as +05:30")
    if moment > now:
        raise _invalid(f"time {shown(cell)} is still to come", hint="write when it was judged, or leave it empty")
    return moment


def _invalid(problem: str, *, hint: str) -> UsageError:
    return UsageError(problem, code="invalid_verdict_file", hint=hint)
