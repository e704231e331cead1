"""A recorded session as the rest of the flow sees it, and its JSON, from one to the other without a loss.

Moments stay the texts that they came as; ``read_time`` reads them. What the schema leaves open is kept in ``more``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA, checked_session
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes

T = TypeVar("T")


class Role(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class PartKind(StrEnum):
    """What a part of a message holds."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    FILE = "file"
    DATA = "data"


class ToolKind(StrEnum):
    """What a tool is to the agent."""

    FUNCTION = "function"
    SUBAGENT = "subagent"
    """Hands work to another agent."""
    EXTENSION = "extension"
    """Extends the agent itself: new tools, skills, memory."""
    BUILTIN = "builtin"


class SourceFormat(StrEnum):
    """What a session was recorded as."""

    NATIVE = "native"
    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    OTEL_GENAI = "otel_genai"
    OPENINFERENCE = "openinference"
    LANGFUSE = "langfuse"
    INSPECT = "inspect"
    ATIF = "atif"
    TAU_BENCH = "tau_bench"


class Rating(IntEnum):
    """What a person thinks of a message."""

    DISLIKE = -1
    LIKE = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message's content."""

    type: PartKind
    text: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    id: str
    name: str
    arguments: Json | Sequence[Any] | str | None
    """Decoded, or the text that could not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; its place in the session is its index."""

    role: Role
    content: str | tuple[Part, ...] | None = None
    id: str | None = None
    reasoning: str | None = None
    name: str | None = None
    agent: str | None = None
    """The sub-agent that spoke; None is the root."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    error: str | None = None
    created_at: str | None = None
    model: str | None = None
    usage: Json | None = None
    latency_ms: float | None = None

    @property
    def text(self) -> str:
        """All text of the content; a part that holds none is not told."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text for part in self.content if part.text)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the agent was offered."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    kind: ToolKind | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFeedback:
    """What a person thinks of one message, as it was recorded with the session."""

    message_index: int
    rating: Rating
    message_id: str | None = None
    comment: str | None = None
    user: str | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the environment verified; never shown to a judge."""

    reward: float | None = None
    success: bool | None = None
    source: str | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a session was taken from."""

    format: SourceFormat
    uri: str | None = None
    id: str | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One recorded session."""

    session_id: str
    messages: tuple[Message, ...]
    profile_id: str | None = None
    name: str | None = None
    pinned: bool = False
    created_at: str | None = None
    last_active: str | None = None
    source: Source | None = None
    tools: tuple[Tool, ...] = ()
    feedback: tuple[MessageFeedback, ...] = ()
    outcome: Outcome | None = None
    metadata: Json | None = None

    @cached_property
    def tools_by_name(self) -> Mapping[str, Tool]:
        """The tools that were offered."""
        return {tool.name: tool for tool in self.tools}

    @cached_property
    def calls_by_id(self) -> Mapping[str, ToolCall]:
        """The calls, by what results name them with; of one id the first."""
        calls: dict[str, ToolCall] = {}
        for message in self.messages:
            for call in message.tool_calls:
                calls.setdefault(call.id, call)
        return calls


def read_session(value: object) -> Session:
    """Read the JSON of a session, else raise ``invalid_session`` with place, value and remedy."""
    return session_of(checked_session(value))


def session_of(checked: Json) -> Session:
    """Return the session that checked JSON says."""
    return Session(
        session_id=checked["session_id"],
        messages=tuple(_message(message) for message in checked["messages"]),
        profile_id=checked.get("profile_id"),
        name=checked.get("name"),
        pinned=checked.get("pinned", False),
        created_at=checked.get("created_at"),
        last_active=checked.get("last_active"),
        source=_or_none(_source, checked.get("source")),
        tools=tuple(_tool(tool) for tool in checked.get("tools", ())),
        feedback=tuple(
            MessageFeedback(**{**entry, "rating": Rating(entry["rating"])}) for entry in checked.get("feedback", ())
        ),
        outcome=_or_none(_outcome, checked.get("outcome")),
        metadata=checked.get("metadata"),
    )


def _message(value: Json) -> Message:
    content = value.get("content")
    return Message(
        **{
            **value,
            "role": Role(value["role"]),
            "content": content if content is None or isinstance(content, str) else tuple(map(_part, content)),
            "tool_calls": tuple(
                ToolCall(call["id"], call["name"], call["arguments"]) for call in value.get("tool_calls") or ()
            ),
        }
    )


def _part(value: Json) -> Part:
    texts = {key: value.get(key) for key in ("text", "uri", "mime_type")}
    return Part(PartKind(value["type"]), **texts, more=_more(value, "type", *texts))


def _tool(value: Json) -> Tool:
    known = ("name", "description", "parameters", "kind")
    kind = value.get("kind")
    return Tool(
        name=value["name"],
        description=value.get("description"),
        parameters=value.get("parameters"),
        kind=None if kind is None else ToolKind(kind),
        more=_more(value, *known),
    )


def _outcome(value: Json) -> Outcome:
    known = ("reward", "success", "source")
    return Outcome(value.get("reward"), value.get("success"), value.get("source"), more=_more(value, *known))


def _source(value: Json) -> Source:
    known = ("format", "uri", "id")
    return Source(SourceFormat(value["format"]), value.get("uri"), value.get("id"), more=_more(value, *known))


def _or_none(read: Callable[[Json], T], value: Json | None) -> T | None:
    return None if value is None else read(value)


def _more(value: Json, *known: str) -> JsonDict:
    return {key: item for key, item in value.items() if key not in known}


def session_json(session: Session) -> JsonDict:
    """Return the JSON of a session; a message always says its ``content``, what else is not known is left out."""
    return {
        "schema": SCHEMA,
        "session_id": session.session_id,
        **_said(profile_id=session.profile_id, name=session.name),
        **({"pinned": True} if session.pinned else {}),
        **_said(created_at=session.created_at, last_active=session.last_active),
        **({} if session.source is None else {"source": _source_json(session.source)}),
        **({"tools": [_tool_json(tool) for tool in session.tools]} if session.tools else {}),
        "messages": [_message_json(message) for message in session.messages],
        **({"feedback": [_feedback_json(entry) for entry in session.feedback]} if session.feedback else {}),
        **({} if session.outcome is None else {"outcome": _outcome_json(session.outcome)}),
        **_said(metadata=session.metadata),
    }


def _message_json(message: Message) -> JsonDict:
    content = message.content
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    return {
        **_said(id=message.id),
        "role": str(message.role),
        "content": content if content is None or isinstance(content, str) else [_part_json(part) for part in content],
        **_said(reasoning=message.reasoning, name=message.name, agent=message.agent),
        **({"tool_calls": calls} if calls else {}),
        **_said(
            tool_call_id=message.tool_call_id,
            error=message.error,
            created_at=message.created_at,
            model=message.model,
            usage=message.usage,
            latency_ms=message.latency_ms,
        ),
    }


def _part_json(part: Part) -> JsonDict:
    return {"type": str(part.type), **_said(text=part.text, uri=part.uri, mime_type=part.mime_type), **part.more}


def _tool_json(tool: Tool) -> JsonDict:
    kind = None if tool.kind is None else str(tool.kind)
    return {
        "name": tool.name,
        **_said(description=tool.description, parameters=tool.parameters, kind=kind),
        **tool.more,
    }


def _feedback_json(entry: MessageFeedback) -> JsonDict:
    told = _said(message_id=entry.message_id, comment=entry.comment, user=entry.user, created_at=entry.created_at)
    return {"message_index": entry.message_index, "rating": int(entry.rating), **told}


def _outcome_json(outcome: Outcome) -> JsonDict:
    return {**_said(reward=outcome.reward, success=outcome.success, source=outcome.source), **outcome.more}


def _source_json(source: Source) -> JsonDict:
    return {"format": str(source.format), **_said(uri=source.uri, id=source.id), **source.more}


def _said(**values: object) -> JsonDict:
    return {key: value for key, value in values.items() if value is not None}


def session_fingerprint(session: Session) -> str:
    """Return ``sha256:`` and the digest of messages and tools: of nothing that is said about the session."""
    return fingerprint_of(conversation_bytes(session_json(session)))


def conversation_bytes(checked: Json) -> bytes:
    """Return messages and tools as canonical JSON: keys in order, what is null or empty in a message left out."""
    messages = [_lean(message) if _has_blanks(message) else message for message in checked["messages"]]
    return canonical_bytes({"messages": messages, "tools": checked.get("tools") or []})


def _has_blanks(message: Json) -> bool:
    return None in message.values() or [] in message.values()


def _lean(message: Json) -> JsonDict:
    return {key: item for key, item in message.items() if item is not None and item != []}


def fingerprint_of(conversation: bytes) -> str:
    """Return the fingerprint of canonical bytes."""
    return f"sha256:{sha256(conversation).hexdigest()}"
