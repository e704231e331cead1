"""Traces by the conventions of OpenInference, as Phoenix exports them: names of attributes have numbers in them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import (
    Chat,
    arguments_of,
    as_text,
    decoded,
    result_content,
    tools_of,
)
from eval_pipeline.session_eval.sessions.importers.conversation import Step, StepKind
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Piece, Record
from eval_pipeline.session_eval.sessions.importers.spans import Span, indexed, is_telemetry, spans_of
from eval_pipeline.session_eval.sessions.importers.traces import session_of_steps
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.session_eval.sessions.times import read_time

_KINDS: Final = {"LLM": StepKind.CHAT, "TOOL": StepKind.TOOL, "AGENT": StepKind.AGENT}
_USAGE: Final = {
    "llm.token_count.prompt": "input_tokens",
    "llm.token_count.completion": "output_tokens",
    "llm.cost.total": "cost_usd",
}


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell telemetry by the kind that OpenInference gives every span."""
    if not is_telemetry(value):
        return False
    spans = spans_of(value)
    return any(key.startswith(("openinference.", "llm.")) for span in spans for key in span.attributes)


def take_apart(record: Record) -> Iterator[Piece]:
    """Yield the spans of a record."""
    if record.is_rest:
        return
    value: Any = record.value
    if record.about.get("list") == "resourceSpans":
        value = {"resourceSpans": [value]}
    if not is_telemetry(value):
        raise NotASessionError("it is no span")
    for span in spans_of(value):
        session = span.attributes.get("session.id")
        if not span.trace and not session:
            raise NotASessionError(f"span {span.id or span.name!r} names neither a trace nor a session")
        yield Piece(
            trace=span.trace or str(session),
            group=None if session in (None, "") else str(session),
            order=span.started or "",
            value=span.to_json(),
            number=record.number,
        )


def put_together(group: str, pieces: Sequence[Piece]) -> Imported:
    """Make a session of all spans of it."""
    spans = [Span(**piece.value) for piece in pieces]
    chat = Chat()
    tools: list[JsonDict] = []
    for span in spans:
        for entry in indexed(span.attributes, "llm.tools"):
            inner = entry.get("tool", entry) if isinstance(entry, dict) else entry
            schema = inner.get("json_schema", inner) if isinstance(inner, dict) else inner
            tools += [tool for tool in tools_of([decoded(schema)]) if tool not in tools]
    users = sorted({str(span.attributes["user.id"]) for span in spans if span.attributes.get("user.id")})
    return session_of_steps(
        group,
        [_step(span, chat) for span in spans],
        pieces=pieces,
        chat=chat,
        tools=tools,
        source=SourceFormat.OPENINFERENCE,
        about={"metadata": {"users": users}} if users else None,
    )


def _step(span: Span, chat: Chat) -> Step:
    about = span.attributes
    kind = _KINDS.get(str(about.get("openinference.span.kind") or "").upper(), StepKind.OTHER)
    common: dict[str, Any] = {
        "id": span.id,
        "parent": span.parent,
        "started": _moment(span.started),
        "ended": _moment(span.ended),
        "error": span.error,
    }
    if kind is StepKind.TOOL:
        call = next((about[k] for k in ("tool_call.id", "tool.id", "tool.call.id") if about.get(k)), None)
        return Step(
            kind=kind,
            name=as_text(about.get("tool.name") or span.name or "") or None,
            call_id=None if call is None else str(call),
            arguments=arguments_of(
                about.get("tool_call.function.arguments", about.get("input.value", about.get("tool.parameters")))
            ),
            result=result_content(about.get("output.value")),
            **common,
        )
    heard, said = Chat(notes=chat.notes), Chat(notes=chat.notes)
    heard.add_all(_message(one) for one in indexed(about, "llm.input_messages"))
    said.add_all(_message(one) for one in indexed(about, "llm.output_messages"))
    is_bare = kind is StepKind.CHAT or span.parent is None
    if not heard.messages and is_bare:
        heard.add_all(messages_in(about.get("input.value"), role="user"))
    if not said.messages and is_bare:
        said.add_all(messages_in(about.get("output.value"), role="assistant"))
    name = about.get("agent.name") or about.get("graph.node.name") or span.name
    return Step(
        kind=kind,
        name=str(name) if kind is StepKind.AGENT and name else None,
        heard=heard.messages,
        said=said.messages,
        model=None if about.get("llm.model_name") is None else str(about["llm.model_name"]),
        usage={ours: about[theirs] for theirs, ours in _USAGE.items() if isinstance(about.get(theirs), int | float)}
        or None,
        **common,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)


def _message(entry: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a message without the names that OpenInference puts before everything."""
    if not isinstance(entry, dict):
        return entry
    inner: Json = entry["message"] if isinstance(entry.get("message"), dict) else entry
    message: JsonDict = {key: item for key, item in inner.items() if key not in {"contents", "tool_calls"}}
    parts = [_part(part) for part in inner.get("contents") or [] if isinstance(part, dict)]
    if parts:
        told = message.get("content")
        message["content"] = [*([{"type": "text", "text": told}] if isinstance(told, str) and told else []), *parts]
    calls = [call.get("tool_call", call) for call in inner.get("tool_calls") or [] if isinstance(call, dict)]
    message["tool_calls"] = calls
    if message.get("function_call_name"):
        message["function_call"] = {
            "name": message.pop("function_call_name"),
            "arguments": message.pop("function_call_arguments_json", None),
        }
    return message


def _part(part: JsonDict) -> JsonDict:
    inner = part["message_content"] if isinstance(part.get("message_content"), dict) else part
    picture = inner.get("image")
    if isinstance(picture, dict):
        address = picture.get("image", picture)
        url = address.get("url") if isinstance(address, dict) else address
        return {"type": "image", "url": url}
    return dict(inner)


def messages_in(value: Any, *, role: str) -> list[Any]:  # noqa: ANN401 - JSON
    """Return the messages that an input or output holds: a list of them, one, or a text of its role."""
    match decoded(value):
        case None | "":
            return []
        case dict() as found:
            return _in_object(found, role) if found else []
        case list() as found:
            return _in_list(found, role) if found else []
        case found:
            return [{"role": role, "content": as_text(found)}]


def _in_object(found: JsonDict, role: str) -> list[Any]:
    for name in ("messages", "input", "output", "generations"):
        if isinstance(found.get(name), list) and found[name]:
            return messages_in(found[name], role=role)
    if isinstance(found.get("choices"), list):
        return [one["message"] for one in found["choices"] if isinstance(one, dict) and "message" in one][:1]
    if _is_message(found):
        return [{"role": role, **found}]
    texts = ("content", "text", "output", "response", "answer", "input", "question", "query", "result")
    told = next((found[name] for name in texts if isinstance(found.get(name), str)), None)
    return [{"role": role, "content": as_text(found) if told is None else told}]


def _in_list(found: list[Any], role: str) -> list[Any]:
    while len(found) == 1 and isinstance(found[0], list):  # LangChain: a list for every prompt
        found = found[0]
    if found and all(isinstance(one, dict) and (_is_message(one) or {"type", "kwargs"} & one.keys()) for one in found):
        are_blocks = not any({"role", "data", "kwargs"} & one.keys() for one in found)
        return [{"role": role, "content": found}] if are_blocks else list(found)
    return [{"role": role, "content": as_text(found)}]


def _is_message(value: Json) -> bool:
    return "role" in value or bool({"tool_calls", "function_call"} & value.keys())


OPENINFERENCE = Importer(
    format=SourceFormat.OPENINFERENCE, recognises=recognises, take_apart=take_apart, put_together=put_together
)
