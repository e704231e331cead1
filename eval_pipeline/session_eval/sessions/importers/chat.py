"""Messages as chat interfaces write them: OpenAI's above all, and those that logs mix with it.

Contents in blocks (Anthropic, the AI SDK), parts of Gemini, LangChain's messages, Inspect's. What has no place in a
message of ours is not dropped: it is returned beside, by the place of its message.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes
from eval_pipeline.session_eval.sessions.times import has_zone, read_time, time_of_number

_ROLES: Final[Mapping[str, str]] = {
    "human": "user",
    "humanmessage": "user",
    "customer": "user",
    "end_user": "user",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "agent": "assistant",
    "systemmessage": "system",
    "function": "tool",
    "functionmessage": "tool",
    "toolmessage": "tool",
    "tool_result": "tool",
    "tool_response": "tool",
}
_TEXT_BLOCKS: Final = frozenset({"text", "input_text", "output_text", "summary_text", "refusal"})
_THOUGHT_BLOCKS: Final = frozenset({"thinking", "reasoning", "redacted_thinking", "reasoning_text"})
_CALL_BLOCKS: Final = frozenset({"tool_use", "tool_call", "tool-call", "server_tool_use", "server_tool_call"})
_RESULT_BLOCKS: Final = frozenset(
    {"tool_result", "tool_call_response", "tool-result", "web_search_tool_result", "server_tool_call_response"}
)
_MEDIA: Final = ("image", "audio", "video", "file", "document")
_DATE_DIGITS: Final = 8
NO_ZONE: Final = "times without a zone were taken as UTC"
NO_TIME: Final = "times that cannot be read were left out"


@dataclass(slots=True)
class Chat:
    """Messages as they are collected."""

    messages: list[JsonDict] = field(default_factory=list)
    unmapped: dict[str, JsonDict] = field(default_factory=dict)
    """What has no place in a message, by its place in the session."""
    notes: dict[str, None] = field(default_factory=dict)
    """What was guessed, each once."""

    def add(self, value: Any) -> None:  # noqa: ANN401 - JSON
        """Add what one entry of a list of messages says; one with several results of tools is several messages."""
        if isinstance(value, str):
            self.messages.append({"role": "user", "content": value})
            return
        if not isinstance(value, dict):
            self.messages.append({"role": None, "content": as_text(value)})
            return
        _Reader(self, _unwrapped(value)).read()

    def add_all(self, values: Iterable[Any]) -> None:
        """Add messages in their order."""
        for value in values:
            self.add(value)

    def moment(self, value: Any) -> str | None:  # noqa: ANN401 - JSON
        """Return a moment as sessions carry it; None where it is none, which is noted."""
        text = time_text(value)
        if text is None:
            if value not in (None, ""):
                self.notes[NO_TIME] = None
            return None
        if not has_zone(text):
            self.notes[NO_ZONE] = None
        return text

    def finish(self) -> list[JsonDict]:
        """Give calls and results that came without an id one, and return the messages."""
        link_results(self.messages)
        return self.messages


def time_text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return a moment that was written as a text or as a count since 1970."""
    match value:
        case bool():
            return None
        case int() | float():
            return time_of_number(value)
        case str():
            return _time_in(value.strip())
        case _:
            return None


def _time_in(text: str) -> str | None:
    if text.isdigit() and len(text) > _DATE_DIGITS:
        return time_of_number(int(text))
    if read_time(text) is not None:
        return text
    try:
        return time_of_number(float(text))
    except (ValueError, OverflowError):
        return None


def _unwrapped(value: JsonDict) -> JsonDict:
    """Return the message in what LangChain and others wrap around it."""
    if isinstance(value.get("data"), dict) and isinstance(value.get("type"), str) and "role" not in value:
        return {"role": value["type"], **value["data"]}
    if "from" in value and "value" in value and "role" not in value:  # ShareGPT
        return {"role": value["from"], "content": value["value"], **_but(value, "from", "value")}
    if isinstance(value.get("kwargs"), dict) and isinstance(value.get("id"), list) and value["id"]:
        return {"role": str(value["id"][-1]), **{key: item for key, item in value["kwargs"].items() if key != "type"}}
    if isinstance(value.get("message"), dict) and "role" in value["message"] and "role" not in value:
        return {**value["message"], **{key: value[key] for key in ("created_at", "timestamp", "id") if key in value}}
    return value


