"""Reads golden rows from JSON Lines: one object a line, keys as the columns of a CSV.

Numbers are taken as the text that stands in the file (``18.50`` stays ``18.50``); a question or an answer of any other
kind than text or number skips the row. Among the metadata, everything that is no text is kept as JSON text.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.text_eval.golden_row import Entry, GoldenRow, text_problem

_REQUIRED = ("question", "answer")
_NAMED = frozenset({*_REQUIRED, "category"})
_SHOWN_KEYS = 10
_KINDS = {bool: "true or false", type(None): "null", list: "a list", dict: "an object"}


class _NumberText(str):
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
    parse_float=_NumberText,
    parse_int=_NumberText,
    parse_constant=_refuse_constant,
    object_pairs_hook=_without_repetition,
)


def jsonl_entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield every line that is not blank, usable or skipped, in the order of the file."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _entry(number, line)


def _entry(number: int, line: str) -> Entry:
    try:
        return _row(number, line)
    except json.JSONDecodeError as error:
        return SkippedRow(number, f"invalid JSON: {error.msg} (column {error.colno:,})")
    except RecursionError:
        return SkippedRow(number, "invalid JSON: nested too deeply")
    except ValueError as error:
        return SkippedRow(number, f"invalid JSON: {error}")


def _row(number: int, line: str) -> Entry:
    value = _DECODER.decode(line.rstrip("\r\n"))
    if not isinstance(value, dict):
        return SkippedRow(number, f"not a JSON object but {_kind(value)}")
    fields = {key.strip().lower(): item for key, item in value.items()}
    problem = _problem(fields, keys=len(value))
    if problem is None and "\\u" in line:
        problem = _escape_problem(fields)
    if problem is not None:
        return SkippedRow(number, problem)
    category = fields.get("category")
    return GoldenRow(
        line=number,
        question=str(fields["question"]),
        answer=str(fields["answer"]),
        category=None if category is None else _as_text(category).strip() or None,
        metadata={key: _as_text(item) for key, item in fields.items() if key not in _NAMED},
    )


def _problem(fields: Mapping[str, Any], *, keys: int) -> str | None:
    if len(fields) != keys:
        return "two keys that differ only in upper and lower case or outer spaces"
    for key in _REQUIRED:
        if key not in fields:
            return f"no key '{key}' (its keys: {', '.join(map(shown, list(fields)[:_SHOWN_KEYS]))})"
        if not isinstance(fields[key], str):
            return f"{key} is {_kind(fields[key])}, not text"
    return text_problem(fields["question"], fields["answer"])


def _escape_problem(fields: Mapping[str, Any]) -> str | None:
    r"""Find what only ``\u`` escapes can bring in: NUL, and half of a surrogate pair, which no file can store."""
    text = "".join(key + _as_text(item) for key, item in fields.items())
    if "\0" in text or "\\u0000" in text:
        return "it holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "it holds half of a surrogate pair"
    return None


def _kind(value: object) -> str:
    return "a number" if isinstance(value, _NumberText) else _KINDS.get(type(value), "a text")


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    match value:
        case _NumberText():
            return value
        case list():
            return f"[{', '.join(map(_as_json, value))}]"
        case dict():
            return f"{{{', '.join(f'{_as_json(key)}: {_as_json(item)}' for key, item in value.items())}}}"
        case _:
            return json.dumps(value, ensure_ascii=False)
