"""Traces by OpenTelemetry's conventions for generative AI: spans, and the events that carried messages before 1.37.

Spans belong together by their conversation, else by their trace.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import (
    Chat,
    arguments_of,
    as_text,
    decoded,
    object_of,
    result_content,
    tools_of,
    usage_of,
)
from eval_pipeline.session_eval.sessions.importers.conversation import Step, StepKind
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Piece, Record
from eval_pipeline.session_eval.sessions.importers.spans import Span, indexed, is_telemetry, spans_of
from eval_pipeline.session_eval.sessions.importers.traces import session_of_steps
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.session_eval.sessions.times import read_time

_CHAT: Final = frozenset({"chat", "generate_content", "text_completion", "completion", "responses"})
_CONVERSATION: Final = ("gen_ai.conversation.id", "session.id", "langfuse.session.id", "gen_ai.thread.id")
_MESSAGES: Final = ("gen_ai.input.messages", "gen_ai.output.messages")
_EVENTS: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
"""Of before 1.37."""
_OLDEST: Final = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
"""Of before 1.28: one attribute with JSON in it."""


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell telemetry that speaks of generative AI; what speaks of nothing yet may be its beginning."""
    if not is_telemetry(value):
        return False
    spans = list(spans_of(value))
    return any(_speaks(span) for span in spans) or not any(
        key.startswith(("openinference.", "llm.")) for span in spans for key in span.attributes
    )


def _speaks(span: Span) -> bool:
    if any(key.startswith("gen_ai.") for key in span.attributes):
        return True
    return any(str(event.get("name") or "").startswith("gen_ai.") for event in span.events)


def take_apart(record: Record) -> Iterator[Piece]:
    """Yield the spans of a record that say something of a conversation."""
    if record.is_rest:
        return
    value: Any = record.value
    if record.about.get("list") in {"resourceSpans", "resourceLogs"}:
        value = {record.about["list"]: [value]}
    if not is_telemetry(value):
        raise NotASessionError("it is neither a span nor a log record")
    for span in spans_of(value):
        if not _speaks(span) and not span.id:
            continue
        if not span.trace and not _conversation(span):
            raise NotASessionError(f"span {span.id or span.name!r} names neither a trace nor a conversation")
        yield Piece(
            trace=span.trace or str(_conversation(span)),
            group=_conversation(span),
            order=span.started or "",
            value=span.to_json(),
            number=record.number,
        )


def _conversation(span: Span) -> str | None:
    found = next((span.attributes[key] for key in _CONVERSATION if span.attributes.get(key)), None)
    if found is None:
        found = next((e["attributes"][k] for e in span.events for k in _CONVERSATION if e["attributes"].get(k)), None)
    return None if found is None else str(found)


def put_together(group: str, pieces: Sequence[Piece]) -> Imported:
    """Make a session of all spans of a conversation."""
    spans = _with_logs([Span(**piece.value) for piece in pieces])
    chat = Chat()
    tools: list[JsonDict] = []
    for span in spans:
        for tool in tools_of(decoded(span.attributes.get("gen_ai.tool.definitions"))):
            if tool not in tools:
                tools.append(tool)
    steps = [_step(span, chat) for span in spans]
    return session_of_steps(group, steps, pieces=pieces, chat=chat, tools=tools, source=SourceFormat.OTEL_GENAI)


def _with_logs(found: Sequence[Span]) -> list[Span]:
    """Join log records to the span in which they were written; without one, the records of a span are one."""
    spans = {span.id: span for span in found if not span.is_log}
    for log in (span for span in found if span.is_log):
        known = spans.get(log.id)
        if known is None:
            spans[log.id] = log
            continue
        attributes = {**{k: v for e in log.events for k, v in e["attributes"].items()}, **known.attributes}
        changes = {**known.to_json(), "attributes": attributes, "events": [*known.events, *log.events]}
        spans[log.id] = Span(**changes)
    return list(spans.values())


def _step(span: Span, chat: Chat) -> Step:
    about = span.attributes
    for event in span.events:
        if str(event.get("name")) == "gen_ai.client.inference.operation.details":
            about = {**event["attributes"], **about}
    heard, said = _messages(span, about, chat)
    operation = str(about.get("gen_ai.operation.name") or "").lower()
    name = about.get("gen_ai.tool.name") or about.get("gen_ai.agent.name") or about.get("gen_ai.agent.id")
    common: dict[str, Any] = {
        "id": span.id,
        "parent": span.parent,
        "started": _moment(span.started),
        "ended": _moment(span.ended),
        "error": span.error,
    }
    if operation == "execute_tool" or (not operation and "gen_ai.tool.name" in about and not heard):
        return Step(
            kind=StepKind.TOOL,
            name=None if name is None else str(name),
            call_id=_text(about.get("gen_ai.tool.call.id")),
            arguments=arguments_of(about.get("gen_ai.tool.call.arguments")),
            result=result_content(_response(about.get("gen_ai.tool.call.result"))),
            **common,
        )
    if operation in {"invoke_agent", "invoke_workflow", "create_agent"}:
        # an agent's own span repeats what its calls of models carry, and stands for them where there are none
        return Step(kind=StepKind.AGENT, name=None if name is None else str(name), heard=heard, said=said, **common)
    if operation in _CHAT or heard or said:
        usage = {
            key.removeprefix("gen_ai.usage."): item for key, item in about.items() if key.startswith("gen_ai.usage.")
        }
        return Step(
            kind=StepKind.CHAT,
            heard=heard,
            said=said,
            model=_text(about.get("gen_ai.response.model") or about.get("gen_ai.request.model")),
            usage=usage_of(usage),
            **common,
        )
    return Step(kind=StepKind.OTHER, name=span.name, **common)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)


