"""A person's right to erasure: what sessions said is removed wherever it lies; that they were there, and counts, stay.

In the store: contents, rows of stages, journals, files of batches, reports. What is known of a session is marked first,
so that nothing brings it in again meanwhile, and its places are let go last: whatever breaks off in between is finished
by doing it again.
"""

import gzip
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.stages import Manifest, Part, StageRef
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.session_eval.session_intake import clear_withdrawn
from eval_pipeline.session_eval.session_parts import blank
from eval_pipeline.session_eval.session_store import refuse_used
from eval_pipeline.storage.columns import build_column
from eval_pipeline.storage.manifests import decode_manifest, encode_manifest, signed
from eval_pipeline.wiring.deployment import Deployment

_PAGE: Final = 200
_ENDED: Final = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
_MANIFEST: Final = "manifest.json"
_TABLE: Final = ".parquet"
_REPORT: Final = "report"
_LISTED: Final = re.compile(r"sessions-[0-9a-f]+\.jsonl")
"""The sessions of a run as they were when it was claimed."""
_WORDY: Final = ("journal/", "jobs/", "cells/")
"""Folders of a stage whose files hold what was asked and answered, line by line."""
_NOTHING: Final = {
    **dict.fromkeys(("name", "user_goal", "outcome_summary", "comment", "error_message", "feedback", "outcome")),
    "hits": "[]",
}
"""What stands in columns of words when the words are gone."""
_WORDS_OF_AXES: Final = {"reasoning": "", "evidence": []}
_NOTICE: Final = (
    "<!doctype html><meta charset=utf-8><title>Report removed</title><p>This report showed a session that was "
    "forgotten at a person's wish. Make it anew: <code>eval-pipeline session rescore RUN</code></p>\n"
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed."""

    sessions: int
    parts: int
    """Objects with contents that were rewritten."""
    runs: tuple[str, ...]
    """Whose files were rewritten and whose reports were removed."""


def forget(deployment: Deployment, project: str, session_ids: Collection[str]) -> Forgotten:
    """Remove what sessions said everywhere; they are never taken in again.

    Raises:
        NotFoundError: ``session_not_found``.
        ConflictError: ``session_in_use`` while a run that has not ended holds one of them.
    """
    ids = list(dict.fromkeys(session_ids))
    known = deployment.ledger.known_sessions(project=project, session_ids=ids)
    if missing := [one for one in ids if one not in known]:
        raise NotFoundError(
            f"project {project!r} has no session {shown(missing[0])}",
            code="session_not_found",
            hint="see which there are: eval-pipeline session list",
        )
    refuse_used(deployment, project, ids)
    runs = [run for run in _runs(deployment, project) if _holds(deployment, run, frozenset(ids))]
    for run in runs:
        if run.state not in _ENDED:
            raise ConflictError(
                f"run {run.key.run} holds one of these sessions and is {run.state}",
                code="session_in_use",
                hint=f"let it end, or cancel it first: eval-pipeline run cancel {run.key.run}",
            )
    count = deployment.ledger.begin_forgetting(project=project, session_ids=ids)
    deployment.ledger.withdraw_parts(project=project)
    clear_withdrawn(deployment, project)
    places = deployment.ledger.places_of(project=project, session_ids=ids)
    for key, rows in places.items():
        blank(deployment.objects, key, rows)
    for run in runs:
        _Run(deployment, run, frozenset(ids)).clean()
    deployment.ledger.end_forgetting(project=project, session_ids=ids)
    return Forgotten(sessions=count, parts=len(places), runs=tuple(run.key.run for run in runs))


def _runs(deployment: Deployment, project: str) -> Iterator[RunRecord]:
    offset = 0
    while page := deployment.ledger.list_runs(
        project=project, flow=Flow.SESSIONS, state=None, limit=_PAGE, offset=offset
    ).items:
        yield from page
        offset += len(page)


def _holds(deployment: Deployment, run: RunRecord, ids: frozenset[str]) -> bool:
    """Tell whether a run took one of the sessions."""
    stored = deployment.stages.find(StageRef(flow=run.flow, key=run.key, stage="sessions"))
    return stored is not None and any(row["session_id"] in ids for row in stored.rows(["session_id"]))


class _Run:
    """The stored files of a run that has ended, on their way to hold nothing of some sessions."""

    def __init__(self, deployment: Deployment, run: RunRecord, ids: frozenset[str]) -> None:
        self._objects = deployment.objects
        self._run = run
        self._ids = ids
        self._renamed: dict[str, str] = {}
        """Digests of manifests and contents, as they were and as they are."""
        self._cells: frozenset[bytes] | None = None
        """Ids of the cells of the sessions; None while they are not known."""

    def clean(self) -> None:
        """Rewrite all stages in their order, so that each names the present digests of those before it."""
        stages = plan_of(self._run.flow).stages
        refs = [StageRef(flow=self._run.flow, key=self._run.key, stage=stage.name) for stage in stages]
        keys = {ref: list(self._objects.list(ref.prefix)) for ref in refs}
        found: set[bytes] = set()
        changed = {ref: self._tables(ref, keys[ref], found) for ref in refs}
        self._cells = frozenset(found) or None
        for ref in refs:
            changed[ref] |= self._files(ref, keys[ref])
            self._manifests(ref, keys[ref], changed[ref])
        self._chosen()

    def _chosen(self) -> None:
        """Take the names of the sessions out of the list of those that the run was claimed for."""
        folder = f"{self._run.flow}/{self._run.key.project}/{self._run.key.run}"
        for key in [key for key in self._objects.list(folder) if _LISTED.fullmatch(key.removeprefix(f"{folder}/"))]:
            lines = [orjson.loads(line) for line in self._objects.read(key).splitlines()]
            if any(line["session_id"] in self._ids and line.get("name") is not None for line in lines):
                bare = [line | {"name": None} if line["session_id"] in self._ids else line for line in lines]
                self._objects.put(key, b"".join(orjson.dumps(line) + b"\n" for line in bare))

    def _tables(self, ref: StageRef, keys: Sequence[str], cells: set[bytes]) -> dict[str, Part]:
        """Blank the words in rows of the sessions; collects the ids of their cells."""
        changed: dict[str, Part] = {}
        for key in keys:
            if not key.endswith(_TABLE):
                continue
            table = pq.read_table(pa.BufferReader(self._objects.read(key)))
            if "session_id" not in table.column_names:
                continue
            theirs = [one in self._ids for one in table.column("session_id").to_pylist()]
            if not any(theirs):
                continue
            if "judgement_id" in table.column_names:
                named = table.column("judgement_id").to_pylist()
                cells |= {one.encode() for one, is_theirs in zip(named, theirs, strict=True) if is_theirs}
            data = _parquet(_blanked(table, theirs))
            changed[key.removeprefix(f"{ref.prefix}/")] = self._put(ref, key, data, rows=table.num_rows)
        return changed

    def _files(self, ref: StageRef, keys: Sequence[str]) -> dict[str, Part]:
        """Take the sessions out of journals and files of batches; a report is replaced by a notice."""
        changed: dict[str, Part] = {}
        for key in keys:
            name = key.removeprefix(f"{ref.prefix}/")
            if name.endswith((_TABLE, _MANIFEST)) or not (ref.stage == _REPORT or name.startswith(_WORDY)):
                continue
            data = self._objects.read(key)
            cleaned = _NOTICE.encode() if ref.stage == _REPORT else self._without_cells(data)
            if cleaned != data:
                changed[name] = self._put(ref, key, cleaned, rows=0)
        return changed

    def _without_cells(self, data: bytes) -> bytes:
        """Drop the lines that name a cell of the sessions; of a run whose cells nobody knows, all lines."""
        packed = data.startswith(b"\x1f\x8b")
        lines = (gzip.decompress(data) if packed else data).splitlines(keepends=True)
        kept = [] if self._cells is None else [line for line in lines if not self._names_cell(line)]
        if len(kept) == len(lines):
            return data
        text = b"".join(kept)
        return gzip.compress(text) if packed else text

    def _names_cell(self, line: bytes) -> bool:
        return any(cell in line for cell in self._cells or ())

    def _put(self, ref: StageRef, key: str, data: bytes, *, rows: int) -> Part:
        self._objects.put(key, data)
        return Part(key.removeprefix(f"{ref.prefix}/"), rows, len(data), hashlib.sha256(data).hexdigest())

    def _manifests(self, ref: StageRef, keys: Sequence[str], changed: dict[str, Part]) -> None:
        for key in (key for key in keys if key.endswith(f"/{_MANIFEST}")):
            before = decode_manifest(self._objects.read(key), ref=ref, url=self._objects.url(key))
            after = signed(self._mended(before, changed))
            if after != before:
                self._objects.put(key, encode_manifest(after))
                self._renamed |= {before.sha256: after.sha256, before.content_sha256: after.content_sha256}

    def _mended(self, manifest: Manifest, changed: dict[str, Part]) -> Manifest:
        parts = tuple(changed.get(part.name, part) for part in manifest.parts)
        summary = dict(manifest.summary)
        if manifest.stage.stage == _REPORT and "markdown" in summary:
            summary["markdown"] = "Removed: it showed a session that was forgotten at a person's wish."
        return replace(
            manifest,
            parts=parts,
            summary=summary,
            inputs={name: self._renamed.get(digest, digest) for name, digest in manifest.inputs.items()},
            contents={name: self._renamed.get(digest, digest) for name, digest in manifest.contents.items()},
        )


def _blanked(table: pa.Table, theirs: Sequence[bool]) -> pa.Table:
    for place, name in enumerate(table.column_names):
        is_axes = name == "axes"
        if name not in _NOTHING and not is_axes:
            continue
        values = table.column(name).to_pylist()
        blanked = [
            value if not is_theirs else _without_words(value) if is_axes else _NOTHING[name]
            for value, is_theirs in zip(values, theirs, strict=True)
        ]
        table = table.set_column(place, table.schema.field(name), build_column(blanked, pa.string()))
    return table


def _without_words(axes: str | None) -> str | None:
    """Return levels and states of axes without what was said of them."""
    told = None if axes is None else orjson.loads(axes)
    if not isinstance(told, dict):
        return axes
    bare = {
        name: {key: _WORDS_OF_AXES.get(key, item) for key, item in axis.items()} if isinstance(axis, dict) else axis
        for name, axis in told.items()
    }
    return orjson.dumps(bare, option=orjson.OPT_SORT_KEYS).decode()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
