"""JSON Lines: one object a line, its keys read as the columns of a CSV.

Numbers are taken as the text that stands in the file (``18.50`` stays ``18.50``).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import MAX_CELL_CHARACTERS
from eval_pipeline.intake.purpose import Purpose

R = TypeVar("R")

_JSON_ARRAY = re.compile(r"\[\s*(\{|$)")
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
_KINDS = {bool: "true or false", type(None): "null", list: "a list", dict: "an object"}


class NumberText(str):
    """A JSON number as it was written."""

    __slots__ = ()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; of a key that stands twice JSON keeps the last value, and nobody would see which one counts."""
    made = dict(pairs)
    if len(made) != len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {shown(twice)} stands twice")
    return made


_DECODER = json.JSONDecoder(
    parse_float=NumberText,
    parse_int=NumberText,
    parse_constant=_refuse_constant,
    object_pairs_hook=_without_repetition,
)


def is_jsonl(first_line: str, *, suffix: str, purpose: Purpose) -> bool:
    """Tell JSON Lines by the first line that is not blank, else by the suffix of the name; refuse a JSON array."""
    start = first_line.lstrip()
    if _JSON_ARRAY.match(start):
        raise purpose.refuse(
            "it is one JSON array, not one JSON object a line",
            hint="write each object on a line of its own, without commas between them (jq -c '.[]' does it)",
        )
    return start.startswith("{") or suffix in _JSON_SUFFIXES


def jsonl_rows(
    lines: Iterable[str], read: Callable[[int, Mapping[str, Any]], R | SkippedRow]
) -> Iterator[R | SkippedRow]:
    """Yield what ``read`` makes of the number and the fields of every line that is not blank, or why there is none."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(number, line, read)


def _row(number: int, line: str, read: Callable[[int, Mapping[str, Any]], R | SkippedRow]) -> R | SkippedRow:
    try:
        fields = _fields(line)
        return SkippedRow(number, fields) if isinstance(fields, str) else read(number, fields)
    except json.JSONDecodeError as error:
        return SkippedRow(number, f"invalid JSON: {error.msg} (column {error.colno:,})")
    except RecursionError:
        return SkippedRow(number, "invalid JSON: nested too deeply")
    except ValueError as error:
        return SkippedRow(number, f"invalid JSON: {error}")


def _fields(line: str) -> Mapping[str, Any] | str:
    value = _DECODER.decode(line.rstrip("\r\n"))
    if not isinstance(value, dict):
        return f"not a JSON object but {kind_of(value)}"
    fields = {key.strip().lower(): item for key, item in value.items()}
    if len(fields) != len(value):
        return "two keys that differ only in upper and lower case or outer spaces"
    if len(line) > MAX_CELL_CHARACTERS and any(len(as_text(item)) > MAX_CELL_CHARACTERS for item in fields.values()):
        return f"a value has more than {MAX_CELL_CHARACTERS:,} characters"
    return (_escape_problem(fields) if "\\u" in line else None) or fields


def read_json_cell(text: str) -> object:
    """Read the JSON that a cell holds; raises ValueError with the reason where it is none."""
    try:
        value = _DECODER.decode(text.strip())
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, character {error.colno:,}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    problem = _escape_problem({"": value}) if "\\u" in text else None
    if problem is not None:
        raise ValueError(problem)
    return value


def _escape_problem(fields: Mapping[str, Any]) -> str | None:
    r"""Find what only ``\u`` escapes can bring in: NUL, and half of a surrogate pair, which no file can store."""
    text = "".join(key + as_text(item) for key, item in fields.items())
    if "\0" in text or "\\u0000" in text:
        return "it holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "it holds half of a surrogate pair"
    return None


def kind_of(value: object) -> str:
    """Name the kind of a JSON value."""
    return "a number" if isinstance(value, NumberText) else _KINDS.get(type(value), "a text")


def as_text(value: object) -> str:
    """Return a text as it is, everything else as JSON text."""
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    match value:
        case NumberText():
            return value
        case list():
            return f"[{', '.join(map(_as_json, value))}]"
        case dict():
            return f"{{{', '.join(f'{_as_json(key)}: {_as_json(item)}' for key, item in value.items())}}}"
        case _:
            return json.dumps(value, ensure_ascii=False)
