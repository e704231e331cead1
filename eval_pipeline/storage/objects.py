"""Rules that hold for objects in every store: how a key is spelled, and how a store's failure is told."""

import errno
import os
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from eval_pipeline.core.errors import (
    ConflictError,
    EvalPipelineError,
    NotFoundError,
    UnavailableError,
    UsageError,
)
from eval_pipeline.core.names import shown
from eval_pipeline.storage.scratch import scratch_folder

MAX_SEGMENT_BYTES = 255  # what Linux and macOS take as a file name
MAX_KEY_BYTES = 900  # S3 takes 1,024; the rest is for the store's own prefix

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_UNFIT_KEY = frozenset({errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ})


def checked_key(key: str) -> str:
    """Return the key if every store can hold it and it leads nowhere else, else raise ``invalid_object_key``."""
    problem = _key_problem(key)
    if problem is None:
        return key
    raise invalid_key(key, problem=problem)


def _key_problem(key: str) -> str | None:
    too_long = f"it has more than {MAX_KEY_BYTES} bytes, or a segment more than {MAX_SEGMENT_BYTES}"
    if len(key) > MAX_KEY_BYTES:  # first, because the rest looks at every character
        return too_long
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in key):
        return "it holds a control character or half of a surrogate pair"
    segments = key.split("/")
    if "" in segments or "\\" in key:
        return "it is absolute, holds a backslash or an empty segment"
    if any(segment.startswith(".") for segment in segments):
        return "a segment begins with a dot"
    sizes = [len(segment.encode()) for segment in segments]
    return too_long if len(key.encode()) > MAX_KEY_BYTES or max(sizes) > MAX_SEGMENT_BYTES else None


def invalid_key(key: str, *, problem: str) -> UsageError:
    """Build the error of a key that no object can have."""
    return UsageError(
        f"{shown(key)} cannot name an object in the store: {problem}",
        code="invalid_object_key",
        hint="use '/'-joined names without '..', leading dots, backslashes and control characters",
    )


def object_missing(url: str) -> NotFoundError:
    """Build the error of an object that a readable store does not hold."""
    return NotFoundError(f"there is no object {url}", code="object_missing", hint="check which store is configured")


def object_exists(url: str) -> ConflictError:
    """Build the error of a creator that came second."""
    return ConflictError(f"{url} exists already", code="object_exists", hint="another process stored it first")


def store_unavailable(where: str, *, reason: str, hint: str) -> UnavailableError:
    """Build the error of a store that could not be read or written; nothing is known about what it holds."""
    return UnavailableError(f"the store does not work at {where}: {reason}", code="store_unavailable", hint=hint)


def explain_os_error(error: OSError, *, path: Path) -> EvalPipelineError:
    """Turn what the operating system said about a path into words that name the remedy."""
    reason = (os.strerror(error.errno) if error.errno else str(error) or type(error).__name__).lower()
    if error.errno in _UNFIT_KEY:
        return invalid_key(path.name, problem=f"{reason} at {path.parent}")
    return store_unavailable(str(path), reason=reason, hint=_remedy(error.errno))


def _remedy(number: int | None) -> str:
    if number in _FULL:
        return "free space there or set EVAL_PIPELINE_STORE to another place, then retry; what is stored is kept"
    if number in _REFUSED:
        return "let this user read and write there, or set EVAL_PIPELINE_STORE to another place"
    return "check the disk and that it is mounted, then retry"


@contextmanager
def os_errors_explained(path: Path, *, but: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Raise what the operating system refuses at ``path`` as an error that a person can act on, ``but`` as they are."""
    try:
        yield
    except but:
        raise
    except OSError as error:
        raise explain_os_error(error, path=path) from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder for files on their way, removed afterwards."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
        except OSError as error:
            hint = "free space there, or set TMPDIR to a folder with room that this user may write to"
            reason = (error.strerror or str(error)).lower()
            raise store_unavailable("the folder for temporary files", reason=reason, hint=hint) from error
        yield folder
