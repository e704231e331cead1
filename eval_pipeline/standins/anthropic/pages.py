"""Lists as Anthropic pages them: ``limit``, ``after_id``, ``before_id``; ``has_more``, ``first_id``, ``last_id``."""

from collections.abc import Mapping, Sequence

from eval_pipeline.standins.anthropic.errors import InvalidBodyError
from eval_pipeline.standins.documents import JsonDict

_MOST, _USUAL = 1000, 20


def page(ids: Sequence[str], query: Mapping[str, str]) -> JsonDict:
    """Return the page of ids that the query wants, as ``data``.

    Args:
        ids: Everything that there is, newest first.
        query: The parameters of the URL.
    """
    limit = _limit(query.get("limit", str(_USUAL)))
    after, before = query.get("after_id"), query.get("before_id")
    if before is not None:
        end = _place(ids, before, "before_id")
        start = max(0, end - limit)
        more = start > 0
    else:
        start = 0 if after is None else _place(ids, after, "after_id") + 1
        end = start + limit
        more = len(ids) > end
    shown = list(ids[start:end])
    return {
        "data": shown,
        "has_more": more,
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
    }


def _limit(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= _MOST:
        raise InvalidBodyError(f"limit: Input should be between 1 and {_MOST}")
    return int(given)


def _place(ids: Sequence[str], wanted: str, param: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise InvalidBodyError(f"{param}: no such object") from None
