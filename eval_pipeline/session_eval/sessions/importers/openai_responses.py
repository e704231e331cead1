"""Conversations as OpenAI's Responses interface keeps them: items of messages, calls, their outputs and reasoning."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import (
    Chat,
    arguments_of,
    as_text,
    error_text,
    result_content,
    thought_of,
    tools_of,
    usage_of,
)
from eval_pipeline.session_eval.sessions.importers.openai_chat import imported
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat

_CALLS: Final = frozenset({"function_call", "custom_tool_call", "mcp_call"})
_OUTPUTS: Final = "_output"
_ITEMS: Final = frozenset(
    {"function_call", "function_call_output", "reasoning", "custom_tool_call", "custom_tool_call_output", "mcp_call"}
)


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a response, a list of items, or one of them."""
    if isinstance(value, list):
        return any(_is_item(one) for one in value)
    if not isinstance(value, dict):
        return False
    if value.get("object") == "response" or _is_item(value):
        return True
    listed = [value.get(name) for name in ("input", "output", "items")]
    body = value.get("response", {}).get("body") if isinstance(value.get("response"), dict) else None
    return any(isinstance(one, list) and any(_is_item(item) for item in one) for one in listed) or (
        isinstance(body, dict) and body.get("object") == "response"
    )


def _is_item(value: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        return False
    return value.get("type") in _ITEMS or (value.get("type") == "message" and "role" in value)


def read(record: Record) -> Iterator[Imported]:
    """Read one response with its input, or the items of one conversation."""
    value: Any = record.value
    if isinstance(value, list):
        value = {"items": value}
    if not isinstance(value, dict):
        raise NotASessionError("it is no object with items")
    response = _response(value)
    chat = Chat()
    for text in (response.get("instructions") or value.get("instructions"),):
        if isinstance(text, str) and text:
            chat.add({"role": "system", "content": text})
    for name in ("items", "input"):
        _add_items(chat, value.get(name) if value.get(name) is not None else response.get(name))
    about = {"model": response.get("model"), "usage": usage_of(response.get("usage"))}
    first = len(chat.messages)
    _add_items(chat, response.get("output"))
    _tell(chat.messages[first:], about)
    if response.get("error"):
        chat.messages.append({"role": "assistant", "content": None, "error": error_text(response["error"])})
    conversation = response.get("conversation") or value.get("conversation")
    told = {
        key: item for key, item in {**response, **value}.items() if key not in _TAKEN and item not in (None, [], {})
    }
    if conversation:
        told["conversation_id"] = conversation.get("id") if isinstance(conversation, dict) else conversation
    yield imported(
        record,
        chat,
        about=told,
        tools=tools_of(response.get("tools") or value.get("tools")),
        source=SourceFormat.OPENAI_RESPONSES,
    )


_TAKEN: Final = frozenset(
    {"input", "output", "items", "tools", "instructions", "conversation", "response", "body", "object", "usage"}
    | {"error", "completed_at", "text", "reasoning"}
)


def _response(value: Json) -> Json:
    inner = value.get("response", value)
    if isinstance(inner, dict) and isinstance(inner.get("body"), dict):
        inner = inner["body"]
    return inner if isinstance(inner, dict) else value


def _tell(messages: Sequence[JsonDict], about: JsonDict) -> None:
    """Say of the last answer which model gave it, and what it took."""
    answers = [message for message in messages if message.get("role") == "assistant"]
    for message in answers:
        message.update({"model": about["model"]} if about.get("model") else {})
    if answers and about.get("usage"):
        answers[-1]["usage"] = about["usage"]


def _add_items(chat: Chat, items: Any) -> None:  # noqa: ANN401 - JSON
    if isinstance(items, str):
        chat.add({"role": "user", "content": items})
        return
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            _add_item(chat, item)
        else:
            chat.add(item)


def _add_item(chat: Chat, item: JsonDict) -> None:
    kind = item.get("type") or "message"
    if kind == "message":
        chat.add({key: value for key, value in item.items() if key not in {"type", "status", "phase"}})
        _take_thought(chat)
    elif kind == "reasoning":
        thought = thought_of({"summary": item.get("summary") or item.get("content") or []})
        chat.messages.append({"role": "assistant", "content": None, "reasoning": thought or "(not told)"})
    elif kind in _CALLS:
        call = {"id": str(item.get("call_id") or item.get("id") or ""), "name": str(item.get("name") or "")}
        given = item.get("arguments", item.get("input"))
        _call(chat, {**call, "arguments": arguments_of(given)})
        if kind == "mcp_call":
            _result(chat, call["id"], item.get("output"), error=item.get("error"))
    elif kind.endswith(_OUTPUTS):
        _result(chat, str(item.get("call_id") or ""), item.get("output"), error=item.get("error"))
    elif kind.endswith("_call"):  # a tool of the provider, with what it did
        rest = {key: value for key, value in item.items() if key not in {"type", "id", "status"}}
        _call(chat, {"id": str(item.get("id") or ""), "name": kind.removesuffix("_call"), "arguments": rest})
    else:
        chat.messages.append({"role": "system", "content": [{"type": "data", "text": as_text(item)}]})


def _call(chat: Chat, call: JsonDict) -> None:
    """Add a call to what the assistant said just before, as one response holds them."""
    last = chat.messages[-1] if chat.messages else None
    if last is not None and last.get("role") == "assistant":
        last["tool_calls"] = [*(last.get("tool_calls") or []), call]
    else:
        chat.messages.append({"role": "assistant", "content": None, "tool_calls": [call]})


def _take_thought(chat: Chat) -> None:
    """Join an answer with the reasoning that stands alone before it."""
    if len(chat.messages) <= 1:
        return
    before, last = chat.messages[-2:]
    alone = before.get("content") is None and not before.get("tool_calls") and before.get("role") == "assistant"
    if alone and last.get("role") == "assistant" and before.get("reasoning"):
        chat.messages[-2:] = [{**last, "reasoning": before["reasoning"]}]


def _result(chat: Chat, call_id: str, output: Any, *, error: Any) -> None:  # noqa: ANN401 - JSON
    told: JsonDict = {"role": "tool", "content": result_content(output), "tool_call_id": call_id or None}
    chat.messages.append({**told, "error": error_text(error)})


OPENAI_RESPONSES = Importer(format=SourceFormat.OPENAI_RESPONSES, recognises=recognises, read=read)
