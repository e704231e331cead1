"""The columns that people keep beside their questions: how they number them, and what else they want to see again."""

import orjson

SHOWN_COLUMNS = 12
LONGEST_VALUE = 300
_ID_NAMES = (
    *(
        "id",
        "row_id",
        "rowid",
        "question_id",
        "qid",
        "q_id",
        "item_id",
        "sample_id",
        "case_id",
        "test_id",
        "uid",
        "uuid",
    ),
    *(
        "key",
        "ref",
        "reference",
        "code",
        "no",
        "no.",
        "nr",
        "number",
        "num",
        "#",
        "s.no",
        "s.no.",
        "sno",
        "sl no",
        "index",
    ),
    *("क्रमांक", "क्र", "क्रम", "संख्या"),
)


def own_columns(metadata: str) -> dict[str, str]:
    """Return the columns of a row as they are shown, those that are empty left out.

    Args:
        metadata: of the row, as JSON.
    """
    found: dict[str, str] = orjson.loads(metadata)
    filled = {name: _clipped(value) for name, value in found.items() if value.strip()}
    return dict(list(filled.items())[:SHOWN_COLUMNS])


def own_id(metadata: str) -> str | None:
    """Return how people name a row, where a column says so.

    >>> own_id('{"topic": "x", "id": "Q-04"}'), own_id('{"topic": "x"}')
    ('Q-04', None)
    """
    found: dict[str, str] = orjson.loads(metadata)
    name = next((name for name in _ID_NAMES if found.get(name, "").strip()), None)
    return None if name is None else _clipped(found[name].strip())


def _clipped(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
