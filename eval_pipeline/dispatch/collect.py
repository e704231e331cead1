"""Brings the results of ended jobs home: provider files into our store first, then read, then deleted at the provider.

What a job came to is one file of the stage's journal, replaced as a whole: collecting it again after a kill gives the
same bytes. Items are matched by their id alone; every item of the request file gets exactly one outcome.
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    CallFault,
    JobState,
    LineError,
    Phase,
    ProviderBatch,
    Refusal,
    ResultLine,
    ResultTooLargeError,
    file_patience_s,
    is_over,
    lacks_files,
    look_again_at,
    pause_s,
    queue_wait_s,
    refusal_of,
    was_paid_for,
)
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.journal_lines import LineFile, SealedFile
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.ports.batch_provider import LineReader, SentAs, as_itself
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.dispatch.records import RESULT_LOST
from eval_pipeline.dispatch.request_files import request_ids
from eval_pipeline.dispatch.result_lines import clean_file, lines_of
from eval_pipeline.dispatch.submit import Desk, again, requests_key

NEVER_ENDED = "never_ended"
NOT_SHOWN = "provider_not_shown"
"""Code of a job whose provider does not show yet what it said that there is."""
_CALLS = "provider_"
"""With it begin the codes of calls that brought nothing."""
_NAMELESS = "the batch did what it was asked to and names no results"
_ENDS = frozenset({Phase.COMPLETED, Phase.EXPIRED, Phase.CANCELLED, Phase.FAILED})
_SHOWN_IDS = 3
_BUFFER_BYTES = 1 << 18
_NOTHING = object()
RESEND_HINT = "run retry --resend-lost sends it again, which may be charged a second time"


class ResultWriter(Protocol):
    """Turns outcomes into journal lines of a flow."""

    def write(self, file: LineFile, line: ResultLine) -> None:
        """Write what became of one item, which the line names."""
        ...

    def end(self, file: LineFile) -> Mapping[AttemptOutcome, int]:
        """Write what is told once for the whole job; returns how many items came to what, all checks included."""
        ...


@dataclass(frozen=True, slots=True)
class Handling:
    """How a stage reads and keeps results."""

    read: LineReader
    writer: Callable[[BatchJob], ResultWriter]
    """Makes the writer of one job."""
    sent_as: SentAs = as_itself

    def reader(self, job: BatchJob, item_ids: Iterable[str]) -> LineReader:
        """Return what reads the results of one job, each under its item's id; other ids stay as they are."""
        if self.sent_as is as_itself:
            return self.read
        items = {self.sent_as(job.submission_key, item_id): item_id for item_id in item_ids}

        def read(line: bytes) -> ResultLine:
            result = self.read(line)
            given = result.custom_id
            return result if given is None else replace(result, custom_id=items.get(given, given))

        return read


def raw_key(job: BatchJob, kind: str) -> str:
    """Where a copy of a provider's file lies in our store."""
    return f"{job.stage.prefix}/raw/{job.name}-{kind}.jsonl"


def results_key(job: BatchJob) -> str:
    """Where what became of the job's items lies, in the stage's journal."""
    return f"{job.stage.prefix}/journal/batch-{job.name}.jsonl"


def collect_job(desk: Desk, job: BatchJob, handling: Handling, *, folder: Path) -> BatchJob | None:
    """Bring one ended, lost or refused job home; None when somebody else changed it meanwhile, or it has to wait."""
    if job.error_code == NEVER_ENDED:
        return write_off(desk, job, handling, _brings_nothing(job), folder=folder, to=JobState.LOST)
    batch = _look_at(desk, job)
    if batch is None:
        return write_off(desk, job, handling, _brings_nothing(job), folder=folder, to=JobState.LOST)
    if batch.phase is Phase.FAILED and refusal_of(batch.errors) is Refusal.NO_ROOM:
        return _submit_again(desk, job, batch)
    if batch.phase not in _ENDS:  # it was seen to end: the answer is older than that, and says nothing of results
        leave_alone(desk, job, words=f"an answer that is older than its end says {batch.status!r}")
        return None
    raw = _fetch(desk, job, batch, folder=folder)
    if raw.not_yet:
        leave_alone(desk, job, words=f"its result file {raw.lost} is not found at the provider; looking again")
        return None
    tally = _read(desk, job, handling, raw, batch=batch, folder=folder)
    desk.fence.check()
    desk.objects.put_file(results_key(job), folder / "results.jsonl")
    told: dict[str, Any] = _settled(job)
    if raw.lost:
        next_look = None if raw.too_large else _next_look(desk, job)
        told = {"error_code": RESULT_LOST, "error_message": raw.lost_words, "waits_until": next_look}
    collected = desk.ledger.change_job(
        job,
        to=JobState.LOST if raw.lost else JobState.COLLECTED,
        collected_at=desk.now(),
        outcomes=tally.outcomes,
        anomalies=tuple(dict.fromkeys((*job.anomalies, *tally.anomalies()))),
        token=desk.fence.token,
        **told,
    )
    if collected is not None and not raw.lost:
        delete_provider_files(desk, collected)
    return collected


