"""What people rate of whole sessions, axis by axis: taken in, given out, and told as it stands.

It stands beside the judges' scores, and never reaches a judge. History is only appended to; of one person, session and
axis the last word stands, and it counts for the content that the person saw.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError, UsageError
from eval_pipeline.core.feedback_words import checked_reviewer
from eval_pipeline.core.names import shown
from eval_pipeline.core.session_results import SessionRating
from eval_pipeline.core.sessions import SessionScope
from eval_pipeline.intake.table_file import open_table
from eval_pipeline.intake.workbook import is_workbook
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.judging.rubric import Axis
from eval_pipeline.reporting.export_files import export_format, write_table
from eval_pipeline.runs.dataset_adding import private_copy
from eval_pipeline.session_eval.rating_rows import INVALID, RATINGS, SHEET, RatingRow, table_rows, workbook_rows
from eval_pipeline.session_eval.session_store import each
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.wiring.deployment import Deployment

_SHOWN_PROBLEMS: Final = 20
Key = tuple[str, str, str]
"""Session, axis, person."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    recorded: int
    unchanged: int
    """Rows that say what stands already, or nothing."""
    warnings: tuple[str, ...] = ()


def standing_ratings(
    deployment: Deployment, project: str, session_ids: Collection[str] | None = None
) -> Mapping[Key, SessionRating]:
    """Return the last word of every person on every axis of sessions."""
    entries = deployment.ledger.session_ratings(project=project, session_ids=session_ids)
    return {(one.session_id, one.axis, one.rater): one for one in entries}


def rated_by_people(
    deployment: Deployment, project: str, fingerprints: Mapping[str, str]
) -> Mapping[str, Mapping[tuple[str, str], float]]:
    """Return what people say of sessions, by axis and person; what was said of another content does not count.

    Args:
        deployment: where ratings are.
        project: whose.
        fingerprints: of the sessions, as they were judged.
    """
    found: dict[str, dict[tuple[str, str], float]] = {}
    for (session_id, axis, rater), rating in standing_ratings(deployment, project).items():
        if rating.level is not None and fingerprints.get(session_id) == rating.session_fingerprint:
            found.setdefault(session_id, {})[axis, rater] = rating.level
    return found


def import_ratings(
    deployment: Deployment, project: str, path: Path, *, rater: str, axes: Mapping[str, Axis] | None = None
) -> Imported:
    """Record what a CSV or workbook says; a file with a bad row is refused as a whole.

    Args:
        deployment: where sessions are.
        project: whose.
        path: columns ``session_id``, ``axis``, ``level``, and any of ``rater``, ``comment``, ``time``.
        rater: who says it where a row names nobody.
        axes: that may be rated; None: those of the built-in rubric.

    Raises:
        UsageError: ``invalid_rating_file``, with every bad row and its line; ``file_unreadable``.
    """
    known = built_in_panel("sessions").rubric.axes if axes is None else axes
    desk = _Desk(rater=checked_reviewer(rater), axes=known)
    with temporary_folder() as folder:
        copy = folder / "ratings"  # of what may be a pipe, or change while it is read
        private_copy(path, copy, limit_bytes=deployment.settings.max_file_bytes)
        if is_workbook(copy, name=path.name):
            rows: Sequence[RatingRow | SkippedRow] = list(workbook_rows(copy))
            warnings: tuple[str, ...] = ()
        else:
            table = open_table(copy, RATINGS, name=path.name)
            rows, warnings = list(table_rows(table)), table.warnings
    ids = {row.session_id for row in rows if isinstance(row, RatingRow)}
    scope = SessionScope(session_ids=tuple(ids))
    fingerprints = {one.session_id: one.session_fingerprint for one in each(deployment, project, scope)} if ids else {}
    before = standing_ratings(deployment, project, ids)
    for row in rows:
        desk.take(row, fingerprints=fingerprints, before=before)
    entries = desk.entries()
    deployment.ledger.add_ratings(project=project, ratings=entries)
    return Imported(recorded=len(entries), unchanged=desk.unchanged, warnings=warnings)


