"""A run's verdicts as a spreadsheet: written for people to fill in, and read back.

A file with a bad row is refused as a whole. A row that contradicts what somebody said since the file was written is
refused alone: the others are still right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import ConflictError, EvalPipelineError, NotFoundError, UsageError
from eval_pipeline.core.feedback import Change, FeedbackEntry, Verdict, contradicted, difference, standing
from eval_pipeline.core.feedback_words import checked_reviewer
from eval_pipeline.core.names import RunKey, shown
from eval_pipeline.intake.table_file import open_table
from eval_pipeline.intake.workbook import is_workbook
from eval_pipeline.reporting.export_files import export_format, write_table
from eval_pipeline.runs.dataset_adding import private_copy
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.stt_eval.corrected_references import samples_as_scored
from eval_pipeline.stt_eval.feedback import (
    new_entry,
    run_history,
    run_results,
    stored_run,
    word_error_rates,
)
from eval_pipeline.stt_eval.verdicts.results import COLUMNS, Result, Results
from eval_pipeline.stt_eval.verdicts.verdict_file import (
    SHEET,
    VERDICTS,
    VerdictRow,
    read_rows,
    sheet_row,
    sheet_verdicts,
)
from eval_pipeline.wiring.deployment import Deployment

_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    changed: int
    """Results about which the file says something new."""
    unchanged: int
    """Rows that say what stands already, or nothing."""
    warnings: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    """Rows that contradict what was said since the file was written, with their lines; nothing of them is recorded."""


def import_verdicts(deployment: Deployment, key: RunKey, path: Path, *, reviewer: str) -> Imported:
    """Record what a CSV or workbook says; rows whose cells are as they were exported are passed over.

    Args:
        deployment: where the run is.
        key: the run.
        path: the file; columns ``sample`` and ``model``, and any of ``is_correct`` (yes, no, clear), ``comment``,
            ``tags``, ``reviewer``, ``time``.
        reviewer: who says it where a row names nobody.

    Raises:
        UsageError: ``invalid_verdict_file``, with every bad row and its line; ``file_unreadable``.
    """
    desk = _Intake(deployment, key, reviewer=checked_reviewer(reviewer))
    with temporary_folder() as folder:
        copy = folder / "verdicts"  # of what may be a pipe, or change while it is read
        private_copy(path, copy, limit_bytes=deployment.settings.max_file_bytes)
        warnings = _take_all(desk, copy, name=path.name)
    entries = desk.entries()
    deployment.ledger.add_feedback(entries)
    return Imported(changed=len(entries), unchanged=desk.unchanged, warnings=warnings, conflicts=tuple(desk.conflicts))


def _take_all(desk: "_Intake", copy: Path, *, name: str) -> tuple[str, ...]:
    """Take every row; return what was guessed about the file."""
    if is_workbook(copy, name=name):
        for row in sheet_verdicts(copy):
            desk.take(row)
        return ()
    table = open_table(copy, VERDICTS, name=name)
    for row in read_rows(table):
        desk.take(row)
    return table.warnings


@dataclass(slots=True)
class _Rows:
    """What was found in the file so far."""

    entries: dict[str, FeedbackEntry] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    problems_count: int = 0

    def add_problem(self, line: int, text: str) -> None:
        """Note one, keep the first."""
        self.problems_count += 1
        if len(self.problems) < _SHOWN_PROBLEMS:
            self.problems.append(f"\n  line {line:,}: {text}")


class _Intake:
    """Takes rows, compares each with what stands, and keeps what they say new."""

    def __init__(self, deployment: Deployment, key: RunKey, *, reviewer: str) -> None:
        self._key = key
        self._reviewer = reviewer
        self._now = datetime.now(UTC)
        self._results = run_results(deployment, key, with_files=True)
        self._history = run_history(deployment, key)
        self._found = _Rows()
        self.unchanged = 0
        self.conflicts: list[str] = []

    def take(self, row: VerdictRow | SkippedRow) -> None:
        """Read one row."""
        if isinstance(row, SkippedRow):
            self._found.add_problem(row.line, row.reason)
            return
        try:
            self._take(row)
        except (UsageError, ConflictError, NotFoundError) as error:
            self._found.add_problem(row.line, f"{error.message} ({error.hint})")

    def _take(self, row: VerdictRow) -> None:
        result = self._results.find_cells(row.cells)
        row.check_text(result, self._results)
        about = row.text_sha256 or result.text_sha256
        history = self._history.get(result.item_id, ())
        exported = standing(history[: row.entries], text_sha256=about)
        reviewer, named = row.reviewer() or self._reviewer, row.reviewer() is not None
        judged_at = row.judged_at(now=self._now) or self._now
        touched = self._touched(row, exported, named=named)
        now = standing(history, text_sha256=about)
        change = None if touched is None else difference(touched, now, reviewer=reviewer)
        if touched is None or change is None:
            self.unchanged += 1
            return
        if about != result.require_text():
            raise _transcribed_again()
        later = [] if row.entries is None else [one for one in history[row.entries :] if one.text_sha256 == about]
        if other := contradicted(touched, later):
            self.conflicts.append(_conflict(row.line, result, other))
            return
        if result.item_id in self._found.entries:
            raise _judged_twice(self._found.lines[result.item_id])
        self._found.lines[result.item_id] = row.line
        self._found.entries[result.item_id] = new_entry(
            self._key, result, change=change, text_sha256=about, reviewer=reviewer, judged_at=judged_at
        )

    @staticmethod
    def _touched(row: VerdictRow, exported: Verdict, *, named: bool) -> Change | None:
        """Return what somebody wrote into the row; who writes a name beside a verdict that stands confirms it."""
        said = row.change(exported)
        touched = said if row.entries is None else difference(said, exported)
        confirmed = Change(is_correct=said.is_correct) if named and isinstance(said.is_correct, bool) else Change()
        parts = {**confirmed.parts, **(touched.parts if touched else {})}
        return Change(**parts) if parts else None

    def entries(self) -> list[FeedbackEntry]:
        """Return what the file says new, or raise one error that names every bad row."""
        found = self._found
        if not found.problems_count:
            return list(found.entries.values())
        hidden = found.problems_count - len(found.problems)
        more = f"\n  … and {hidden:,} more" if hidden else ""
        rows = "1 row cannot be used" if found.problems_count == 1 else f"{found.problems_count:,} rows cannot be used"
        raise VERDICTS.refuse(
            f"{rows}, and nothing was recorded:{''.join(found.problems)}{more}",
            hint="mend or remove what is named and import the file again",
        )


def export_verdicts(deployment: Deployment, key: RunKey, path: Path, *, bom: bool) -> int:
    """Write every transcript that can be judged, with what stands of it; return how many there are.

    Args:
        deployment: where the run is.
        key: the run.
        path: ends in .xlsx or .csv, which can be imported again; .jsonl or .parquet.
        bom: begin a CSV with a byte order mark, by which Excel knows UTF-8.
    """
    file_format = export_format(path)
    return write_table(_sheet(deployment, key), SHEET, path=path, file_format=file_format, bom=bom)


def _sheet(deployment: Deployment, key: RunKey) -> Iterator[JsonDict]:
    stored = stored_run(deployment, key)
    transcripts, scores = stored.open("transcripts"), stored.find("scores")
    dataset = samples_as_scored(deployment, project=key.project, dataset=stored.open("dataset"), scores=scores)
    samples = {row["sample_id"]: row for row in dataset.rows(("sample_id", "reference", "file_name"))}
    rates = word_error_rates(scores) if scores is not None else {}
    history = run_history(deployment, key)
    for row in transcripts.rows(COLUMNS):
        [result] = Results([row])
        if result.text_sha256 is not None:
            yield sheet_row(
                result,
                transcript=row["transcript"],
                verdict=standing(history.get(result.item_id, ()), text_sha256=result.text_sha256),
                wer=rates.get(result.item_id),
                sample=samples[result.sample_id],
            )


def _conflict(line: int, result: Result, other: FeedbackEntry) -> str:
    said = ", ".join(f"{part} {shown(_spoken(value))}" for part, value in other.change.parts.items())
    return (
        f"line {line:,}: sample {shown(result.sample_id)}, model {shown(result.model)} was judged since the file was"
        f" exported, by {shown(other.reviewer)} at {other.judged_at:%Y-%m-%d %H:%M} UTC ({said})"
    )


def _spoken(value: object) -> str:
    match value:
        case True | False:
            return "yes" if value else "no"
        case None:
            return "cleared"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _transcribed_again() -> EvalPipelineError:
    return UsageError(
        "the row was written for a transcript that has been replaced since",
        code="invalid_verdict_file",
        hint="export the verdicts again and judge the new one",
    )


def _judged_twice(line: int) -> EvalPipelineError:
    return UsageError(
        f"line {line:,} judges the same result", code="invalid_verdict_file", hint="keep one of the two rows"
    )