def _settled(job: BatchJob) -> dict[str, Any]:
    """Forget why a job had to wait, now that it has not."""
    waited = (job.error_code or "").startswith(_CALLS) or job.error_code == RESULT_LOST
    return {"error_code": None, "error_message": None, "waits_until": None} if waited else {"waits_until": None}


def leave_alone(
    desk: Desk, job: BatchJob, *, words: str, code: str = NOT_SHOWN, retry_after_s: float | None = None
) -> BatchJob | None:
    """Let an ended job wait, each time as long again as it has waited already, and say why."""
    now = desk.provider.now() or desk.now()
    wait_s = pause_s(job, now=now, retry_after_s=retry_after_s, policy=desk.policy)
    told: dict[str, Any] = {} if job.error_code == RESULT_LOST else {"error_code": code, "error_message": words}
    until = desk.now() + timedelta(seconds=wait_s)
    return desk.ledger.change_job(job, unseen_since=job.unseen_since or now, waits_until=until, **told)


def write_off(
    desk: Desk, job: BatchJob, handling: Handling, attempt: Attempt, *, folder: Path, to: JobState | None = None
) -> BatchJob | None:
    """Give every item of a job that will bring nothing the same outcome (a lost batch, a refused file)."""
    with desk.objects.local_copy(requests_key(job)) as requests, (folder / "results.jsonl").open("wb") as opened:
        writer, file = handling.writer(job), SealedFile(opened)
        for custom_id in request_ids(requests):
            writer.write(file, ResultLine(custom_id, attempt))
        outcomes = _as_counts(writer.end(file))
    desk.fence.check()
    desk.objects.put_file(results_key(job), folder / "results.jsonl")
    told: dict[str, Any] = (
        {"error_code": attempt.error.code, "error_message": attempt.error.message} if to and attempt.error else {}
    )
    if told.get("error_code") == RESULT_LOST:
        told["waits_until"] = _next_look(desk, job)
    return desk.ledger.change_job(
        job, to=to, outcomes=outcomes, collected_at=desk.now(), token=desk.fence.token, **told
    )


def _next_look(desk: Desk, job: BatchJob) -> datetime | None:
    return look_again_at(replace(job, collected_at=None), now=desk.now(), policy=desk.policy)


def _as_counts(outcomes: Mapping[AttemptOutcome, int]) -> dict[str, int]:
    return {str(outcome): count for outcome, count in outcomes.items() if count}


def _brings_nothing(job: BatchJob) -> Attempt:
    words = job.error_message or "the batch is lost"
    if job.error_code == NEVER_ENDED:
        return _unanswered(AttemptOutcome.EXPIRED, NEVER_ENDED, words)
    return lost_result(words)


def is_written_off(job: BatchJob) -> bool:
    """Tell whether the items of a closed job have their outcomes, or were never its own."""
    return job.collected_at is not None


def _look_at(desk: Desk, job: BatchJob) -> ProviderBatch | None:
    """Ask once more how the batch ended; what the ledger knows stands where the provider forgot it.

    None: it is lost, and nothing of it has turned up since.
    """
    try:
        return _with_known_files(job, desk.provider.find(job.provider_id or ""))
    except BatchCallError as error:
        if error.fault is not CallFault.GONE:
            raise
    if job.error_code == RESULT_LOST and not (job.output_file_id or job.error_file_id):
        return None
    return ProviderBatch(
        id=job.provider_id or "",
        phase=Phase.COMPLETED,
        status=job.provider_status or "",
        key=job.submission_key,
        created_at=job.provider_created_at,
        output_file_id=job.output_file_id,
        error_file_id=job.error_file_id,
        completed=job.completed,
    )


