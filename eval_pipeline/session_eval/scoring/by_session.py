"""Puts the cells of each session together, as rows come by."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from eval_pipeline.core.documents import Row
from eval_pipeline.session_eval.scoring.cells import Cell, read_cell


def cells_by_session(session_ids: Iterable[str], judgements: Iterable[Row]) -> Iterator[tuple[str, list[Cell]]]:
    """Yield each session with its cells; one that nobody judged has none.

    Args:
        session_ids: in the order of the sessions.
        judgements: rows in the same order, those of one session together; one out of order is kept until its turn.
    """
    groups = groupby(judgements, key=itemgetter("session_id"))
    early: dict[str, list[Cell]] = {}
    for session_id in session_ids:
        while session_id not in early:
            name, rows = next(groups, (None, ()))
            if name is None:
                break
            early.setdefault(name, []).extend(read_cell(row) for row in rows)
        yield session_id, early.pop(session_id, [])