@dataclass(slots=True)
class _Desk:
    """Takes rows, compares each with what stands, and keeps what they say new."""

    rater: str
    axes: Mapping[str, Axis]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    unchanged: int = 0
    _entries: dict[Key, SessionRating] = field(default_factory=dict)
    _lines: dict[Key, int] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _problems_count: int = 0

    def take(
        self,
        row: RatingRow | SkippedRow,
        *,
        fingerprints: Mapping[str, str],
        before: Mapping[Key, SessionRating],
    ) -> None:
        """Read one row."""
        if isinstance(row, SkippedRow):
            self._add_problem(row.line, row.reason)
            return
        try:
            rating = self._read(row, fingerprints)
        except UsageError as error:
            self._add_problem(row.line, f"{error.message} ({error.hint})")
            return
        if rating is None or _says_the_same(rating, before.get(_key(rating))):
            self.unchanged += 1
            return
        self._entries[_key(rating)] = rating

    def _add_problem(self, line: int, text: str) -> None:
        self._problems_count += 1
        if len(self._problems) < _SHOWN_PROBLEMS:
            self._problems.append(f"\n  line {line:,}: {text}")

    def _read(self, row: RatingRow, fingerprints: Mapping[str, str]) -> SessionRating | None:
        axis = self.axes.get(row.axis)
        if axis is None:
            raise _invalid(f"there is no axis {shown(row.axis)}", hint=f"rate {', '.join(self.axes)}")
        if row.session_id not in fingerprints:
            raise _invalid(
                f"there is no session {shown(row.session_id)}", hint="eval-pipeline session list shows the sessions"
            )
        if row.is_empty:
            return None
        levels = [float(level) for level in axis.levels]
        rating = SessionRating(
            session_id=row.session_id,
            session_fingerprint=fingerprints[row.session_id],
            axis=row.axis,
            rater=row.rater() or self.rater,
            level=row.level(lowest=min(levels), highest=max(levels)),
            comment=row.comment(),
            rated_at=row.rated_at(now=self.now) or self.now,
        )
        if _key(rating) in self._lines:
            raise _invalid(f"line {self._lines[_key(rating)]:,} rates the same", hint="keep one of the two rows")
        self._lines[_key(rating)] = row.line
        return rating

    def entries(self) -> list[SessionRating]:
        """Return what the file says new, or raise one error that names every bad row."""
        if not self._problems_count:
            return list(self._entries.values())
        hidden = self._problems_count - len(self._problems)
        more = f"\n  … and {hidden:,} more" if hidden else ""
        rows = "1 row cannot be used" if self._problems_count == 1 else f"{self._problems_count:,} rows cannot be used"
        raise RATINGS.refuse(
            f"{rows}, and nothing was recorded:{''.join(self._problems)}{more}",
            hint="mend or remove what is named and import the file again",
        )


def _key(rating: SessionRating) -> Key:
    return (rating.session_id, rating.axis, rating.rater)


def _says_the_same(rating: SessionRating, before: SessionRating | None) -> bool:
    if before is None:
        return rating.level is None
    said = (rating.level, rating.comment, rating.session_fingerprint)
    return said == (before.level, before.comment, before.session_fingerprint)


def export_ratings(deployment: Deployment, project: str, path: Path, *, bom: bool) -> int:
    """Write what stands, a row for every session, axis and person; return how many there are."""
    return write_table(_sheet(deployment, project), SHEET, path=path, file_format=export_format(path), bom=bom)


def _sheet(deployment: Deployment, project: str) -> Iterator[JsonDict]:
    entries = deployment.ledger.session_ratings(project=project)
    counts: dict[Key, int] = {}
    for one in entries:
        counts[_key(one)] = counts.get(_key(one), 0) + 1
    stands = {_key(one): one for one in entries}
    scope = SessionScope(session_ids=tuple({one.session_id for one in entries}))
    there = {one.session_id: one.session_fingerprint for one in each(deployment, project, scope)} if stands else {}
    for key, one in sorted(stands.items()):
        if one.level is not None:
            yield {
                "session_id": one.session_id,
                "axis": one.axis,
                "level": one.level,
                "rater": one.rater,
                "comment": one.comment,
                "time": one.rated_at.isoformat(),
                "session_changed": there.get(one.session_id) != one.session_fingerprint,
                "entries": counts[key],
            }


def _invalid(problem: str, *, hint: str) -> EvalPipelineError:
    return UsageError(problem, code=INVALID, hint=hint)