def _with_known_files(job: BatchJob, batch: ProviderBatch) -> ProviderBatch:
    """Add the files that an earlier look saw: a later answer may be older."""
    output, errors = batch.output_file_id or job.output_file_id, batch.error_file_id or job.error_file_id
    return replace(batch, output_file_id=output, error_file_id=errors)


def _submit_again(desk: Desk, job: BatchJob, batch: ProviderBatch) -> BatchJob | None:
    """Close a batch that the provider had no room for, and let its file wait for another one, uploaded anew."""
    first = next(iter(batch.errors))
    if job.attempt + 1 >= desk.policy.max_submissions:
        return desk.ledger.change_job(job, to=JobState.FAILED, error_code=first.code, error_message=first.message)
    now = desk.now()
    waits_until = now + timedelta(seconds=queue_wait_s(job, policy=desk.policy))
    follower = again(job, ledger_id=desk.ledger_id, now=now, waits_until=waits_until)
    waiting = desk.ledger.resubmit_job(
        job, again=follower, error_code=first.code, error_message=first.message, collected_at=now
    )
    if waiting is not None:
        delete_provider_files(desk, job)
    return waiting


@dataclass(frozen=True, slots=True)
class _Raw:
    """Keys of the copies in our store, and what should be there and is not."""

    keys: tuple[str, ...]
    lost: str | None = None
    """The file, as far as it has a name."""
    not_yet: bool = False
    """Whether it is too early to call it lost."""
    too_large: str | None = None
    """What is said of a file that was broken off: it is there, and no look of ours changes that."""

    @property
    def lost_words(self) -> str | None:
        """Say what is lost."""
        if self.too_large is not None:
            return self.too_large
        if self.lost is None or self.lost == _NAMELESS:
            return self.lost
        return f"its result file {self.lost} is gone at the provider (404)"


def _fetch(desk: Desk, job: BatchJob, batch: ProviderBatch, *, folder: Path) -> _Raw:
    keys: list[str] = []
    lost: list[str] = []
    too_large: str | None = None
    files = (("output", batch.output_file_id), ("errors", batch.error_file_id))
    for kind, file_id in files:
        if file_id is None:
            continue
        try:
            keys.append(_copy(desk, raw_key(job, kind), file_id, folder=folder))
        except ResultTooLargeError as error:
            too_large = f"{error.message}; {error.hint}"
            lost.append(file_id)
        except BatchCallError as error:
            if error.fault is not CallFault.GONE:
                raise
            lost.append(file_id)
    if lost:
        waited = is_over(job.unseen_since, file_patience_s(desk.policy), now=_present(desk))
        over = waited or job.error_code == RESULT_LOST  # was called lost before, and is looked at once more
        not_yet = not (over or too_large)
        return _Raw(tuple(keys), lost=" and ".join(lost), not_yet=not_yet, too_large=too_large)
    if lacks_files(batch) and was_paid_for(batch):
        return _Raw(tuple(keys), lost=_NAMELESS)
    return _Raw(tuple(keys))


def _present(desk: Desk) -> datetime:
    return desk.provider.now() or desk.now()


def _copy(desk: Desk, key: str, file_id: str, *, folder: Path) -> str:
    """Copy a provider's file into our store, unless an earlier attempt did."""
    try:
        with desk.objects.local_copy(key):
            return key
    except NotFoundError:
        pass
    local = folder / "download.jsonl"
    desk.provider.download(file_id, local, most_bytes=desk.policy.most_result_bytes)
    clean_file(local, most_bytes=desk.policy.most_line_bytes)
    desk.objects.put_file(key, local)
    local.unlink(missing_ok=True)
    return key