def _but(value: Json, *names: str) -> JsonDict:
    return {key: item for key, item in value.items() if key not in names}


class _Reader:
    """Reads one message; it fills ``chat``."""

    def __init__(self, chat: Chat, value: JsonDict) -> None:
        self._chat = chat
        self._value = value
        self._rest = dict(value)
        self._parts: list[JsonDict] = []
        self._thoughts: list[str] = []
        self._calls: list[JsonDict] = []
        self._results: list[JsonDict] = []

    def read(self) -> None:
        role = role_of(self._take("role", "type"))
        self._content(self._take("content", "parts"), role)
        for call in _listed(self._take("tool_calls")):
            self._calls.append(call_of(call))
        legacy = self._take("function_call")
        if isinstance(legacy, dict):
            self._calls.append(call_of(legacy))
        self._blocks(role)
        message: JsonDict = {"role": role, "content": _joined(self._parts)}
        self._about(message, role)
        first = len(self._chat.messages)
        says = self._parts or self._calls or self._thoughts or message.get("error")
        # a message that only carries results is those results
        if says or not self._results:
            self._chat.messages.append(_without_none(message))
        self._chat.messages += self._results
        if self._rest:
            self._chat.unmapped[str(first)] = self._rest

    def _take(self, *names: str) -> Any:  # noqa: ANN401 - JSON
        found = None
        for name in names:
            value = self._rest.pop(name, None) if name in self._rest else None
            found = value if found is None else found
        return found

    def _content(self, content: Any, role: str | None) -> None:  # noqa: ANN401 - JSON
        match content:
            case None:
                pass
            case str():
                self._parts.append({"type": "text", "text": content})
            case list():
                for block in content:
                    if self._results and role == "assistant" and not _is_result(block):
                        self._flush(role)  # what is said behind a result is another message
                    self._block(block)
            case _:
                self._parts.append({"type": "text", "text": as_text(content)})

    def _flush(self, role: str) -> None:
        """Add what was said so far, and the results of its calls."""
        said = {"role": role, "content": _joined(self._parts), "tool_calls": self._calls or None}
        told = "\n\n".join(text for text in self._thoughts if text) or None
        self._chat.messages += [_without_none({**said, "reasoning": told}), *self._results]
        self._parts, self._calls, self._thoughts, self._results = [], [], [], []

    def _block(self, block: Any) -> None:  # noqa: ANN401 - JSON
        if not isinstance(block, dict):
            self._parts.append({"type": "text", "text": as_text(block)})
            return
        kind = str(block.get("type") or _gemini_kind(block))
        if kind in _TEXT_BLOCKS:
            text = next((block[key] for key in ("text", "content", "refusal") if isinstance(block.get(key), str)), "")
            more = {key: item for key, item in block.items() if key not in {"type", "text", "content", "refusal"}}
            self._parts.append({"type": "text", "text": text, **{k: v for k, v in more.items() if v not in (None, [])}})
        elif kind in _THOUGHT_BLOCKS:
            self._thoughts.append(thought_of(block))
        elif kind in _CALL_BLOCKS or kind == "functionCall":
            self._calls.append(call_of(block.get("functionCall", block)))
        elif kind in _RESULT_BLOCKS or kind == "functionResponse":
            self._results.append(result_of(block.get("functionResponse", block)))
        else:
            self._parts.append(media_of(block, kind))

    def _blocks(self, role: str | None) -> None:
        """Take thoughts that stand beside the content."""
        del role
        for name in ("reasoning_content", "reasoning", "thinking"):
            thought = self._take(name)
            if isinstance(thought, str) and thought:
                self._thoughts.append(thought)
            elif isinstance(thought, dict | list) and thought:
                self._thoughts.append(thought_of({"reasoning": thought}))
        refusal = self._take("refusal")
        if isinstance(refusal, str) and refusal:
            self._parts.append({"type": "text", "text": refusal})

    def _about(self, message: JsonDict, role: str | None) -> None:
        message["reasoning"] = "\n\n".join(text for text in self._thoughts if text) or None
        message["tool_calls"] = self._calls or None
        message["tool_call_id"] = _text_of(self._take("tool_call_id", "toolCallId", "call_id"))
        message["id"] = _text_of(self._take("id"))
        message["name"] = _text_of(self._take("name", "tool_name"))
        message["agent"] = _text_of(self._take("agent", "agent_name"))
        message["model"] = _text_of(self._take("model"))
        message["error"] = error_text(self._take("error"))
        message["created_at"] = self._chat.moment(self._take("created_at", "createdAt", "timestamp", "create_time"))
        message["usage"] = usage_of(self._take("usage", "usage_metadata", "token_usage"))
        if role == "tool":
            function = self._take("function")  # Inspect names the tool so
            message["name"] = message["name"] or _text_of(function)
        latency = self._take("latency_ms")
        message["latency_ms"] = latency if isinstance(latency, int | float) and not isinstance(latency, bool) else None
        for name in ("additional_kwargs", "response_metadata", "annotations", "example", "invalid_tool_calls", "audio"):
            if self._rest.get(name) in (None, {}, [], False):
                self._rest.pop(name, None)
        for name in [name for name, item in self._rest.items() if item is None]:
            del self._rest[name]


