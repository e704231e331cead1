"""Conversations as the chat interface of OpenAI takes them: ``messages`` with tool calls, one conversation a record.

Also lines of its batches, logged pairs of request and response, and a file that is the messages of one conversation.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.importers.chat import Chat, tools_of
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat

IDS: Final = ("session_id", "conversation_id", "thread_id", "chat_id", "custom_id", "id")
_NAMES: Final = ("name", "title")
_PROFILES: Final = ("profile_id", "profile", "assistant_id", "agent", "agent_id")
_BEGINS: Final = ("created_at", "created", "createdAt", "create_time", "timestamp", "start_time")
_ENDS: Final = ("last_active", "updated_at", "updatedAt", "update_time", "end_time")


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a conversation, or its messages alone."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) and _is_message(one) for one in value)
    if not isinstance(value, dict) or "traj" in value or "samples" in value:
        return False
    return _messages_in(value) is not None or _is_message(value)


def _is_message(value: Json) -> bool:
    return isinstance(value.get("role"), str) and bool(
        {"content", "tool_calls", "parts", "function_call"} & value.keys()
    )


def _messages_in(value: Json) -> list[Any] | None:
    """Return the messages of a record, with the answer that stands beside them."""
    request = next((value[name] for name in ("body", "request", "kwargs") if isinstance(value.get(name), dict)), value)
    names = ("messages", "conversation", "conversations", "chat", "turns")
    asked = next((request[name] for name in names if isinstance(request.get(name), list)), None)
    answer = _answer(value)
    return None if asked is None and not answer else [*(asked or []), *answer]


def _answer(value: Json) -> Sequence[Any]:
    response: Any = value.get("response") or value.get("completion") or value
    if isinstance(response, dict) and isinstance(response.get("body"), dict):
        response = response["body"]
    choices = response.get("choices") if isinstance(response, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return []
    message = choices[0].get("message")
    about = {key: response[key] for key in ("usage", "model") if response.get(key)}
    return [{**about, **message}] if isinstance(message, dict) else []


def read(record: Record) -> Iterator[Imported]:
    """Read one conversation."""
    value: JsonDict = {"messages": record.value} if isinstance(record.value, list) else record.value
    if not isinstance(value, dict):
        raise NotASessionError("it is no object with messages")
    messages = _messages_in(value)
    if messages is None:
        raise NotASessionError("it has no messages")
    chat = Chat()
    chat.add_all(messages)
    request = next((value[name] for name in ("body", "request") if isinstance(value.get(name), dict)), value)
    yield imported(
        record,
        chat,
        about={key: item for key, item in value.items() if key not in _TAKEN},
        tools=tools_of(request.get("tools") or request.get("functions")),
        source=SourceFormat.OPENAI_CHAT,
    )


_TAKEN: Final = frozenset(
    {"messages", "conversation", "conversations", "chat", "turns", "tools", "functions", "schema"}
)


def imported(record: Record, chat: Chat, *, about: Json, tools: list[JsonDict], source: SourceFormat) -> Imported:
    """Make the session of a conversation from its messages and what its record says beside them."""
    rest = dict(about)
    session_id = _take(rest, IDS)
    told = {"name": _text(_take(rest, _NAMES)), "profile_id": _text(_take(rest, _PROFILES))}
    times = {"created_at": chat.moment(_take(rest, _BEGINS)), "last_active": chat.moment(_take(rest, _ENDS))}
    pinned = rest.pop("pinned", None)
    outcome = rest.pop("outcome", None)
    if not isinstance(outcome, dict):
        rest |= {} if outcome is None else {"outcome": outcome}
        outcome = None
    feedback = rest.pop("feedback", None) if _is_feedback(rest.get("feedback")) else None
    metadata = rest.pop("metadata", None)
    if isinstance(metadata, dict):
        rest = {**metadata, **rest}
    elif metadata is not None:
        rest["metadata"] = metadata
    messages = chat.finish()
    if chat.unmapped:
        rest["unmapped"] = chat.unmapped
    session: JsonDict = {
        "schema": SCHEMA,
        "session_id": str(session_id) if session_id not in (None, "") else own_id(record),
        **{key: item for key, item in {**told, **times}.items() if item is not None},
        **({"pinned": True} if pinned is True else {}),
        "source": {"format": str(source), **({"id": str(session_id)} if session_id not in (None, "") else {})},
        **({"tools": tools} if tools else {}),
        "messages": messages,
        **({"feedback": feedback} if feedback else {}),
        **({"outcome": outcome} if outcome else {}),
        **({"metadata": rest} if rest else {}),
    }
    return Imported(session, record.number, tuple(chat.notes))


def own_id(record: Record) -> str:
    """Return the id of a session that has none: its file and its place there."""
    return f"{record.origin or 'session'}-{record.number}"


def _is_feedback(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and "message_index" in one for one in value)


def _take(rest: JsonDict, names: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    """Take the first of several names that says something; the others stay."""
    for name in names:
        if rest.get(name) not in (None, "") and not isinstance(rest[name], dict | list):
            return rest.pop(name)
    return None


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None else str(value)


OPENAI_CHAT = Importer(format=SourceFormat.OPENAI_CHAT, recognises=recognises, read=read)
