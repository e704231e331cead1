"""What the machine refuses, in words that a person can act on: open files, disk, memory, Dagster's own database.

Such errors come from anywhere, so that they are told apart where everything ends, and not at every line that could meet
one. What is known of a ledger, a store or a provider is told by those who use them.
"""

import errno
from typing import Final

from eval_pipeline.core.errors import EvalPipelineError, UnavailableError

_TOLD: Final = {
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n 1024), or lower --concurrency"),
    errno.ENFILE: ("the machine has too many open files", "end other processes, or raise the machine's limit"),
    errno.ENOSPC: ("the disk is full", "free space, or point EVAL_PIPELINE_HOME and TMPDIR to another disk"),
    errno.EDQUOT: ("the disk quota is spent", "free space, or point EVAL_PIPELINE_HOME and TMPDIR to another disk"),
    errno.EROFS: ("the disk is read-only", "point EVAL_PIPELINE_HOME and TMPDIR to a disk that can be written"),
    errno.EACCES: ("something may not be read or written", "correct its rights, or run as the user who owns it"),
    errno.EPERM: ("something may not be read or written", "correct its rights, or run as the user who owns it"),
    errno.EIO: ("the disk cannot be read or written", "look at the disk"),
    errno.ENOMEM: ("there is not enough memory", "end other processes, or lower --concurrency"),
    errno.EAGAIN: (
        "no further process or thread can be started",
        "end other processes, or raise the limit (ulimit -u)",
    ),
}
_KEPT: Final = "; what was stored is kept, and eval-pipeline run retry RUN goes on"


def explain_system(error: BaseException) -> EvalPipelineError | None:
    """Return what the machine refused, or None when it is not at fault."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        if told := _explained(cause):
            return told
        cause = cause.__cause__ or cause.__context__
    return None


def _explained(error: BaseException) -> EvalPipelineError | None:
    if isinstance(error, MemoryError):
        what, remedy = _TOLD[errno.ENOMEM]
        return UnavailableError(what, code="system_refused", hint=remedy + _KEPT)
    if isinstance(error, OSError) and error.errno in _TOLD:
        what, remedy = _TOLD[error.errno]
        where = f": {error.filename}" if error.filename else ""
        return UnavailableError(f"{what}{where}", code="system_refused", hint=remedy + _KEPT)
    if type(error).__module__.startswith("sqlalchemy."):  # the ledger's are explained where they happen
        return UnavailableError(
            f"Dagster's database cannot be used: {getattr(error, 'orig', None) or type(error).__name__}",
            code="dagster_database_unavailable",
            hint="where its disk is full, free space; where the file is damaged, move the folder dagster of the home "
            "away: the history of runs in the UI begins anew, and what was evaluated lies elsewhere and is kept",
        )
    return None


def defect(error: BaseException) -> EvalPipelineError:
    """Return what is left to say of an error that nobody foresaw."""
    return EvalPipelineError(
        f"{type(error).__name__}: {error}",
        code="internal_error",
        hint="this is a defect of eval-pipeline: please report it with the stack trace, which the terminal or the page "
        "of the run in the Dagster UI shows; what was stored is kept",
    )
