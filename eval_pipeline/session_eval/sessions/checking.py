"""Holds JSON against the schema of a session, in one pass and without a copy, since a hundred thousand are checked so.

Every complaint names the place, the value and the remedy. What the schema leaves open stays as it came.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.session_eval.sessions.times import is_time

SCHEMA: Final = "eval_pipeline.session/1"
MAX_ID_CHARACTERS: Final = 256
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
PART_KINDS: Final = ("text", "image", "audio", "file", "data")
TOOL_KINDS: Final = ("function", "subagent", "extension", "builtin")
FORMATS: Final = (
    "native",
    "openai_chat",
    "openai_responses",
    "otel_genai",
    "openinference",
    "langfuse",
    "inspect",
    "atif",
    "tau_bench",
)
RATINGS: Final = (-1, 1)

Check = Callable[[Any, str], None]


class InvalidSessionError(UsageError):
    """JSON that is no session: where it is not, and what would make it one."""

    def __init__(self, path: str, problem: str, *, hint: str) -> None:
        super().__init__(f"{path} {problem}", code="invalid_session", hint=hint)
        self.path = path


def checked_session(value: object) -> JsonDict:
    """Return the session if it is one, keys of messages that are null left out, else raise ``invalid_session``.

    What is returned may share its parts with what was given.
    """
    if value.__class__ is not dict:
        _refuse("the session", value, wants="an object")
    session: JsonDict = value
    if session.get("schema") != SCHEMA:
        found = session.get("schema")
        problem = "is missing" if found is None else f"is {_told(found)}"
        raise InvalidSessionError("schema", problem, hint=f'write "schema": "{SCHEMA}", or name another --format')
    for key, item in session.items():
        check = _SESSION.get(key)
        if check is None:
            _refuse_key(key, _SESSION, where="")
        check(item, key)
    for key in ("session_id", "messages"):
        if key not in session:
            raise InvalidSessionError(key, "is missing", hint=f"give the session a {key}")
    messages = [_without_nulls(m) if None in m.values() else m for m in session["messages"]]
    return {**session, "messages": messages}


def _without_nulls(message: Json) -> JsonDict:
    return {key: item for key, item in message.items() if item is not None}


def check_id(value: object, path: str = "session_id") -> None:
    """Refuse what cannot name a session."""
    if value.__class__ is not str:
        _refuse(path, value, wants="a text")
    text = str(value)
    if not 1 <= len(text) <= MAX_ID_CHARACTERS:
        raise InvalidSessionError(
            path, f"has {len(text):,} characters", hint=f"give the session an id of 1 to {MAX_ID_CHARACTERS} characters"
        )
    if not text.isprintable() and any(unicodedata.category(character) in _UNFIT for character in text):
        raise InvalidSessionError(
            path, f"is {shown(text)}, which holds a control character", hint="use letters, digits and signs"
        )


_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _messages(value: object, path: str) -> None:
    if value.__class__ is not list:
        _refuse(path, value, wants="a list")
    messages: list[Any] = value
    if not messages:
        raise InvalidSessionError(path, "is empty", hint="a session has at least one message")
    for index, message in enumerate(messages):
        if message.__class__ is not dict:
            _refuse(f"{path}[{index}]", message, wants="an object")
        for key, item in message.items():
            if not _is_plain(key, item):
                check = _MESSAGE.get(key)
                if check is None:
                    _refuse_key(key, _MESSAGE, where=f"{path}[{index}].")
                check(item, f"{path}[{index}].{key}")
        if message.get("role") not in _ROLE_SET:
            _refuse_word(f"{path}[{index}].role", message.get("role"), words=ROLES)


def _is_plain(key: str, item: object) -> bool:
    """Tell, of what messages mostly hold, that it is as it should be; the rest is looked at one by one."""
    if item.__class__ is str:
        return key in _MESSAGE_TEXTS or (key == "created_at" and is_time(str(item)))
    if item is None:
        return key in _MESSAGE
    return key == "tool_calls" and _are_plain_calls(item)


def _are_plain_calls(calls: object) -> bool:
    """Tell calls that are as they should be; what is wrong with others is found out slowly."""
    if calls.__class__ is not list:
        return False
    for call in calls:
        if call.__class__ is not dict or call.keys() != _CALL_KEYS or call["arguments"].__class__ not in _ARGUMENTS:
            return False
        if call["id"].__class__ is not str or call["name"].__class__ is not str:
            return False
    return True


def _tool_calls(value: object, path: str) -> None:
    for place, call in _entries(value, path):
        for key in call:
            if key not in _CALL:
                _refuse_key(key, _CALL, where=f"{place}.")
        for key in ("id", "name"):
            if call.get(key).__class__ is not str:
                _refuse(f"{place}.{key}", call.get(key), wants="a text")
        if "arguments" not in call:
            raise InvalidSessionError(f"{place}.arguments", "is missing", hint="give what the tool was called with")
        if call["arguments"].__class__ not in _ARGUMENTS:
            _refuse(f"{place}.arguments", call["arguments"], wants="an object, or the text that could not be decoded")


_CALL: Final = ("id", "name", "arguments")
_CALL_KEYS: Final = frozenset(_CALL)
_ROLE_SET: Final = frozenset(ROLES)
_ARGUMENTS: Final = frozenset({dict, str, list, type(None)})


def _content(value: object, path: str) -> None:
    if value.__class__ is not list:
        _refuse(path, value, wants="a text or a list of parts")
    for place, part in _entries(value, path):
        if part.get("type") not in PART_KINDS:
            _refuse_word(f"{place}.type", part.get("type"), words=PART_KINDS)
        for key in ("text", "uri", "mime_type"):
            if key in part and part[key].__class__ is not str:
                _refuse(f"{place}.{key}", part[key], wants="a text")


def _tools(value: object, path: str) -> None:
    for place, tool in _entries(value, path):
        if tool.get("name").__class__ is not str:
            _refuse(f"{place}.name", tool.get("name"), wants="a text")
        _or_null(_text)(tool.get("description"), f"{place}.description")
        _or_null(_object)(tool.get("parameters"), f"{place}.parameters")
        if "kind" in tool and tool["kind"] not in TOOL_KINDS:
            _refuse_word(f"{place}.kind", tool["kind"], words=TOOL_KINDS)


def _feedback(value: object, path: str) -> None:
    for place, entry in _entries(value, path):
        for key, item in entry.items():
            check = _FEEDBACK.get(key)
            if check is None:
                _refuse_key(key, _FEEDBACK, where=f"{place}.")
            check(item, f"{place}.{key}")
        for key in ("message_index", "rating"):
            if key not in entry:
                raise InvalidSessionError(f"{place}.{key}", "is missing", hint="say which message was rated, and how")


def _message_index(value: object, path: str) -> None:
    if value.__class__ is not int or value < 0:
        _refuse(path, value, wants="the place of a message, from 0")


def _rating(value: object, path: str) -> None:
    if value.__class__ is bool or value not in RATINGS:
        _refuse(path, value, wants="1 for a like or -1 for a dislike")


def _outcome(value: object, path: str) -> None:
    if value is None:
        return
    _object(value, path)
    outcome: Json = value  # type: ignore[assignment]
    _or_null(_number)(outcome.get("reward"), f"{path}.reward")
    _or_null(_truth)(outcome.get("success"), f"{path}.success")
    if "source" in outcome:
        _text(outcome["source"], f"{path}.source")


def _source(value: object, path: str) -> None:
    _object(value, path)
    source: Json = value  # type: ignore[assignment]
    if source.get("format") not in FORMATS:
        _refuse_word(f"{path}.format", source.get("format"), words=FORMATS)
    for key in ("uri", "id"):
        if key in source:
            _text(source[key], f"{path}.{key}")


def _usage(value: object, path: str) -> None:
    _object(value, path)
    usage: Json = value  # type: ignore[assignment]
    for key in ("input_tokens", "output_tokens"):
        count = usage.get(key, 0)
        if count.__class__ is not int and not (count.__class__ is float and count.is_integer()):
            _refuse(f"{path}.{key}", count, wants="a whole number")


def _moment(value: object, path: str) -> None:
    _text(value, path)
    if not is_time(str(value)):
        raise InvalidSessionError(
            path, f"is {shown(str(value))}, which is no time", hint="write it as 2026-01-04T20:00:00Z"
        )


def _schema(_value: object, _path: str) -> None:
    """Was looked at first."""


def _text(value: object, path: str) -> None:
    if value.__class__ is not str:
        _refuse(path, value, wants="a text")


def _truth(value: object, path: str) -> None:
    if value.__class__ is not bool:
        _refuse(path, value, wants="true or false")


def _number(value: object, path: str) -> None:
    if value.__class__ is not int and value.__class__ is not float:
        _refuse(path, value, wants="a number")


def _object(value: object, path: str) -> None:
    if value.__class__ is not dict:
        _refuse(path, value, wants="an object")


def _role(value: object, path: str) -> None:
    _refuse_word(path, value, words=ROLES)


def _or_null(check: Check) -> Check:
    def check_unless_null(value: Any, path: str) -> None:  # noqa: ANN401 - JSON
        if value is not None:
            check(value, path)

    return check_unless_null


def _entries(value: object, path: str) -> list[tuple[str, JsonDict]]:
    """Return the objects of a list with their places."""
    if value.__class__ is not list:
        _refuse(path, value, wants="a list")
    entries: list[tuple[str, JsonDict]] = []
    for index, entry in enumerate(value):
        if entry.__class__ is not dict:
            _refuse(f"{path}[{index}]", entry, wants="an object")
        entries.append((f"{path}[{index}]", entry))
    return entries


_SESSION: Final[Mapping[str, Check]] = {
    "schema": _schema,
    "session_id": check_id,
    "profile_id": _or_null(_text),
    "name": _or_null(_text),
    "pinned": _truth,
    "created_at": _or_null(_moment),
    "last_active": _or_null(_moment),
    "source": _source,
    "tools": _tools,
    "messages": _messages,
    "feedback": _feedback,
    "outcome": _outcome,
    "metadata": _object,
}
_MESSAGE: Final[Mapping[str, Check]] = {
    "id": _text,
    "role": _role,
    "content": _content,
    "reasoning": _text,
    "name": _text,
    "agent": _text,
    "tool_calls": _tool_calls,
    "tool_call_id": _text,
    "error": _text,
    "created_at": _moment,
    "model": _text,
    "usage": _usage,
    "latency_ms": _number,
}
_MESSAGE_TEXTS: Final = frozenset(
    {"id", "role", "content", "reasoning", "name", "agent", "tool_call_id", "error", "model"}
)
_FEEDBACK: Final[Mapping[str, Check]] = {
    "message_index": _message_index,
    "message_id": _or_null(_text),
    "rating": _rating,
    "comment": _or_null(_text),
    "user": _or_null(_text),
    "created_at": _or_null(_moment),
}


def _refuse(path: str, value: object, *, wants: str) -> NoReturn:
    raise InvalidSessionError(path, f"is {_told(value)}", hint=f"give {wants}")


def _refuse_word(path: str, value: object, *, words: tuple[str, ...]) -> NoReturn:
    problem = "is missing" if value is None else f"is {_told(value)}"
    raise InvalidSessionError(path, problem, hint=f"use {', '.join(words[:-1])} or {words[-1]}")


def _refuse_key(key: str, known: Mapping[str, Check] | tuple[str, ...], *, where: str) -> NoReturn:
    raise InvalidSessionError(
        f"{where}{shown(key)}", "is no key that is known there", hint=f"known: {', '.join(known)}"
    )


def _told(value: object) -> str:
    """Say what a value is, for a sentence."""
    match value:
        case str():
            return shown(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return shown(str(value))
        case list():
            return "a list"
        case _:
            return "an object"
