"""Lists as OpenAI pages them: ``limit``, ``after``, ``has_more``, ``first_id`` and ``last_id``."""

from collections.abc import Mapping, Sequence

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.openai.bodies import InvalidBodyError


def page(
    entries: Sequence[Json],
    query: Mapping[str, str],
    *,
    most: int,
    usual: int,
) -> JsonDict:
    """Return the list object with the entries that the query wants.

    Args:
        entries: Everything that there is, in the order of the list.
        query: The parameters of the URL.
        most: The greatest limit.
        usual: The limit that holds when none is given.
    """
    limit = _limit(query, most=most, usual=usual)
    start = _start(entries, query.get("after"))
    shown = entries[start : start + limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(entries) > start + limit,
    }


def _limit(query: Mapping[str, str], *, most: int, usual: int) -> int:
    given = query.get("limit", str(usual))
    if not given.isdecimal() or not 1 <= int(given) <= most:
        message = f"Invalid 'limit': expected an integer from 1 to {most}, but got {given!r} instead."
        raise InvalidBodyError(message, param="limit", code="invalid_value")
    return int(given)


def _start(entries: Sequence[Json], after: str | None) -> int:
    if after is None:
        return 0
    for place, entry in enumerate(entries):
        if entry["id"] == after:
            return place + 1
    raise InvalidBodyError(f"Invalid 'after': no object with id '{after}'.", param="after", code="invalid_value")
