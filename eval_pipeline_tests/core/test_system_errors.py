"""What the machine refuses, told with its remedy wherever it comes from."""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import DatabaseError

from eval_pipeline.core.system_errors import defect, explain_system


@pytest.mark.parametrize(
    ("error", "code", "words", "remedy"),
    [
        (OSError(errno.EMFILE, "Too many open files", "/store/x"), "system_refused", "open: /store/x", "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left"), "system_refused", "the disk is full", "TMPDIR"),
        (PermissionError(errno.EACCES, "Permission denied", "/home"), "system_refused", "may not be read", "rights"),
        (MemoryError(), "system_refused", "not enough memory", "concurrency"),
        (
            DatabaseError("SELECT 1", {}, sqlite3.DatabaseError("file is not a database")),
            "dagster_database_unavailable",
            "cannot be used: file is not a database",
            "move the folder dagster",
        ),
    ],
)
def test_a_refusal_of_the_machine_is_told_with_its_remedy(error: Exception, code: str, words: str, remedy: str) -> None:
    outer = RuntimeError("somewhere")
    outer.__cause__ = error
    for told in (explain_system(error), explain_system(outer)):
        assert told is not None
        assert told.code == code
        assert words in told.message
        assert remedy in told.hint
        assert "SELECT" not in told.message


def test_any_other_error_is_a_defect_that_says_where_more_is_to_be_seen() -> None:
    assert explain_system(KeyError("x")) is None
    assert explain_system(FileNotFoundError(errno.ENOENT, "none")) is None
    assert "report it" in defect(KeyError("x")).hint