def _messages(span: Span, about: Json, chat: Chat) -> tuple[list[JsonDict], list[JsonDict]]:
    """Return what a model was sent and what it answered, in whichever way the span carries it."""
    heard, said = Chat(notes=chat.notes), Chat(notes=chat.notes)
    instructions = _system(decoded(about.get("gen_ai.system_instructions")))
    if instructions is not None:
        heard.add({"role": "system", "content": instructions})
    for key, into in zip(_MESSAGES, (heard, said), strict=True):
        told = decoded(about.get(key))
        if isinstance(told, list):
            into.add_all(map(_message, told))
        elif isinstance(told, str) and told:
            into.add({"role": "user" if into is heard else "assistant", "content": told})
    for event in sorted(span.events, key=lambda event: str(event.get("time") or "")):
        _event(event, heard, said)
    if not heard.messages and not said.messages:
        heard.add_all(_numbered(about, "gen_ai.prompt"))
        said.add_all({"role": "assistant", **one} for one in _numbered(about, "gen_ai.completion"))
    for place, rest in (*heard.unmapped.items(), *said.unmapped.items()):
        told_twice = {key: item for key, item in rest.items() if key not in {"finish_reason", "index", "body"}}
        chat.unmapped.update({f"{span.id}.{place}": told_twice} if told_twice else {})
    return heard.messages, [message for message in said.messages if message.keys() != {"role"}]


def _numbered(about: Json, prefix: str) -> list[JsonDict]:
    return [one for one in indexed(about, prefix) if isinstance(one, dict)]


def _system(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_part(part) for part in value] or None
    return value if isinstance(value, str) and value else None


def _message(message: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a message with the texts of its parts where chats have them."""
    if not isinstance(message, dict):
        return message
    rest = {key: item for key, item in message.items() if key not in {"parts", "finish_reason"}}
    if isinstance(message.get("parts"), list):
        rest["content"] = [_part(part) for part in message["parts"]]
    return rest


def _part(part: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if kind in {"blob", "file", "uri", "file_data"}:
        modality = part.get("modality") or "file"
        return {**part, "type": modality if modality in {"image", "audio", "video"} else "file"}
    if kind in {"text", "reasoning"}:
        return {
            **{k: v for k, v in part.items() if k not in {"type", "content"}},
            "type": kind,
            "text": as_text(part.get("content", "")),
        }
    if kind in {"tool_call_response", "server_tool_call_response"}:
        names = ("response", "result", "server_tool_call_response")
        told = next((part[name] for name in names if name in part), None)
        return {
            "type": "tool_call_response",
            "id": part.get("id"),
            "response": _response(told),
            "name": part.get("name"),
        }
    return part


def _response(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what a tool answered: texts as they are, the blocks of a list as blocks."""
    found = decoded(value)
    if isinstance(found, list) and found and all(isinstance(one, dict) and "type" in one for one in found):
        return found
    return value


def _event(event: Json, heard: Chat, said: Chat) -> None:
    name = str(event.get("name") or "")
    about = event.get("attributes") or {}
    if name in _OLDEST:
        told = decoded(about.get(_OLDEST[name]))
        into, speaker = (heard, "user") if name == "gen_ai.content.prompt" else (said, "assistant")
        messages = told if isinstance(told, list) else [] if told is None else [told]
        into.add_all(
            one if isinstance(one, dict) and "role" in one else {"role": speaker, "content": one} for one in messages
        )
        return
    if name not in _EVENTS:
        return
    role = _EVENTS[name]
    body = event.get("body")
    if body is None:
        body = decoded(about.get("gen_ai.event.content"))
    if body is None:
        body = {key: decoded(item) for key, item in about.items() if not key.startswith(("gen_ai.", "event."))}
    if not isinstance(body, dict):
        body = {"content": body}
    if name == "gen_ai.choice":
        inner = object_of(body.get("message")) or {"content": body.get("message", body.get("content"))}
        calls = inner.get("tool_calls") or body.get("tool_calls")
        said.add({"role": inner.get("role") or role, "content": inner.get("content"), "tool_calls": decoded(calls)})
        return
    message = {key: item for key, item in body.items() if key not in {"role", "id"}}
    message["role"] = body.get("role") or role
    message["tool_calls"] = decoded(message.get("tool_calls"))
    if role == "tool":
        message["tool_call_id"] = body.get("id") or body.get("tool_call_id")
        message["role"] = "tool"
    heard.add(message)


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value in (None, "") else str(value)


OTEL_GENAI = Importer(
    format=SourceFormat.OTEL_GENAI, recognises=recognises, take_apart=take_apart, put_together=put_together
)