def _is_result(block: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(block, dict):
        return False
    return str(block.get("type")) in _RESULT_BLOCKS or "functionResponse" in block


def role_of(word: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return the role that a word means; a word that means none stays, so that it can be told."""
    if not isinstance(word, str):
        return None
    return _ROLES.get(word.strip().lower(), word.strip().lower() if word.strip().lower() in _OURS else word)


_OURS: Final = frozenset({"system", "developer", "user", "assistant", "tool"})


def _gemini_kind(block: Json) -> str:
    if isinstance(block.get("text"), str):
        return "thinking" if block.get("thought") is True else "text"
    return next((kind for kind in ("functionCall", "functionResponse") if kind in block), "data")


def call_of(value: Any) -> JsonDict:  # noqa: ANN401 - JSON
    """Return a call of a tool; its id is empty where none is given."""
    if not isinstance(value, dict):
        return {"id": "", "name": as_text(value), "arguments": None}
    inner = value.get("function") if isinstance(value.get("function"), dict) else value.get("custom")
    about: Json = inner if isinstance(inner, dict) else value
    name = next((about[key] for key in ("name", "function", "tool_name", "toolName") if _is_text(about.get(key))), "")
    given = next((about[key] for key in ("arguments", "input", "args", "parameters") if key in about), None)
    call_id = next(
        (value[key] for key in ("id", "tool_call_id", "toolCallId", "call_id") if _is_text(value.get(key))), ""
    )
    return {"id": call_id, "name": name, "arguments": arguments_of(given)}


def arguments_of(given: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the arguments of a call decoded, or the text as it is when it cannot be, or would not come out whole."""
    if isinstance(given, str):
        try:
            decoded = json.loads(given, object_pairs_hook=_each_once, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return given
        return decoded if isinstance(decoded, dict | list) else given
    if given is None or isinstance(given, dict | list):
        return given
    return as_text(given)


def _each_once(pairs: list[tuple[str, Any]]) -> JsonDict:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _refuse(_constant: str) -> None:
    raise ValueError


def result_of(block: Json) -> JsonDict:
    """Return a result of a tool that stands as a block in another message."""
    told = next((block[key] for key in ("content", "response", "result", "output") if key in block), None)
    is_error = block.get("is_error") is True or block.get("isError") is True
    named = ("tool_use_id", "id", "tool_call_id", "toolCallId", "call_id")
    return _without_none(
        {
            "role": "tool",
            "content": result_content(told),
            "tool_call_id": next((block[key] for key in named if _is_text(block.get(key))), None),
            "name": next((block[key] for key in ("name", "toolName", "tool_name") if _is_text(block.get(key))), None),
            "error": (error_text(block.get("error")) or "the tool says that it failed")
            if is_error
            else error_text(block.get("error")),
        }
    )


def result_content(told: Any) -> str | list[JsonDict] | None:  # noqa: ANN401 - JSON
    """Return what a tool answered: a text, or parts where it is a list of blocks."""
    if told is None or isinstance(told, str):
        return told
    if isinstance(told, dict) and told.keys() == {"type", "value"}:  # the AI SDK
        return as_text(told["value"])
    if isinstance(told, list) and told and all(isinstance(block, dict) and "type" in block for block in told):
        inner = _Reader(Chat(), {})
        for block in told:
            inner._block(block)  # noqa: SLF001 - of this class
        return _joined(inner._parts)  # noqa: SLF001 - of this class
    return as_text(told)


def thought_of(block: Json) -> str:
    """Return the text of a block of reasoning."""
    for key in ("thinking", "reasoning", "text", "content", "summary", "reasoning_text"):
        found = block.get(key)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, list) and found:
            return "\n\n".join(thought_of(one) if isinstance(one, dict) else as_text(one) for one in found)
        if isinstance(found, dict) and found:
            return thought_of(found)
    return ""


def media_of(block: Json, kind: str) -> JsonDict:
    """Return a part that is no text."""
    flat = kind.replace("input_", "").replace("_url", "").replace("_data", "").replace("-", "_")
    inner: JsonDict = next(
        (block[key] for key in (kind, flat, "source", "inlineData", "fileData") if isinstance(block.get(key), dict)), {}
    )
    about: JsonDict = {**block, **inner}
    mime = next(
        (about[k] for k in ("mime_type", "mimeType", "media_type", "mediaType") if _is_text(about.get(k))), None
    )
    modality = str(about.get("modality") or "")
    part_kind = next(
        (name for name in _MEDIA if name in {flat, modality} or (mime or "").startswith(f"{name}/")), "data"
    )
    part_kind = {"document": "file", "video": "file"}.get(part_kind, part_kind)
    direct = block.get(kind) if isinstance(block.get(kind), str) else None
    uri = direct or next((about[k] for k in ("url", "uri", "fileUri", "image", "file") if _is_text(about.get(k))), None)
    data = next((about[k] for k in ("data", "content", "file_data") if _is_text(about.get(k))), None)
    if uri is None and data is not None:
        form = about.get("format")
        mime = mime or (f"{part_kind}/{form}" if _is_text(form) else None)
        uri = data if data.startswith("data:") else f"data:{mime or 'application/octet-stream'};base64,{data}"
    if uri is None and part_kind == "data":
        return {"type": "data", "text": as_text(block)}
    told = {"file_id": about.get("file_id"), "name": about.get("filename") or about.get("name")}
    return _without_none({"type": part_kind, "uri": uri, "mime_type": mime, **told})


def _joined(parts: Sequence[JsonDict]) -> str | list[JsonDict] | None:
    """Return the content: one plain text as a text."""
    if not parts:
        return None
    if len(parts) == 1 and parts[0].keys() == {"type", "text"} and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return list(parts)


def usage_of(value: Any) -> JsonDict | None:  # noqa: ANN401 - JSON
    """Return tokens under our names, and what else was said of them."""
    if not isinstance(value, dict) or not value:
        return None
    usage = {key: item for key, item in value.items() if item is not None}
    for ours, names in _TOKENS.items():
        count = next((usage[name] for name in names if _is_count(usage.get(name))), None)
        if count is not None:
            usage[ours] = int(count)
        else:
            usage.pop(ours, None)
    cost = next((usage[name] for name in _COSTS if isinstance(usage.get(name), int | float)), None)
    return {**usage, **({} if cost is None else {"cost_usd": cost})} or None


_TOKENS: Final = {
    "input_tokens": ("input_tokens", "prompt_tokens", "inputTokens", "promptTokens", "promptTokenCount", "input"),
    "output_tokens": (
        "output_tokens",
        "completion_tokens",
        "outputTokens",
        "completionTokens",
        "candidatesTokenCount",
        "output",
    ),
}
_COSTS: Final = ("cost_usd", "total_cost_usd", "totalCost", "total_cost")


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)


def error_text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return an error as a text: what it says, and of which kind it is."""
    if value is None or value is False or value in ("", {}, []):
        return None
    if isinstance(value, dict):
        words = [value.get("type"), value.get("message") or value.get("msg")]
        told = ": ".join(str(word) for word in words if _is_text(word))
        return told or as_text(value)
    return "error" if value is True else as_text(value)


def as_text(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tools_of(values: Any) -> list[JsonDict]:  # noqa: ANN401 - JSON
    """Return the tools that were offered, from the forms in which interfaces take them."""
    found: list[JsonDict] = []
    for value in _listed(values):
        if isinstance(value, str):
            value = _decoded(value)  # noqa: PLW2901 - a definition as a JSON text
        if not isinstance(value, dict):
            continue
        if isinstance(value.get("functionDeclarations") or value.get("function_declarations"), list):
            found += tools_of(value.get("functionDeclarations") or value.get("function_declarations"))
            continue
        inner = value["function"] if isinstance(value.get("function"), dict) else value
        name = inner.get("name") or value.get("type")
        if not _is_text(name):
            continue
        parameters = next(
            (
                inner[key]
                for key in ("parameters", "input_schema", "inputSchema", "schema")
                if isinstance(inner.get(key), dict)
            ),
            None,
        )
        kind = value.get("kind") if value.get("kind") in _TOOL_KINDS else None
        kind = kind or ("builtin" if "name" not in inner else "function")
        description = inner.get("description")
        found.append(
            _without_none(
                {
                    "name": name,
                    "description": description if isinstance(description, str) else None,
                    "parameters": parameters,
                    "kind": kind,
                }
            )
        )
    return found


_TOOL_KINDS: Final = frozenset({"function", "subagent", "extension", "builtin"})


def _decoded(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def object_of(value: Any) -> JsonDict:  # noqa: ANN401 - JSON
    """Return a value that is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def decoded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what a text says when it is JSON of a list or an object, else the value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
        found = _decoded(value)
        return value if found is None else found
    return value


def link_results(messages: Sequence[JsonDict]) -> None:
    """Give every call an id, and a result without one the id of the earliest open call of its name."""
    taken = {call["id"] for message in messages for call in message.get("tool_calls") or ()}
    taken |= {message["tool_call_id"] for message in messages if message.get("tool_call_id")}
    open_calls: list[JsonDict] = []
    number = 0
    for message in messages:
        for call in message.get("tool_calls") or ():
            while not call["id"]:
                number += 1
                name = f"call_{number}"
                call["id"] = "" if name in taken else name
            open_calls.append(call)
        if message.get("role") != "tool":
            continue
        named = message.get("tool_call_id")
        answers = _answers(named, message.get("name"))
        answered = next((call for call in open_calls if answers(call)), None)
        if answered is not None:
            message["tool_call_id"] = answered["id"]
            open_calls.remove(answered)


def _answers(call_id: str | None, name: str | None) -> Callable[[Json], bool]:
    if call_id:
        return lambda call: call["id"] == call_id
    return lambda call: name is None or call["name"] == name


def likeness(message: Json) -> bytes:
    """Return what makes two messages the same one, seen twice: role, text, calls, results."""
    content = message.get("content")
    text = content if isinstance(content, str) or content is None else "\n".join(p.get("text", "") for p in content)
    calls = [[call["name"], call["arguments"]] for call in message.get("tool_calls") or ()]
    return canonical_bytes([message.get("role"), (text or "").strip(), calls, message.get("error")])


def _listed(value: Any) -> Sequence[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _text_of(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None or value == "" else as_text(value)


def _without_none(value: JsonDict) -> JsonDict:
    return {key: item for key, item in value.items() if item is not None}