@dataclass(slots=True)
class _Tally:
    """What was counted while a job was read."""

    outcomes: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    repeated: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    lost_words: str | None = None

    def anomalies(self) -> Iterator[str]:
        """Say what should not have happened."""
        if self.unreadable:
            yield f"{counted(self.unreadable, 'line')} of the results could not be read"
        if self.repeated:
            yield f"{counted(len(self.repeated), 'id')} came more than once, the first counts: {_some(self.repeated)}"
        if self.differing:
            yield f"{len(self.differing):,} of them came with different answers: {_some(self.differing)}"
        if self.unknown:
            strange = counted(len(self.unknown), "id", verb=("was", "were"))
            yield f"{strange} never sent and dropped: {_some(self.unknown)}"
        if self.lost_words:
            yield f"{self.lost_words}; {RESEND_HINT}"


def _some(ids: Collection[str]) -> str:
    return ", ".join(repr(excerpt(name, most=80)) for name in list(ids)[:_SHOWN_IDS])


def _read(desk: Desk, job: BatchJob, handling: Handling, raw: _Raw, *, batch: ProviderBatch, folder: Path) -> _Tally:
    tally = _Tally(lost_words=raw.lost_words)
    with desk.objects.local_copy(requests_key(job)) as requests:
        waiting = dict.fromkeys(request_ids(requests), True)
    read = handling.reader(job, waiting)
    with (folder / "results.jsonl").open("wb", buffering=_BUFFER_BYTES) as opened:
        writer, file = handling.writer(job), SealedFile(opened)
        came = _first_lines(desk, raw.keys, read, waiting, tally=tally)
        by_somebody = AttemptOutcome.CANCELLED
        for line in chain(came, _missing_lines(batch, raw, waiting)):
            writer.write(file, _by_whom(line, job) if line.attempt.outcome is by_somebody else line)
        tally.outcomes = _as_counts(writer.end(file))
    if sum(tally.outcomes.values()) != job.requests:
        raise AssertionError(f"{job.name}: {sum(tally.outcomes.values())} outcomes of {job.requests} items")
    _compare_repeated(desk, raw.keys, read, tally=tally)
    return tally


def _by_whom(line: ResultLine, job: BatchJob) -> ResultLine:
    """Decide what it means that an item was cancelled: only what we cancelled goes out again by itself."""
    attempt, ours = line.attempt, job.cancelled_by_us
    error = None if attempt.error is None else replace(attempt.error, transient=ours)
    return replace(line, attempt=replace(attempt, error=error, unsent=not ours))


def _first_lines(
    desk: Desk, keys: Iterable[str], read: LineReader, waiting: dict[str, bool], *, tally: _Tally
) -> Iterator[ResultLine]:
    """Yield the first line of every id that was sent, which then waits no more; count all other lines.

    A line that cannot be read counts only when none that can be follows.
    """
    unread: dict[str, ResultLine] = {}
    malformed = AttemptOutcome.MALFORMED
    for key in keys:
        with _results(desk, key) as raw_lines:
            for number, raw_line in raw_lines:
                if raw_line.isspace():
                    continue
                line = read(raw_line)
                custom_id = line.custom_id
                if custom_id is None:
                    tally.unreadable += 1
                    continue
                waits = waiting.get(custom_id)
                if waits and line.attempt.outcome is not malformed:
                    waiting[custom_id] = False
                    yield line
                elif waits is None:
                    tally.unknown.append(custom_id)
                elif waits and custom_id not in unread:
                    unread[custom_id] = _placed(line, key=key, number=number)
                else:
                    tally.repeated.append(custom_id)
    for custom_id, line in unread.items():
        if waiting[custom_id]:
            waiting[custom_id] = False
            tally.unreadable += 1
            yield line


@contextmanager
def _results(desk: Desk, key: str) -> Iterator[Iterator[tuple[int, bytes]]]:
    """Open a file of results as numbered lines, which end at a line feed and nowhere else; some of them are blank."""
    with desk.objects.local_copy(key) as path, path.open("rb", buffering=_BUFFER_BYTES) as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:  # some servers begin a file with a mark
            file.seek(0)
        yield enumerate(lines_of(file, most_bytes=desk.policy.most_line_bytes), start=1)


def _placed(line: ResultLine, *, key: str, number: int) -> ResultLine:
    """Say where the bytes of a line are kept that nobody could read."""
    error = line.attempt.error
    if error is None:
        return line
    words = f"{error.message} (kept as line {number:,} of {key})"
    return replace(line, attempt=replace(line.attempt, error=replace(error, message=words)))


