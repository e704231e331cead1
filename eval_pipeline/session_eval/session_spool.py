"""Pieces of sessions on their way: spans and observations of one session may lie anywhere in any of the files.

They are laid down in a temporary file and read session by session, so that memory does not grow with the files.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from eval_pipeline.session_eval.sessions.importers.record import Piece
from eval_pipeline.session_eval.sessions.json_text import json_bytes, read_json

_COMMIT_EVERY = 20_000


class Spool:
    """Pieces in a file of their own."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "pieces.sqlite", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE pieces (id INTEGER PRIMARY KEY, file INTEGER, trace TEXT, own TEXT, moment TEXT, "
            "number INTEGER, body BLOB)"
        )
        self._database.execute("CREATE TABLE links (trace TEXT PRIMARY KEY, session TEXT)")
        self._pending: list[tuple[int, str, str | None, str, int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, piece: Piece, *, file: int) -> None:
        """Lay a piece down; what says to which session it belongs says so of its trace."""
        self._pending.append((file, piece.trace, piece.group, piece.order, piece.number, json_bytes(piece.value)))
        if piece.group is not None:
            self._database.execute("INSERT OR IGNORE INTO links VALUES (?, ?)", (piece.trace, piece.group))
        if len(self._pending) >= _COMMIT_EVERY:
            self._flush()

    def _flush(self) -> None:
        self._database.execute("BEGIN")
        insert = "INSERT INTO pieces (file, trace, own, moment, number, body) VALUES (?, ?, ?, ?, ?, ?)"
        self._database.executemany(insert, self._pending)
        self._database.execute("COMMIT")
        self._pending.clear()

    def sessions(self) -> Iterator[tuple[str, int, list[Piece]]]:
        """Yield the id of every session, the file of its first piece, and all its pieces in the order of time."""
        self._flush()
        query = (
            "SELECT coalesce(own, session, pieces.trace) AS belongs, file, pieces.trace, own, moment, number, body "
            "FROM pieces LEFT JOIN links ON links.trace = pieces.trace ORDER BY belongs, moment, id"
        )
        group: str | None = None
        first_file, pieces = 0, list[Piece]()
        for belongs, file, trace, own, moment, number, body in self._database.execute(query):
            if belongs != group:
                if group is not None:
                    yield group, first_file, pieces
                group, first_file, pieces = belongs, file, []
            pieces.append(Piece(trace, own, moment, read_json(body).value, number))
        if group is not None:
            yield group, first_file, pieces