def _compare_repeated(desk: Desk, keys: Iterable[str], read: LineReader, *, tally: _Tally) -> None:
    """Note which of the ids that came more than once came with different answers; the files are read once more."""
    if not tally.repeated:
        return
    first: dict[str, object] = dict.fromkeys(tally.repeated, _NOTHING)
    differing: dict[str, None] = {}
    for line in _read_again(desk, keys, read):
        if line.custom_id in first:
            said = (line.attempt.outcome, line.attempt.text, _vectors(line))
            if first[line.custom_id] is _NOTHING:
                first[line.custom_id] = said
            elif first[line.custom_id] != said:
                differing[line.custom_id] = None
    tally.differing = list(differing)


def _read_again(desk: Desk, keys: Iterable[str], read: LineReader) -> Iterator[ResultLine]:
    for key in keys:
        with _results(desk, key) as raw_lines:
            yield from (read(raw_line) for _, raw_line in raw_lines if not raw_line.isspace())


def _vectors(line: ResultLine) -> Sequence[bytes | None] | None:
    return line.payload.vectors if isinstance(line.payload, EmbeddingReply) else None


def _missing_lines(batch: ProviderBatch, raw: _Raw, waiting: Mapping[str, bool]) -> Iterator[ResultLine]:
    for number, custom_id in enumerate(waiting, start=1):
        if waiting[custom_id]:
            yield ResultLine(custom_id, _without_result(batch, raw, line=number))


def _without_result(batch: ProviderBatch, raw: _Raw, *, line: int) -> Attempt:
    """Say what it means that an item is in no result file."""
    if raw.lost_words is not None:
        return lost_result(raw.lost_words)
    match batch.phase:
        case Phase.FAILED:
            return _refused(batch.errors, line=line)
        case Phase.EXPIRED:
            return _unanswered(AttemptOutcome.EXPIRED, "batch_expired", "the batch expired before the item was done")
        case Phase.CANCELLED:
            words = "the batch was cancelled before the item was done"
            return _unanswered(AttemptOutcome.CANCELLED, "batch_cancelled", words)
    return _unanswered(AttemptOutcome.MISSING, "missing_result", "the provider returned no result for the item")


def lost_result(words: str) -> Attempt:
    """Return the outcome of an item whose result was paid for and is gone: only a person may send it again."""
    error = ItemError(code=RESULT_LOST, type="batch", message=f"{words}; {RESEND_HINT}", transient=False)
    return Attempt(outcome=AttemptOutcome.MISSING, error=error, maybe_billed=True)


def refused_file(code: str | None, message: str | None) -> Attempt:
    """Return the outcome of an item whose request file the provider did not take."""
    words = message or "the provider refused the batch"
    attempt = _unanswered(AttemptOutcome.FAILED, code or "batch_refused", words, transient=False)
    return replace(attempt, unsent=True)


def _refused(errors: Collection[LineError], *, line: int) -> Attempt:
    """Return what a batch that failed as a whole means for the item on a line of its request file."""
    match refusal_of(errors):
        case Refusal.ALL:
            first = next(iter(errors))
            return refused_file(first.code, first.message)
        case Refusal.LINES:
            mine = next((error for error in errors if error.line == line), None)
            if mine is not None:
                words = f"line {line} of the request file: {mine.message}"
                return _unanswered(AttemptOutcome.FAILED, mine.code, words, transient=False)
            words = "the batch was refused for other lines of its file"
            return _unanswered(AttemptOutcome.RETRYABLE, "batch_refused", words)
    return _unanswered(AttemptOutcome.RETRYABLE, "batch_failed", "the provider failed the batch without a reason")


def _unanswered(outcome: AttemptOutcome, code: str, message: str, *, transient: bool = True) -> Attempt:
    return Attempt(outcome=outcome, error=ItemError(code=code, type="batch", message=message, transient=transient))


def delete_provider_files(desk: Desk, job: BatchJob) -> None:
    """Delete what the provider keeps of a job that is closed; a file that stays is deleted by its own expiry."""
    for file_id in (job.input_file_id, job.output_file_id, job.error_file_id):
        if file_id is not None:
            with suppress(BatchCallError):
                desk.provider.delete_file(file_id)
